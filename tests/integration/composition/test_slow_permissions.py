"""Permissions elsewhere that take their time: nobody else waits for a connection because of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

import attrs
import pytest

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import EntryEdit, NewEntry
from moltnet.domain.feed import Selection
from moltnet.domain.ids import AgentId
from moltnet.domain.permissions import RelationTuple, Right, Thing, TuplePattern
from moltnet.domain.search import Filters, Search
from moltnet.domain.services import Services
from tests.support.builders import a_caller
from tests.support.postgres import a_database
from tests.support.stored import joined
from tests.support.usecases import services_over

pytestmark = pytest.mark.real

CONNECTIONS, AT_ONCE = 2, 3
HANG_GUARD_S = 60
NEW = NewEntry(content="a memory")


class SlowStore(MemoryRelationStore):
    """Answers no question until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.asked = asyncio.Event(), asyncio.Condition()
        self.go.set()
        self.waiting = 0

    async def permitted(self, thing: Thing, rights: Collection[Right], agent: AgentId) -> frozenset[Right]:
        """The rights, later."""
        await self._wait()
        return await super().permitted(thing, rights, agent)

    async def list(self, pattern: TuplePattern) -> list[RelationTuple]:
        """The tuples, later."""
        await self._wait()
        return await super().list(pattern)

    async def asked_by(self, number: int) -> None:
        """Waits until so many wait for an answer."""
        async with self.asked:
            await self.asked.wait_for(lambda: self.waiting >= number)

    async def _wait(self) -> None:
        async with self.asked:
            self.waiting += 1
            self.asked.notify_all()
        await self.go.wait()


@attrs.frozen
class SlowScene:
    """An agent with two diaries, in a network of few connections."""

    services: Services
    store: SlowStore
    caller: Caller
    diary: Diary
    other: Diary


@pytest.fixture
async def scene() -> AsyncIterator[SlowScene]:
    store = SlowStore()
    async with (
        a_database() as conninfo,
        PostgresStorage.open(conninfo, max_connections=CONNECTIONS, wait_s=HANG_GUARD_S / 4) as storage,
        services_over(storage, SystemClock(), relation_store=store) as services,
    ):
        caller = a_caller(agent=await joined(storage))
        diary, other = [await services.diaries.create(caller, name=name) for name in ("one", "other")]
        yield SlowScene(services, store, caller, diary, other)


async def test_slow_permissions_keep_no_connection(scene: SlowScene) -> None:
    services, caller, diary = scene.services, scene.caller, scene.diary
    entry = await services.entries.create(caller, diary.id, NEW)
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: services.diaries.get(caller, diary.id),
        lambda: services.diaries.update(caller, diary.id, DiaryEdit(name="renamed")),
        lambda: services.diaries.delete(caller, scene.other.id),
        lambda: services.entries.get(caller, diary.id, entry.id),
        lambda: services.entries.list(caller, diary.id, Filters(), Page(5)),
        lambda: services.entries.create(caller, diary.id, NEW),
        lambda: services.entries.update(caller, diary.id, entry.id, EntryEdit(title="titled")),
        lambda: services.search.search(caller, Search(query="memory")),
        lambda: services.search.search(caller, Search(diary_id=diary.id)),
        lambda: services.search.reflect(caller, diary.id, Reflection()),
    ]
    scene.store.waiting = 0
    scene.store.go.clear()
    async with asyncio.timeout(HANG_GUARD_S):
        slow = [asyncio.ensure_future(act()) for act in acts]
        await scene.store.asked_by(len(acts))
        # All of them wait, and what needs no permission still finds a connection: more than once, and at once.
        pages = await asyncio.gather(*(services.feed.page(None, Selection(), 5) for _ in range(AT_ONCE)))
        assert [page.items for page in pages] == [()] * AT_ONCE
        await services.diaries.mine(caller)
        await services.diaries.create(caller, name="third")
        scene.store.go.set()
        await asyncio.gather(*slow)
