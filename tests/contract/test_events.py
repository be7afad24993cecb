"""The ports `FeedEvents` and `WorkEvents`: how far the feed reaches, and that there is work, told with every commit."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Position
from moltnet.domain.indexing import ModelName, ModelReference
from moltnet.domain.transparency import Leaf
from moltnet.ports.feed import FeedEvents
from moltnet.ports.storage import Storage, Work, WorkEvents
from tests.support.builders import NOON, a_public_key, an_entry, an_index
from tests.support.stored import joined, opened, written

Commit = Callable[["Live"], Awaitable[None]]

# Long enough for any machine; only a test that fails waits for it.
TIMEOUT_S = 20.0
WRITERS, ENTRIES_EACH = 8, 25


@attrs.frozen
class Live:
    """A storage and what tells of it."""

    storage: Storage
    events: FeedEvents
    work: WorkEvents

    async def end(self) -> Position:
        async with self.storage.snapshot() as work:
            return await work.feed.end()

    async def beyond(self, position: Position) -> Position:
        return await asyncio.wait_for(self.events.beyond(position), TIMEOUT_S)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
async def live(request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    """A storage that holds nothing yet, and its events."""
    if request.param == "memory":
        storage = MemoryStorage()
        yield Live(storage, storage.events, storage.events)
        return
    from moltnet.adapters.postgres.notifications import PostgresNotifications  # noqa: PLC0415 - starts a server
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415
    from tests.support.postgres import a_database  # noqa: PLC0415

    async with (
        a_database() as conninfo,
        PostgresStorage.open(conninfo, max_connections=WRITERS + 1) as postgres,
        PostgresNotifications.open(conninfo) as events,
    ):
        yield Live(postgres, events, events)


@pytest.fixture
async def public(live: Live) -> Diary:
    """A public diary."""
    return await opened(live.storage, await joined(live.storage), Visibility.PUBLIC)


async def test_what_is_there_already_is_not_waited_for(live: Live, public: Diary) -> None:
    await written(live.storage, an_entry(diary=public.id))
    end = await live.end()
    assert await live.beyond(Position(0)) == end
    assert await live.beyond(Position(end - 1)) == end


async def test_a_commit_wakes_all_who_wait(live: Live, public: Diary) -> None:
    waiting = [asyncio.create_task(live.beyond(Position(0))) for _ in range(20)]
    await written(live.storage, an_entry(diary=public.id))
    assert await asyncio.gather(*waiting) == [await live.end()] * 20


async def test_what_was_announced_can_be_read(live: Live, public: Diary) -> None:
    at = Position(0)
    for _ in range(10):
        entry = an_entry(diary=public.id)
        writing = asyncio.create_task(written(live.storage, entry))
        until = await live.beyond(at)
        async with live.storage.snapshot() as work:
            stretch = await work.feed.between(at, until, 10)
        assert [item.entry for item in stretch.items] == [entry]
        at = stretch.end
        await writing


async def test_cancelling_one_disturbs_no_other(live: Live, public: Diary) -> None:
    first, second = (asyncio.create_task(live.beyond(Position(0))) for _ in range(2))
    await asyncio.wait({first, second}, timeout=0)
    first.cancel()
    await written(live.storage, an_entry(diary=public.id))
    assert await second == await live.end()


async def test_nothing_is_reported_before_the_commit_nor_of_what_is_undone_or_not_public(
    live: Live, public: Diary
) -> None:
    class Undone(Exception):
        pass

    waiting = asyncio.create_task(live.beyond(Position(0)))
    private = await opened(live.storage, await joined(live.storage))
    await written(live.storage, an_entry(diary=private.id))

    async def undone() -> None:
        async with live.storage.transaction() as work:
            await work.entries.add(an_entry(diary=public.id), an_index())
            raise Undone

    with pytest.raises(Undone):
        await undone()
    entry = an_entry(diary=public.id)
    async with live.storage.transaction() as work:
        await work.entries.add(entry, an_index())
        assert not waiting.done()
    until = await waiting
    async with live.storage.snapshot() as work:
        stretch = await work.feed.between(Position(0), until, 10)
    assert [item.entry for item in stretch.items] == [entry]


async def test_followers_see_each_entry_of_parallel_writers_once_and_in_one_order(live: Live, public: Diary) -> None:
    async def write(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(ENTRIES_EACH):
            # Dated now, stored later: the others overtake it.
            entry = an_entry(diary=public.id)
            async with live.storage.transaction() as work:
                await work.entries.add(entry, an_index())
                for _ in range(dice.randrange(4)):
                    await work.diaries.find(public.id)

    async def follow() -> list[Entry]:
        seen: list[Entry] = []
        at = Position(0)
        while len(seen) < WRITERS * ENTRIES_EACH:
            until = await live.beyond(at)
            async with live.storage.snapshot() as work:
                stretch = await work.feed.between(at, until, 7)
            seen += [item.entry for item in stretch.items]
            at = stretch.end
        return seen

    following = [asyncio.create_task(follow()) for _ in range(3)]
    await asyncio.gather(*map(write, range(WRITERS)))
    first, *others = await asyncio.gather(*following)
    assert len({entry.id for entry in first}) == WRITERS * ENTRIES_EACH
    assert all(other == first for other in others)


@attrs.define
class Waiting:
    """A task that waits for work of a kind; `TIMEOUT_S` would be too long, so that only an announcement ends it."""

    live: Live
    kind: Work

    async def over(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self.live.work.announced(self.kind, 10 * TIMEOUT_S)


async def _logged(live: Live) -> None:
    async with live.storage.transaction() as work:
        await work.transparency.add(Leaf.registered(a_public_key(), NOON))


async def _decided(live: Live) -> None:
    async with live.storage.autocommit() as work:
        await work.models.aim(ModelReference(ModelName("a model")))


@pytest.mark.parametrize(("kind", "commit"), [(Work.LOG, _logged), (Work.MODELS, _decided)])
async def test_work_is_announced_before_and_while_it_is_waited_for(live: Live, kind: Work, commit: Commit) -> None:
    await live.work.announced(kind, 0)
    waiting = Waiting(live, kind)
    await commit(live)
    await waiting.over()
    over = asyncio.create_task(waiting.over())
    await asyncio.wait({over}, timeout=0)
    await commit(live)
    await over


async def test_nobody_waits_longer_than_they_want(live: Live) -> None:
    await live.work.announced(Work.LOG, 0)
    async with asyncio.timeout(TIMEOUT_S):
        await live.work.announced(Work.LOG, 0.001)
