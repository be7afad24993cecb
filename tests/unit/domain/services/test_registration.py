"""Joining the network: who is let in, with what, and who is not."""

import asyncio
import json

import attrs
import pytest

from moltnet.domain.agents import KeyTaken
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.keys import KEY_PREFIX, MalformedKey, PublicKey, UnusableKey
from moltnet.domain.registration import Registered
from moltnet.domain.vouching import (
    VOUCHER_LIFETIME,
    MalformedVoucherCode,
    VoucherExpired,
    VoucherNotFound,
    VoucherRedeemed,
)
from tests.support.builders import NOON, a_caller
from tests.support.network import Member, Network, a_key_pair

ONE_OF_EACH = dict.fromkeys(("identities", "agents", "clients", "diaries", "relations"), 1)


@pytest.fixture
async def code(network: Network, ada: Member) -> str:
    """A voucher of Ada's."""
    return (await network.services.vouching.issue(ada.caller)).code


def a_key() -> str:
    return a_key_pair().public_key.text


async def registered(network: Network, code: str) -> Registered:
    return await network.services.registration.register(a_key(), code)


# Joining


async def test_a_new_agent_is_a_member_with_credentials_and_a_private_diary(network: Network, code: str) -> None:
    before, key = network.kept(), a_key()
    newcomer = await network.services.registration.register(key, code)
    assert newcomer.public_key.text == key
    assert network.added(before) == ONE_OF_EACH
    caller = a_caller()
    caller = attrs.evolve(caller, agent_id=newcomer.agent_id)
    assert (await network.services.directory.whoami(caller)).public_key == newcomer.public_key
    (diary,) = await network.services.diaries.mine(caller)
    assert (diary.name, diary.visibility) == ("Private", Visibility.PRIVATE)
    assert await network.services.entries.create(caller, diary.id, NewEntry(content="first"))


async def test_the_voucher_is_spent_and_remembers_on_whom(network: Network, ada: Member, code: str) -> None:
    newcomer = await registered(network, code)
    async with network.storage.snapshot() as work:
        voucher = await work.vouchers.find(code)
    assert voucher is not None
    assert (voucher.redeemed_by, voucher.redeemed_at) == (newcomer.agent_id, NOON)
    assert await network.services.vouching.open(ada.caller) == []


async def test_the_client_has_all_scopes_and_only_the_returned_secret(network: Network, code: str) -> None:
    newcomer = await registered(network, code)
    async with network.storage.snapshot() as work:
        client = await work.clients.find(newcomer.credentials.client_id)
    assert client is not None
    assert (client.agent_id, client.scopes) == (newcomer.agent_id, ALL_SCOPES)
    assert client.accepts(newcomer.credentials.secret)


async def test_a_key_is_answered_canonically_however_it_was_written(network: Network, code: str) -> None:
    key = a_key()
    written = key.removeprefix(KEY_PREFIX).rstrip("=") + " <!> \u202e = then anything at all"
    assert (await network.services.registration.register(written, code)).public_key.text == key


async def test_founders_need_no_voucher(network: Network) -> None:
    before = network.kept()
    founder = await network.services.registration.genesis(a_key(), frozenset({Scope.DIARY_READ}))
    assert network.added(before) == ONE_OF_EACH
    async with network.storage.snapshot() as work:
        client = await work.clients.of_agent(founder.agent_id)
        assert await work.vouchers.open_of(founder.agent_id, NOON) == []
    assert client is not None
    assert client.scopes == {Scope.DIARY_READ}


async def test_a_workflow_keeps_no_secret(network: Network, code: str) -> None:
    newcomer = await registered(network, code)
    ((_, run),) = network.journal.runs.items()
    made = {"public_key", "voucher_code", "client_id", "diary_id", "scopes"}
    assert json.loads(run.argument).keys() == made | {"proven", "mark"}
    answers = [outcome.unwrap() for _, outcome in run.steps.values()]
    assert answers == [None, str(newcomer.agent_id), None, None, None]
    assert json.loads(run.outcome.text) == {"agent_id": str(newcomer.agent_id)}  # type: ignore[union-attr]
    assert newcomer.credentials.secret not in str(network.journal)


# Refused


@pytest.mark.parametrize("key", ["", "ed25519:", "ed25519:AAAA", "A" * 44])
async def test_a_malformed_key_is_refused_before_anything_is_begun(network: Network, code: str, key: str) -> None:
    with pytest.raises(MalformedKey):
        await network.services.registration.register(key, code)
    assert not network.journal.runs


@pytest.mark.parametrize("raw", [bytes(32), bytes([1, *bytes(31)]), bytes([255] * 32)])
async def test_a_key_that_proves_nothing_is_refused_before_anything_is_begun(
    network: Network, code: str, raw: bytes
) -> None:
    for register in (
        network.services.registration.register(PublicKey(raw).text, code),
        network.services.registration.genesis(PublicKey(raw).text),
    ):
        with pytest.raises(UnusableKey):
            await register
    assert not network.journal.runs


@pytest.mark.parametrize("malformed", ["", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "\u0660"])
async def test_a_malformed_code_is_refused_before_anything_is_begun(network: Network, malformed: str) -> None:
    with pytest.raises(MalformedVoucherCode):
        await registered(network, malformed)
    assert not network.journal.runs


async def test_a_voucher_that_is_not_open_admits_nobody(network: Network, ada: Member, code: str) -> None:
    await registered(network, code)
    expired = (await network.services.vouching.issue(ada.caller)).code
    network.clock.advance(VOUCHER_LIFETIME)
    before = network.kept()
    for refused, reason in ((code, VoucherRedeemed), (expired, VoucherExpired), ("0" * 64, VoucherNotFound)):
        with pytest.raises(reason):
            await registered(network, refused)
    assert network.kept() == before
    assert "IdentityProvider.create" not in network.calls.log[network.calls.log.index("ClientRegistry.first_secret") :]


async def test_a_key_that_is_taken_is_refused_and_its_agent_and_the_voucher_stay(
    network: Network, ada: Member, code: str
) -> None:
    before = network.kept()
    taken = ada.key.public_key.text
    for key in (taken, taken.removeprefix(KEY_PREFIX)):
        with pytest.raises(KeyTaken):
            await network.services.registration.register(key, code)
        with pytest.raises(KeyTaken):
            await network.services.registration.genesis(key)
    assert network.kept() == before
    assert await registered(network, code)


async def test_no_identity_is_made_for_a_key_that_is_known_to_be_taken(
    network: Network, ada: Member, code: str
) -> None:
    with pytest.raises(KeyTaken):
        await network.services.registration.register(ada.key.public_key.text, code)
    assert "IdentityProvider.create" not in network.calls.log


async def test_a_voucher_that_expires_on_the_way_admits_nobody(network: Network, code: str) -> None:
    async def time_goes_by() -> None:
        network.clock.advance(VOUCHER_LIFETIME)

    before = network.kept()
    network.calls.before("IdentityProvider.create", [time_goes_by])
    with pytest.raises(VoucherExpired):
        await registered(network, code)
    assert network.kept() == before


async def test_a_voucher_that_goes_with_its_issuer_on_the_way_admits_nobody(
    network: Network, ada: Member, code: str
) -> None:
    async def issuer_goes() -> None:
        async with network.storage.transaction() as work:
            await work.agents.remove(ada.agent_id)

    network.calls.before("IdentityProvider.create", [issuer_goes])
    with pytest.raises(VoucherNotFound):
        await registered(network, code)
    async with network.storage.snapshot() as work:
        assert not await work.agents.any()


# Races


async def test_of_many_with_one_voucher_one_joins(network: Network, code: str) -> None:
    before = network.kept()
    answers = await asyncio.gather(*(registered(network, code) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Registered) == 1
    assert [type(answer) for answer in answers].count(VoucherRedeemed) == 4
    assert network.added(before) == ONE_OF_EACH


async def test_of_many_with_one_key_one_joins_and_the_other_vouchers_stay_open(network: Network, ada: Member) -> None:
    codes = [(await network.services.vouching.issue(ada.caller)).code for _ in range(3)]
    before, key = network.kept(), a_key()
    registering = (network.services.registration.register(key, code) for code in codes)
    answers = await asyncio.gather(*registering, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Registered) == 1
    assert [type(answer) for answer in answers].count(KeyTaken) == 2
    assert network.added(before) == ONE_OF_EACH
    assert len(await network.services.vouching.open(ada.caller)) == 2
