"""A machine that fails under eight writers: all that was acknowledged is there afterwards, once, and it ends in time.

It prints how long the network was away after each fault. The short forms are `test_kill.py`, `test_disk_full.py`,
`test_database_restarts.py`, `test_database_stops.py` and `test_ending.py`.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.durability.test_database_restarts import Logged
from tests.integration.durability.test_disk_full import a_full_disk, need_new_segments
from tests.support.chaos import BACK_WITHIN_S, FaultyNetwork, a_world
from tests.support.external import an_external_database
from tests.support.live_server import processes_of, until

pytestmark = [pytest.mark.real, pytest.mark.soak]

STOPS_S = (1, 20, 90, 180)
"""For how long the database elsewhere is away, in turn."""
ROUNDS = 2
SIGTERMS = 3
"""During how many of the faults of one kind it is told to end, too."""
PADDING = 2000  # characters of an entry, so that a full disk is met soon


def _kill_database(world: FaultyNetwork, process: int) -> Callable[[], bool]:
    """Kills the server or its keeper; answers whether another server is there."""
    killed = world.postmaster()
    os.kill(process, signal.SIGKILL)
    return lambda: world.postmaster() not in {None, killed}


def _kill_postmaster(world: FaultyNetwork) -> Callable[[], bool]:
    return _kill_database(world, world.postmaster() or 0)


def _kill_keeper(world: FaultyNetwork) -> Callable[[], bool]:
    return _kill_database(world, world.keeper())


def _kill_worker(world: FaultyNetwork) -> Callable[[], bool]:
    before = set(world.workers())
    os.kill(min(before), signal.SIGKILL)
    return lambda: len(set(world.workers()) - before) > 0


async def _meet_full_table(world: FaultyNetwork, _: str) -> None:
    refused = world.refused[507]
    await until(lambda: world.refused[507] > refused, BACK_WITHIN_S)


async def _meet_full_log(_: FaultyNetwork, url: str) -> None:
    await asyncio.to_thread(need_new_segments, url)


FULL = {"disk full at a table": _meet_full_table, "disk full at a WAL segment": _meet_full_log}
KILLS = {"postmaster killed": _kill_postmaster, "keeper killed": _kill_keeper, "worker killed": _kill_worker}


async def test_killed_database_keeper_and_workers_lose_nothing(tmp_path: Path) -> None:
    async with a_world("embedded, two workers", tmp_path, "--workers", "2") as world:
        for _ in range(ROUNDS):
            for fault, kill in KILLS.items():
                replaced = kill(world)
                await world.first_answer(fault, replaced)
            for during, kill in list(KILLS.items())[:SIGTERMS]:
                kill(world)
                await world.end(during)
                await until(lambda: not processes_of(world.data), BACK_WITHIN_S)
                await world.start()
                await world.first_answer(f"started again after SIGTERM, {during}")


async def test_database_elsewhere_that_is_stopped_loses_nothing(tmp_path: Path) -> None:
    async with (
        an_external_database(tmp_path / "elsewhere") as database,
        a_world("external", tmp_path, **database.settings) as world,
    ):
        for _ in range(ROUNDS):
            for seconds in STOPS_S:
                await database.stop()
                await asyncio.sleep(seconds)
                await database.start()
                await world.first_answer(f"stopped for {seconds} s")
            for seconds in STOPS_S[-SIGTERMS:]:
                await database.stop()
                await asyncio.sleep(seconds)
                await world.end(f"stopped for {seconds} s")
                await database.start()
                await world.start()
                await world.first_answer(f"started again after SIGTERM, stopped for {seconds} s")


async def test_full_disk_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    async with a_world("embedded, small disk", small_disk, log=tmp_path / "log", padding=PADDING) as world:
        for _ in range(ROUNDS):
            for fault, meet in FULL.items():
                async with _full(world, small_disk) as url:
                    await meet(world, url)
                await world.first_answer(fault)
            for during, meet in list(FULL.items())[-SIGTERMS:]:
                async with _full(world, small_disk) as url:
                    await meet(world, url)
                    await world.end(during)
                await world.start()
                await world.first_answer(f"started again after SIGTERM, {during}")


@asynccontextmanager
async def _full(world: FaultyNetwork, disk: Path) -> AsyncIterator[str]:
    async with world.session() as session:
        server = Logged(world.live, world.log, world.data, session, world.diary)
        async with a_full_disk(server, disk) as url:
            yield url
