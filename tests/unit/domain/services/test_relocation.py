"""A network that moves out and back: nothing is lost on the way, and a run that broke off is repeated."""

from itertools import repeat

import attrs
import pytest

from moltnet.adapters.builtin.identity import BuiltinIdentityProvider, StoredClientDirectory
from moltnet.adapters.builtin.tokens import BuiltinClients
from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock, MemoryRandomness
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.errors import Unavailable
from moltnet.domain.ids import ClientId, DiaryId
from moltnet.domain.outbox import Change
from moltnet.domain.permissions import RIGHTS, Link, Namespace, Relation, Right, Thing, TuplePattern
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.services.relocation import Direction, Moved, RelocationService
from moltnet.domain.sharing import ShareRole
from tests.support.builders import NOON, an_id
from tests.support.interruptions import failing, interrupted
from tests.support.network import Member, Network
from tests.support.stored import joined


@attrs.frozen
class Elsewhere:
    """The other side, in memory: a storage of its own for identities and clients, and a store of relations."""

    storage: MemoryStorage
    relations: MemoryRelationStore
    service: RelocationService

    async def moved(self, direction: Direction, *, dry_run: bool = False) -> list[Moved]:
        return [each async for each in self.service.move(direction, dry_run=dry_run)]


@pytest.fixture
def elsewhere(network: Network) -> Elsewhere:
    storage, relations, clock = MemoryStorage(), MemoryRelationStore(), MemoryClock(NOON)
    reached = interrupted("RelationStore", relations, network.calls)
    service = RelocationService(
        storage=network.storage,
        identities=BuiltinIdentityProvider(storage, clock, MemoryRandomness(1), "https://x.example", b"s" * 32),
        clients=interrupted(
            "Elsewhere",
            BuiltinClients(storage, clock, MemoryRandomness(2), StoredClientDirectory(storage)),
            network.calls,
        ),
        relations=reached,
        delivery=RelationDelivery(storage=network.storage, store=reached, clock=clock),
        builtin_clients=network.clients,
        clock=clock,
        randomness=MemoryRandomness(3),
    )
    return Elsewhere(storage, relations, service)


async def furnish(network: Network) -> tuple[Member, Member]:
    """An owner of a diary with an entry, and a writer."""
    owner, writer = await network.member(), await network.member()
    diary = await network.diary(owner)
    await network.admit(diary, owner, writer, ShareRole.WRITER)
    await network.entry(owner, diary)
    return owner, writer


async def with_client(network: Network, member: Member) -> str:
    async with network.storage.snapshot() as work:
        agent = await work.agents.find(member.agent_id)
    assert agent is not None
    return (await network.clients.create(ClientId(an_id()), agent, ALL_SCOPES)).secret


async def test_all_relations_are_there_afterwards(network: Network, elsewhere: Elsewhere):
    owner, writer = await furnish(network)
    moved = await elsewhere.moved(Direction.OUT)
    assert [(each.relations, each.differences) for each in moved] == [(3, ()), (2, ())]
    (held,) = await elsewhere.relations.list(
        TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(owner.agent_id))
    )
    for member, relation in ((owner, Relation.OWNER), (writer, Relation.WRITERS)):
        assert await elsewhere.relations.permitted(held.thing, frozenset(Right), member.agent_id) == RIGHTS[relation]
    (entry,) = await elsewhere.relations.list(TuplePattern(namespace=Namespace.DIARY_ENTRY))
    assert (entry.relation, entry.subject) == (Link.PARENT, held.thing)


async def test_second_run_finds_everything_there(network: Network, elsewhere: Elsewhere):
    owner, _ = await furnish(network)
    await with_client(network, owner)
    first = await elsewhere.moved(Direction.OUT)
    again = await elsewhere.moved(Direction.OUT)
    assert [each.secret is not None for each in first] == [True, False]
    assert [(each.has_client, each.relations, each.secret) for each in again] == [(True, 0, None), (False, 0, None)]


async def test_dry_run_changes_nothing(network: Network, elsewhere: Elsewhere):
    owner, _ = await furnish(network)
    await with_client(network, owner)
    before = network.kept()
    assert [each.relations for each in await elsewhere.moved(Direction.OUT, dry_run=True)] == [3, 2]
    await elsewhere.moved(Direction.BACK, dry_run=True)
    assert network.kept() == before
    assert await elsewhere.relations.list(TuplePattern(namespace=Namespace.DIARY)) == []


@pytest.mark.parametrize("call", ["RelationStore.write", "Elsewhere.create"])
async def test_run_that_breaks_off_is_repeated(network: Network, elsewhere: Elsewhere, call: str):
    owner, writer = await furnish(network)
    for member in (owner, writer):
        await with_client(network, member)
    network.calls.after(call, repeat(failing(Unavailable()), 1))
    with pytest.raises(Unavailable):
        await elsewhere.moved(Direction.OUT)
    assert all(not each.differences for each in await elsewhere.moved(Direction.OUT))
    assert [each.relations for each in await elsewhere.moved(Direction.OUT)] == [0, 0]


async def test_what_differs_is_reported(network: Network, elsewhere: Elsewhere):
    await furnish(network)
    stranger = await joined(network.storage)
    await elsewhere.moved(Direction.OUT)
    (held, *_) = await elsewhere.relations.list(TuplePattern(namespace=Namespace.DIARY))
    await elsewhere.relations.write(attrs.evolve(held, relation=Relation.READERS, subject=Thing.agent(stranger.id)))
    told = [each.differences for each in await elsewhere.moved(Direction.OUT)]
    assert told == [(), (), (f"Diary:{held.thing.id} is nobody's here and readers elsewhere",)]


async def test_way_back_takes_over_what_changed_meanwhile(network: Network, elsewhere: Elsewhere):
    owner, writer = await furnish(network)
    secret = await with_client(network, owner)
    await elsewhere.moved(Direction.OUT)
    of_writer = TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(writer.agent_id))
    (held,) = await elsewhere.relations.list(of_writer)
    await elsewhere.relations.delete(of_writer)
    await elsewhere.relations.write(attrs.evolve(held, relation=Relation.READERS))
    moved = await elsewhere.moved(Direction.BACK)
    assert [(each.relations, each.differences) for each in moved] == [(0, ()), (2, ())]
    assert [each.secret is None for each in moved] == [True, False]
    async with network.storage.snapshot() as work:
        assert set((await work.relations.diaries_of(writer.agent_id)).values()) == {frozenset({Relation.READERS})}
        client = await work.clients.of_agent(owner.agent_id)
    assert client is not None
    assert client.accepts(secret)
    assert [each.relations for each in await elsewhere.moved(Direction.BACK)] == [0, 0]


async def test_what_was_revoked_elsewhere_does_not_return(network: Network, elsewhere: Elsewhere):
    owner, writer = await furnish(network)
    await elsewhere.moved(Direction.OUT)
    of_writer = TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(writer.agent_id))
    (diary,) = [held.thing for held in await elsewhere.relations.list(of_writer)]
    # Revoked while the network lived elsewhere: its own relations do not know.
    async with network.storage.snapshot() as work:
        held = await work.relations.diaries_of(writer.agent_id)
    await network.services.sharing.revoke(owner.caller, DiaryId(diary.id), writer.fingerprint)
    async with network.storage.transaction() as work:
        for diary_id in held:
            await work.relations.add(diary_id, Relation.WRITERS, writer.agent_id)
    await elsewhere.relations.delete(of_writer)
    assert [each.relations for each in await elsewhere.moved(Direction.OUT)] == [0, 0]
    assert await elsewhere.relations.list(of_writer) == []


async def test_what_servers_left_undelivered_is_not_lost_on_the_way_back(network: Network, elsewhere: Elsewhere):
    owner, writer = await furnish(network)
    await elsewhere.moved(Direction.OUT)
    async with network.storage.transaction() as work:
        (diary_id,) = await work.relations.diaries_of(writer.agent_id)
        await work.outbox.add(Change.removing(diary_id, writer.agent_id))
    network.calls.before("RelationStore.delete", [failing(Unavailable())])
    with pytest.raises(Unavailable):
        await elsewhere.moved(Direction.BACK)
    assert all(not each.differences for each in await elsewhere.moved(Direction.BACK))
    async with network.storage.snapshot() as work:
        assert await work.relations.diaries_of(writer.agent_id) == {}
        assert await work.relations.diaries_of(owner.agent_id)
