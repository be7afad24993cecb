"""What the hooks keep when a service behind them fails, and clients that were not made here."""

from datetime import timedelta

import attrs
import pytest

from moltnet.adapters.builtin.identity import StoredClientDirectory
from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.adapters.builtin.tokens import BuiltinClients
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock, MemoryRandomness
from moltnet.adapters.memory.workflows import Backoff, MemoryWorkflows
from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.audit import AuditAction
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import ClientNotFound, ClientWithoutAgent
from moltnet.domain.errors import Unavailable
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import MalformedKey, PublicKey, UnusableKey
from moltnet.domain.permissions import Relation
from moltnet.domain.registration import UnusableIdentity
from moltnet.domain.services.hooks import HookService
from moltnet.domain.services.relations import RelationService
from moltnet.domain.vouching import VOUCHER_LIFETIME, VoucherExpired, VoucherNotFound, VoucherRedeemed
from tests.support.builders import NOON, a_client, a_voucher, an_agent, an_id
from tests.support.stored import joined

NIL = "00000000-0000-0000-0000-000000000000"


class PermissionsDown(BuiltinPermissions):
    """Permissions that cannot be changed."""

    async def grant(self, *_: object) -> None:
        raise Unavailable


@attrs.frozen
class ClientsOfOthers(BuiltinClients):
    """Clients whose metadata name nobody."""

    async def agent_of(self, _: str) -> None:
        return None


@pytest.fixture
def storage():
    return MemoryStorage()


@pytest.fixture
def clock():
    return MemoryClock(NOON)


@pytest.fixture
def hooks(storage, clock):
    randomness = MemoryRandomness()
    return HookService(
        storage=storage,
        permissions=BuiltinPermissions(),
        relations=RelationService(workflows=MemoryWorkflows({}, backoff=Backoff(first_s=0))),
        clients=BuiltinClients(
            storage=storage, clock=clock, randomness=randomness, client_directory=StoredClientDirectory(storage)
        ),
        signatures=NaclSignatures(),
        clock=clock,
        randomness=randomness,
    )


@pytest.fixture
async def code(storage) -> str:
    """An open voucher's."""
    voucher = a_voucher(issuer=(await joined(storage)).id)
    async with storage.transaction() as work:
        await work.vouchers.issue(voucher)
    return voucher.code


def a_key() -> str:
    return NaclKeyPair.generate().public_key.text


async def test_new_agent_is_a_member_with_a_private_diary(hooks, storage, code):
    agent_id = AgentId(an_id())
    agent = await hooks.after_registration(str(agent_id), a_key(), code)
    async with storage.snapshot() as work:
        assert await work.agents.find(agent_id) == agent
        (diary,) = await work.diaries.owned_by(agent_id)
        assert (diary.name, diary.visibility.value) == ("Private", "private")
        assert (await work.diaries.find_with_relations(diary.id, agent_id))[1] == {Relation.OWNER}
        assert (await work.vouchers.find(code)).redeemed_by == agent_id


async def test_registration_that_is_reported_twice_is_one(hooks, storage, code):
    agent_id, key = AgentId(an_id()), a_key()
    first = await hooks.after_registration(str(agent_id), key, code)
    assert await hooks.after_registration(str(agent_id), key, code) == first
    async with storage.snapshot() as work:
        assert len(await work.diaries.owned_by(agent_id)) == 1


async def test_nothing_is_stored_when_permissions_fail(hooks, storage, code):
    broken = attrs.evolve(hooks, permissions=PermissionsDown())
    agent_id = AgentId(an_id())
    with pytest.raises(Unavailable):
        await broken.after_registration(str(agent_id), a_key(), code)
    async with storage.snapshot() as work:
        assert await work.agents.find(agent_id) is None
        assert (await work.vouchers.find(code)).redeemed_by is None
    await hooks.after_registration(str(agent_id), a_key(), code)


async def test_voucher_that_is_not_open_lets_nobody_in(hooks, code):
    await hooks.after_registration(str(an_id()), a_key(), code)
    for refused, reason in ((code, VoucherRedeemed), ("0" * 64, VoucherNotFound), ("no code at all", VoucherNotFound)):
        with pytest.raises(reason):
            await hooks.after_registration(str(an_id()), a_key(), refused)


async def test_key_of_another_agent_is_not_taken_over(hooks, storage, code):
    mine, other = await joined(storage), await joined(storage)
    await hooks.after_settings(str(mine.id), key := a_key())
    with pytest.raises(KeyTaken):
        await hooks.after_settings(str(other.id), key)
    with pytest.raises(KeyTaken):
        await hooks.after_registration(str(an_id()), key, code)
    assert await find(storage, other.id) == other
    async with storage.snapshot() as work:
        assert (await work.vouchers.find(code)).redeemed_by is None


async def find(storage: MemoryStorage, agent_id: AgentId) -> Agent:
    async with storage.snapshot() as work:
        agent = await work.agents.find(agent_id)
    assert agent
    return agent


@pytest.mark.parametrize("identity", [NIL, "", "kratos-1", f"urn:uuid:{NIL}"])
async def test_identity_without_an_id_becomes_nobody(hooks, storage, code, identity):
    with pytest.raises(UnusableIdentity):
        await hooks.after_registration(identity, a_key(), code)
    with pytest.raises(UnusableIdentity):
        await hooks.after_settings(identity, a_key())
    async with storage.snapshot() as work:
        assert (await work.vouchers.find(code)).redeemed_by is None


async def test_key_that_proves_nothing_is_refused(hooks, code):
    no_point = PublicKey(bytes(32)).text
    with pytest.raises(UnusableKey):
        await hooks.after_registration(str(an_id()), no_point, code)
    with pytest.raises(UnusableKey):
        await hooks.after_settings(str(an_id()), no_point)


async def test_changed_key_counts_at_once_and_an_unknown_identity_becomes_an_agent(hooks, storage, clock):
    agent, stranger = await joined(storage), AgentId(an_id())
    clock.advance(timedelta(hours=1))
    for identity in (agent.id, stranger):
        key = a_key()
        await hooks.after_settings(str(identity), key)
        assert (await find(storage, identity)).public_key.text == key
    kept = await find(storage, agent.id)
    assert (kept.created_at, kept.updated_at) == (NOON, NOON + timedelta(hours=1))


async def test_token_is_for_the_agent_its_client_was_made_for(hooks, storage):
    agent = await joined(storage)
    client = a_client(agent_id=agent.id)
    async with storage.transaction() as work:
        await work.clients.put(client)
    assert await hooks.token_holder(str(client.id)) == agent


async def test_token_of_a_client_that_is_nobodys_is_refused(hooks, storage):
    orphan = a_client()
    async with storage.transaction() as work:
        await work.clients.put(orphan)
    with pytest.raises(ProfileNotFound):
        await hooks.token_holder(str(orphan.id))
    for unknown in (str(an_id()), "no id", ""):
        with pytest.raises(ClientNotFound):
            await hooks.token_holder(unknown)
    clients = ClientsOfOthers(
        storage=storage, clock=hooks.clock, randomness=hooks.randomness, client_directory=StoredClientDirectory(storage)
    )
    with pytest.raises(ClientWithoutAgent):
        await attrs.evolve(hooks, clients=clients).token_holder(str(orphan.id))


async def test_token_of_a_client_that_another_service_made_is_for_the_agent_it_names(hooks, storage):
    agent = await joined(storage)

    class ClientsElsewhere(ClientsOfOthers):
        async def agent_of(self, client_id: str) -> AgentId | None:
            return {"hydra-1": agent.id, "hydra-2": AgentId(an_id())}.get(client_id)

    clients = ClientsElsewhere(
        storage=storage, clock=hooks.clock, randomness=hooks.randomness, client_directory=StoredClientDirectory(storage)
    )
    asked = attrs.evolve(hooks, clients=clients)
    assert await asked.token_holder("hydra-1") == agent
    with pytest.raises(ProfileNotFound):
        await asked.token_holder("hydra-2")
    with pytest.raises(ClientWithoutAgent):
        await asked.token_holder("hydra-3")


async def test_asked_before_it_answers_as_afterwards_and_changes_nothing(hooks, storage, code):
    key = a_key()
    for _ in range(2):
        await hooks.before_registration(key, code)
    async with storage.snapshot() as work:
        assert (await work.vouchers.find(code)).redeemed_by is None
        assert await work.agents.find_by_fingerprint(PublicKey.parse(key).fingerprint) is None
    member = await joined(storage, an_agent(public_key=PublicKey.parse(a_key())))
    for refused_key, refused_code, reason in (
        ("no key", code, MalformedKey),
        (PublicKey(bytes(32)).text, code, UnusableKey),
        (key, "0" * 64, VoucherNotFound),
        (member.public_key.text, code, KeyTaken),
    ):
        with pytest.raises(reason):
            await hooks.before_registration(refused_key, refused_code)
    await hooks.after_registration(str(an_id()), key, code)
    with pytest.raises(VoucherRedeemed):
        await hooks.before_registration(a_key(), code)


async def test_asked_before_it_refuses_a_voucher_that_is_over(hooks, clock, code):
    clock.advance(VOUCHER_LIFETIME)
    with pytest.raises(VoucherExpired):
        await hooks.before_registration(a_key(), code)


async def test_settings_that_leave_the_key_are_no_new_key(hooks, storage):
    agent, key = await joined(storage), a_key()
    for _ in range(2):
        await hooks.after_settings(str(agent.id), key)
    async with storage.snapshot() as work:
        events = await work.audit.of_agent(agent.id, Page(10))
    assert [event.action for event in events] == [AuditAction.KEY_REPLACED]
