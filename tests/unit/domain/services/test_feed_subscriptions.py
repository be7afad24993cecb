"""Followers of the feed: what they share, and that a step that is cancelled or fails loses nothing."""

import asyncio

import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.feed import Position, Selection, Stretch
from moltnet.domain.services.feed import STRETCH, FeedSubscription, SharedReads
from tests.support.builders import an_entry
from tests.support.stored import joined, opened, written

START = Position(0)
EMPTY = Stretch(items=(), end=Position(1))


class Reads:
    """A read that ends when it is told to, and counts how often it began."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self._error = error

    async def read(self) -> Stretch:
        self.begun += 1
        await self.may_end.wait()
        if self._error:
            raise self._error
        return EMPTY


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
async def public(storage: MemoryStorage) -> Diary:
    return await opened(storage, await joined(storage), Visibility.PUBLIC)


def following(storage: MemoryStorage, selection: Selection | None = None) -> FeedSubscription:
    return FeedSubscription(
        storage=storage,
        events=storage.events,
        reads=SharedReads(),
        selection=selection or Selection(),
        position=START,
    )


async def test_those_who_want_the_same_at_once_share_one_read() -> None:
    shared, reads = SharedReads(), Reads()
    waiting = [asyncio.create_task(shared.get(START, Position(1), reads.read)) for _ in range(5)]
    other = asyncio.create_task(shared.get(START, Position(2), reads.read))
    await asyncio.wait({other, *waiting}, timeout=0)
    reads.may_end.set()
    assert await asyncio.gather(*waiting) == [EMPTY] * 5
    assert await other == EMPTY
    assert reads.begun == 2


async def test_nothing_is_cached_when_the_read_is_over() -> None:
    shared, reads = SharedReads(), Reads()
    reads.may_end.set()
    for _ in range(2):
        await shared.get(START, Position(1), reads.read)
    assert reads.begun == 2


async def test_any_caller_that_stops_waiting_takes_nothing_from_the_others() -> None:
    shared, reads = SharedReads(), Reads()
    first, second = (asyncio.create_task(shared.get(START, Position(1), reads.read)) for _ in range(2))
    await asyncio.wait({first, second}, timeout=0)
    first.cancel()
    reads.may_end.set()
    assert await second == EMPTY
    assert reads.begun == 1


async def test_a_failure_is_reported_to_all_and_tried_again_by_the_next() -> None:
    shared, failing = SharedReads(), Reads(StorageUnavailable())
    failing.may_end.set()
    waiting = [asyncio.create_task(shared.get(START, Position(1), failing.read)) for _ in range(2)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 2
    working = Reads()
    working.may_end.set()
    assert await shared.get(START, Position(1), working.read) == EMPTY


async def test_a_follower_receives_groups_of_what_there_is(storage: MemoryStorage, public: Diary) -> None:
    entries = [an_entry(diary=public.id) for _ in range(STRETCH + 1)]
    await written(storage, *entries)
    follower = following(storage)
    groups = [await anext(follower), await anext(follower)]
    assert [item.entry for group in groups for item in group] == entries
    assert [len(group) for group in groups] == [STRETCH, 1]


async def test_no_group_is_empty(storage: MemoryStorage, public: Diary) -> None:
    wanted = an_entry(diary=public.id, tags=("sea",))
    await written(storage, *(an_entry(diary=public.id) for _ in range(2 * STRETCH)))
    await written(storage, wanted)
    (item,) = await anext(following(storage, Selection(tag="sea")))
    assert item.entry == wanted


async def test_a_step_that_is_cancelled_at_any_point_loses_nothing(storage: MemoryStorage, public: Diary) -> None:
    entries = [an_entry(diary=public.id) for _ in range(3)]
    await written(storage, *entries)
    follower = following(storage)
    for turns in range(20):
        step = asyncio.ensure_future(anext(follower))
        for _ in range(turns):
            await asyncio.sleep(0)
        if step.done():
            assert [item.entry for item in step.result()] == entries
            break
        step.cancel()
        await asyncio.wait({step})
    else:
        pytest.fail("the step never ended")


async def test_a_step_that_failed_may_be_asked_for_again(storage: MemoryStorage, public: Diary) -> None:
    class OnceBroken:
        broken = True

        def autocommit(self) -> object:
            if self.broken:
                self.broken = False
                raise StorageUnavailable
            return storage.autocommit()

    entry = an_entry(diary=public.id)
    await written(storage, entry)
    follower = following(storage)
    follower._storage = OnceBroken()  # type: ignore[assignment]
    with pytest.raises(StorageUnavailable):
        await anext(follower)
    (item,) = await anext(follower)
    assert item.entry == entry
