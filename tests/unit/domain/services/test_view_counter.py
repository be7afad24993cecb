"""Counting looks at entries beside the requests that look."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from moltnet.domain.agents import Author
from moltnet.domain.entries import Entry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import EntryId
from moltnet.domain.services.statistics import ViewCounter
from tests.support.builders import NOON, an_entry, an_id
from tests.support.interruptions import failing
from tests.support.network import Member, Network
from tests.support.stored import written


class HeldJobs:
    """The port `Background`, whose jobs wait until they are told to run."""

    def __init__(self) -> None:
        self.waiting: list[Coroutine[Any, Any, None]] = []

    def run(self, job: Coroutine[Any, Any, None]) -> None:
        """Keeps a job."""
        self.waiting.append(job)

    async def finish(self) -> None:
        """Runs every job that waits."""
        jobs, self.waiting = self.waiting, []
        for job in jobs:
            await job


@pytest.fixture
def jobs() -> HeldJobs:
    return HeldJobs()


@pytest.fixture
def view_counter(network: Network, jobs: HeldJobs) -> ViewCounter:
    return ViewCounter(storage=network.storage, background=jobs, clock=network.clock)


@pytest.fixture
async def entries(network: Network, ada: Member) -> list[Entry]:
    """Two entries that nobody has looked at."""
    diary = await network.diary(ada)
    entries = [an_entry(diary=diary.id, author=Author.of(ada.caller)) for _ in range(2)]
    await written(network.storage, *entries)
    return entries


async def counted(network: Network, entries: list[Entry]) -> list[int]:
    kept = [await network.stored(entry) for entry in entries]
    return [entry.access_count for entry in kept if entry]


async def test_nobody_waits_for_the_count(
    network: Network, view_counter: ViewCounter, jobs: HeldJobs, entries: list[Entry]
) -> None:
    view_counter.record([entries[0].id])
    assert await counted(network, entries) == [0, 0]
    await jobs.finish()
    assert await counted(network, entries) == [1, 0]
    seen = await network.stored(entries[0])
    assert seen is not None
    assert seen.last_accessed_at == NOON


async def test_looks_that_gather_are_written_together(
    network: Network, view_counter: ViewCounter, jobs: HeldJobs, entries: list[Entry]
) -> None:
    first, second = (entry.id for entry in entries)
    for looked_at in ([first], [first, second], [second, second, EntryId(an_id())]):
        view_counter.record(looked_at)
    assert len(jobs.waiting) == 1
    await jobs.finish()
    assert await counted(network, entries) == [2, 3]
    assert network.calls.log.count("entries.record_views") == 1


async def test_looks_that_come_while_others_are_written_are_written_next(
    network: Network, view_counter: ViewCounter, jobs: HeldJobs, entries: list[Entry]
) -> None:
    async def more_looks() -> None:
        view_counter.record([entries[0].id, entries[1].id])

    network.calls.before("entries.record_views", [more_looks])
    view_counter.record([entries[0].id])
    await jobs.finish()
    assert not jobs.waiting
    assert await counted(network, entries) == [2, 1]
    assert network.calls.log.count("entries.record_views") == 2


async def test_no_look_is_no_work(network: Network, view_counter: ViewCounter, jobs: HeldJobs) -> None:
    view_counter.record([])
    assert not jobs.waiting
    assert "entries.record_views" not in network.calls.log


async def test_a_count_that_cannot_be_written_is_lost_and_the_next_is_not(
    network: Network, view_counter: ViewCounter, jobs: HeldJobs, entries: list[Entry]
) -> None:
    network.calls.before("entries.record_views", [failing(StorageUnavailable())])
    view_counter.record([entries[0].id])
    with pytest.raises(StorageUnavailable):
        await jobs.finish()
    view_counter.record([entries[1].id])
    await jobs.finish()
    assert await counted(network, entries) == [0, 1]


async def test_many_readers_at_once_are_all_counted(network: Network, ada: Member, entries: list[Entry]) -> None:
    looks = [network.services.entries.get(ada.caller, entry.diary_id, entry.id) for entry in entries for _ in range(20)]
    await asyncio.gather(*looks)
    assert await counted(network, entries) == [20, 20]
    statements = Counter(network.calls.log)
    assert statements["entries.record_views"] < statements["entries.find"]
