"""Two servers on one database and one permission store elsewhere: whatever they do at once, both say the same after."""

import asyncio
import itertools
import random
from contextlib import AsyncExitStack, suppress

import pytest

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Unavailable
from moltnet.domain.permissions import Link, Namespace, Relation, RelationTuple, Thing, TuplePattern
from moltnet.domain.search import Filters
from moltnet.domain.services import Services
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.sharing import InvitationAnswered, InvitationNotFound, ShareExists, ShareNotFound, ShareRole
from moltnet.ports.storage import Storage
from tests.support.builders import a_caller
from tests.support.interruptions import Act, Calls, failing, interrupted
from tests.support.postgres import a_database
from tests.support.stored import joined
from tests.support.usecases import services_over

pytestmark = pytest.mark.real

ACTS_OF_EACH, ACTORS, FAILING = 15, 4, 0.1


async def act(services: Services, chance: random.Random, host: Caller, guests: list[Caller], diary: Diary) -> None:
    guest = chance.choice(guests)
    sharing, fingerprint = services.sharing, guest.public_key.fingerprint
    kind = chance.choice(("admit", "admit", "revoke", "write"))
    if kind == "admit":
        share = await sharing.share(host, diary.id, fingerprint, chance.choice(list(ShareRole)))
        await sharing.accept(guest, share.id)
    elif kind == "revoke":
        await sharing.revoke(host, diary.id, fingerprint)
    else:
        await services.entries.create(host, diary.id, NewEntry(content="a memory"))


async def expected(storage: Storage, host: Caller, diaries: list[Diary]) -> set[RelationTuple]:
    tuples: set[RelationTuple] = set()
    async with storage.snapshot() as work:
        for diary in diaries:
            thing = Thing.diary(diary.id)
            tuples.add(RelationTuple(thing, Relation.OWNER, Thing.agent(host.agent_id)))
            for share in await work.shares.open_of(diary.id):
                if share.responded_at:
                    tuples.add(RelationTuple(thing, share.role.relation, Thing.agent(share.shared_with)))
            entries, _ = await work.entries.newest([diary.id], Filters(), Page(1000))
            tuples |= {RelationTuple(Thing.entry(entry.id), Link.PARENT, thing) for entry in entries}
    return tuples


async def test_two_servers_leave_exactly_the_relations_that_the_data_says() -> None:
    chance, calls, store = random.Random(3), Calls(), MemoryRelationStore()
    for call in ("write", "delete"):
        for around in (calls.before, calls.after):
            around(f"RelationStore.{call}", (_sometimes_failing(chance) for _ in itertools.count()))
    async with AsyncExitStack() as stack:
        conninfo = await stack.enter_async_context(a_database())
        flaky = interrupted("RelationStore", store, calls)
        servers = []
        for _ in range(2):
            storage = await stack.enter_async_context(PostgresStorage.open(conninfo, max_connections=6))
            servers.append(await stack.enter_async_context(services_over(storage, SystemClock(), relation_store=flaky)))
        host, *guests = [a_caller(agent=await joined(storage)) for _ in range(3)]
        diaries = [await servers[0].diaries.create(host, name="A diary") for _ in range(2)]

        async def live(services: Services) -> None:
            for _ in range(ACTS_OF_EACH):
                with suppress(Unavailable, ShareExists, ShareNotFound, InvitationAnswered, InvitationNotFound):
                    await act(services, chance, host, guests, chance.choice(diaries))

        await asyncio.gather(*(live(services) for services in servers * (ACTORS // 2)))
        for call in ("write", "delete"):
            for around in (calls.before, calls.after):
                around(f"RelationStore.{call}", [])
        delivery = RelationDelivery(storage=storage, store=store, clock=SystemClock())
        await delivery.reconcile()
        held = {each for namespace in Namespace for each in await store.list(TuplePattern(namespace=namespace))}
        assert held == await expected(storage, host, diaries)
        async with storage.snapshot() as work:
            assert await work.outbox.latest_per_partition(10) == []


def _sometimes_failing(chance: random.Random) -> Act:
    return failing(Unavailable()) if chance.random() < FAILING else _passing


async def _passing() -> None:
    await asyncio.sleep(0)
