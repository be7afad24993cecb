"""Computations in threads of their own."""

import asyncio
from collections.abc import Iterator
from threading import Event, current_thread, main_thread

import pytest

from moltnet.adapters.system import SMALL, ThreadWorkers

LARGE = SMALL + 1


@pytest.fixture
def workers() -> Iterator[ThreadWorkers]:
    workers = ThreadWorkers(threads=1)
    yield workers
    workers.close()


def is_beside() -> bool:
    return current_thread() is not main_thread()


async def test_only_what_is_large_leaves_the_event_loop(workers: ThreadWorkers):
    assert not await workers.run(is_beside, SMALL)
    assert await workers.run(is_beside, LARGE)


async def test_the_loop_goes_on_meanwhile(workers: ThreadWorkers):
    go_on = Event()
    waiting = asyncio.create_task(workers.run(lambda: go_on.wait(30), LARGE))
    await asyncio.sleep(0)
    go_on.set()
    assert await waiting


async def test_what_nobody_waits_for_any_more_is_not_run(workers: ThreadWorkers):
    go_on, ran = Event(), list[str]()
    first = asyncio.create_task(workers.run(lambda: go_on.wait(30), LARGE))
    dropped = asyncio.create_task(workers.run(lambda: ran.append("dropped"), LARGE))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.wait([dropped])
    go_on.set()
    await first
    await workers.run(lambda: ran.append("next"), LARGE)
    assert ran == ["next"]


async def test_nothing_large_is_taken_once_it_is_closed():
    workers = ThreadWorkers()
    workers.close()
    with pytest.raises(RuntimeError):
        await workers.run(is_beside, LARGE)
