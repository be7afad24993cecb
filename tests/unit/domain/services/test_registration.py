"""Joining the network: all or nothing, whatever breaks at whatever moment."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat

import attrs
import pytest

from moltnet.adapters.memory.workflows import Backoff, Journal, MemoryWorkflows
from moltnet.domain.agents import KeyTaken
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.keys import KEY_PREFIX, MalformedKey, PublicKey, UnusableKey
from moltnet.domain.registration import Registered, RegistrationFailed, Undo
from moltnet.domain.services.registration import REGISTER_AGENT, REMOTE_ATTEMPTS, RegistrationService
from moltnet.domain.vouching import (
    VOUCHER_LIFETIME,
    MalformedVoucherCode,
    VoucherExpired,
    VoucherNotFound,
    VoucherRedeemed,
)
from moltnet.ports.workflows import Json, JsonObject, Steps
from tests.support.builders import NOON, a_caller
from tests.support.interruptions import Act, failing
from tests.support.network import Member, Network, a_key_pair, launched

UNAVAILABLE = failing(Unavailable())
BROKEN = failing(RuntimeError("broken"))
# Every call a registration makes that has an effect, the one it begins with, and the commits between.
WITHIN_STORING = ("agents.add", "vouchers.redeem", "diaries.add", "Permissions.grant")
REMOTE = ("IdentityProvider.create", "Permissions.introduce", "Clients.create")
BEFORE = ("vouchers.find", *WITHIN_STORING, *REMOTE)
AFTER = (*WITHIN_STORING, "commit of agents.add", *REMOTE)
WHOLE = ("identities", "agents", "clients", "diaries", "relations")


@pytest.fixture
async def code(network: Network, ada: Member) -> str:
    """A voucher of Ada's."""
    return (await network.services.vouching.issue(ada.caller)).code


def a_key() -> str:
    return a_key_pair().public_key.text


async def registered(network: Network, code: str) -> Registered:
    return await network.services.registration.register(a_key(), code)


def more(network: Network, before: dict[str, dict[object, object]]) -> dict[str, int]:
    """How many rows of each kind came since."""
    now = network.kept()
    return {name: len(now[name]) - len(before[name]) for name in WHOLE}


ONE_OF_EACH = dict.fromkeys(WHOLE, 1)


def interrupt(network: Network, moment: str, call: str, acts: Iterable[Act]) -> None:
    {"before": network.calls.before, "after": network.calls.after}[moment](call, acts)


# Joining


async def test_a_newcomer_is_a_member_with_credentials_and_a_private_diary(network: Network, code: str) -> None:
    before, key = network.kept(), a_key()
    newcomer = await network.services.registration.register(key, code)
    assert newcomer.public_key.text == key
    assert more(network, before) == ONE_OF_EACH
    caller = a_caller()
    caller = attrs.evolve(caller, agent_id=newcomer.agent_id)
    assert (await network.services.directory.whoami(caller)).public_key == newcomer.public_key
    (diary,) = await network.services.diaries.mine(caller)
    assert (diary.name, diary.visibility) == ("Private", Visibility.PRIVATE)
    assert await network.services.entries.create(caller, diary.id, NewEntry(content="first"))


async def test_the_voucher_is_spent_and_remembers_on_whom(network: Network, ada: Member, code: str) -> None:
    newcomer = await registered(network, code)
    async with network.storage.reading() as work:
        voucher = await work.vouchers.find(code)
    assert voucher is not None
    assert (voucher.redeemed_by, voucher.redeemed_at) == (newcomer.agent_id, NOON)
    assert await network.services.vouching.open(ada.caller) == []


async def test_the_client_has_all_scopes_and_only_the_told_secret(network: Network, code: str) -> None:
    newcomer = await registered(network, code)
    async with network.storage.reading() as work:
        client = await work.clients.find(newcomer.credentials.client_id)
    assert client is not None
    assert (client.agent_id, client.scopes) == (newcomer.agent_id, ALL_SCOPES)
    assert client.accepts(newcomer.credentials.secret)


async def test_a_key_is_told_back_as_it_was_written(network: Network, code: str) -> None:
    bare = a_key().removeprefix(KEY_PREFIX)
    assert (await network.services.registration.register(bare, code)).public_key.text == bare


async def test_founders_need_no_voucher(network: Network) -> None:
    before = network.kept()
    founder = await network.services.registration.genesis(a_key(), frozenset({Scope.DIARY_READ}))
    assert more(network, before) == ONE_OF_EACH
    async with network.storage.reading() as work:
        client = await work.clients.of_agent(founder.agent_id)
        assert await work.vouchers.open_of(founder.agent_id, NOON) == []
    assert client is not None
    assert client.scopes == {Scope.DIARY_READ}


async def test_a_workflow_keeps_no_secret(network: Network, code: str) -> None:
    newcomer = await registered(network, code)
    ((_, run),) = network.journal.runs.items()
    assert json.loads(run.argument).keys() == {"public_key", "voucher_code", "client_id", "diary_id", "scopes"}
    answers = [json.loads(answer) for _, answer in run.steps.values()]
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
        network.services.registration.register(PublicKey.of(raw).text, code),
        network.services.registration.genesis(PublicKey.of(raw).text),
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
    assert "IdentityProvider.create" not in network.calls.log[network.calls.log.index("Clients.rotate") :]


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
        async with network.storage.writing() as work:
            await work.agents.remove(ada.agent_id)

    network.calls.before("IdentityProvider.create", [issuer_goes])
    with pytest.raises(VoucherNotFound):
        await registered(network, code)
    async with network.storage.reading() as work:
        assert not await work.agents.any()


# Races


async def test_of_many_with_one_voucher_one_joins(network: Network, code: str) -> None:
    before = network.kept()
    answers = await asyncio.gather(*(registered(network, code) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Registered) == 1
    assert [type(answer) for answer in answers].count(VoucherRedeemed) == 4
    assert more(network, before) == ONE_OF_EACH


async def test_of_many_with_one_key_one_joins_and_the_other_vouchers_stay_open(network: Network, ada: Member) -> None:
    codes = [(await network.services.vouching.issue(ada.caller)).code for _ in range(3)]
    before, key = network.kept(), a_key()
    registering = (network.services.registration.register(key, code) for code in codes)
    answers = await asyncio.gather(*registering, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Registered) == 1
    assert [type(answer) for answer in answers].count(KeyTaken) == 2
    assert more(network, before) == ONE_OF_EACH
    assert len(await network.services.vouching.open(ada.caller)) == 2


# Whatever breaks


@pytest.mark.parametrize("error", [UNAVAILABLE, BROKEN], ids=["unavailable", "broken"])
@pytest.mark.parametrize(
    ("moment", "call"), [*(("before", call) for call in BEFORE), *(("after", call) for call in AFTER)]
)
async def test_what_fails_leaves_nothing_and_the_voucher_open(
    network: Network, code: str, *, moment: str, call: str, error: Act
) -> None:
    before, key = network.kept(), a_key()
    interrupt(network, moment, call, repeat(error))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.register(key, code)
    assert network.kept() == before
    interrupt(network, moment, call, [])
    assert (await network.services.registration.register(key, code)).public_key.text == key
    assert more(network, before) == ONE_OF_EACH


async def test_a_founders_registration_leaves_nothing_either(network: Network) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.genesis(a_key())
    assert network.kept() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", REMOTE)
async def test_a_service_that_comes_back_in_time_makes_one_member(
    network: Network, code: str, call: str, moment: str
) -> None:
    before = network.kept()
    interrupt(network, moment, call, repeat(UNAVAILABLE, REMOTE_ATTEMPTS - 1))
    assert await registered(network, code)
    assert more(network, before) == ONE_OF_EACH
    assert network.calls.log.count(call) == REMOTE_ATTEMPTS


@pytest.mark.parametrize("call", ["IdentityProvider.delete", "agents.remove", "Clients.delete"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_undoing_is_tried_again(network: Network, code: str, moment: str, call: str) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    interrupt(network, moment, call, repeat(UNAVAILABLE, REMOTE_ATTEMPTS - 1))
    with pytest.raises(RegistrationFailed):
        await registered(network, code)
    assert network.kept() == before


@pytest.mark.parametrize(
    ("call", "left"),
    [("IdentityProvider.delete", {"identities"}), ("agents.remove", {"agents"}), ("Clients.delete", {"clients"})],
)
async def test_what_cannot_be_undone_keeps_nothing_else(
    network: Network, code: str, *, call: str, left: set[str]
) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    network.calls.before(call, repeat(UNAVAILABLE))
    with pytest.raises(Unavailable) as refused:
        await registered(network, code)
    assert not isinstance(refused.value, RegistrationFailed)  # which would say that nothing was kept
    now = network.kept()
    left |= {"diaries", "relations", "vouchers"} if "agents" in left else set()
    assert {name for name in now if now[name] != before[name]} == left


async def test_whose_credentials_are_lost_on_the_way_comes_back_by_its_key(network: Network, code: str) -> None:
    key = a_key_pair()
    network.calls.before("Clients.rotate", [UNAVAILABLE])
    with pytest.raises(Unavailable):
        await network.services.registration.register(key.public_key.text, code)
    challenge = await network.services.recovery.challenge(key.public_key.text)
    signature = key.sign(challenge.text.encode())
    assert await network.services.recovery.verify(challenge, signature, key.public_key.text)


# Steps that are taken again


class TwiceTaken:
    """The port `Steps` after crashes: every action had its effect before, and the memory of it was lost."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    @property
    def workflow_id(self) -> str:
        """The id the workflow was started with."""
        return self._steps.workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        """Runs an action twice; where it fails the first time, the second is another attempt."""
        try:
            await action()
        except MoltNetError:
            return await self._steps.step(name, action, attempts)
        return await self._steps.step(name, action, attempts)

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        """The next message."""
        return await self._steps.receive(topic, timeout_s)


@pytest.fixture
def repeating(network: Network) -> RegistrationService:
    """Registration whose steps are all taken twice."""

    async def body(steps: Steps, argument: JsonObject) -> Json:
        return await network.registration.run(TwiceTaken(steps), argument)

    workflows = MemoryWorkflows({REGISTER_AGENT: body}, backoff=Backoff(first_s=0), journal=Journal())
    return attrs.evolve(network.services.registration, workflows=workflows)


async def test_steps_that_are_taken_twice_make_nothing_twice(
    network: Network, repeating: RegistrationService, code: str
) -> None:
    before = network.kept()
    assert await repeating.register(a_key(), code)
    assert more(network, before) == ONE_OF_EACH


async def test_steps_that_are_undone_twice_are_undone(
    network: Network, repeating: RegistrationService, code: str
) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    with pytest.raises(RegistrationFailed):
        await repeating.register(a_key(), code)
    undone = ("Clients.delete", "agents.remove", "IdentityProvider.delete")
    assert len(undone) == len(Undo)
    assert [call for call in network.calls.log if call in undone] == [call for call in undone for _ in range(2)]
    assert network.kept() == before


@pytest.mark.parametrize(
    ("moment", "call"),
    [*(("before", call) for call in REMOTE), *(("after", call) for call in ("commit of agents.add", *REMOTE))],
)
async def test_a_crash_at_any_moment_makes_one_member_afterwards(
    network: Network, code: str, *, moment: str, call: str
) -> None:
    stopped = asyncio.Event()

    async def stand_still() -> None:
        stopped.set()
        await asyncio.Event().wait()

    before = network.kept()
    interrupt(network, moment, call, [stand_still])
    registering = asyncio.create_task(registered(network, code))
    await stopped.wait()
    await network.workflows.aclose()
    with pytest.raises(Unavailable):
        await registering
    afterwards = launched(network.registration, network.journal)
    await afterwards.recover()
    (workflow_id,) = network.journal.runs
    answer = await afterwards.result(workflow_id)
    assert isinstance(answer, dict)
    assert more(network, before) == ONE_OF_EACH
    assert [str(agent_id) for agent_id in network.kept()["agents"]][-1] == answer["agent_id"]
