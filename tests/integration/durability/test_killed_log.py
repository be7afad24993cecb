"""A process that is killed at any step of the open log leaves it whole: every leaf once, in one tree."""

import asyncio
import os
import signal
import sys
from itertools import repeat

import pytest

from moltnet.adapters.builtin.keys import KeyEncryption
from moltnet.adapters.builtin.log_keys import StoredLogSigning
from moltnet.adapters.nacl import NaclSignatures
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.keys import KEY_BYTES, PublicKey
from moltnet.domain.merkle import Range, is_consistent, leaf_hash, root_of
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.transparency import Leaf
from moltnet.ports.storage import Storage
from tests.support.builders import NOON
from tests.support.interruptions import Calls, InterruptedStorage
from tests.support.postgres import a_database

pytestmark = pytest.mark.real

STEPS = ("pending", "hold", "tiles", "extend", "publish")
POINTS = [f"{moment} transparency.{step}" for step in STEPS for moment in ("before", "after")]
COMMITS = [f"{moment} commit of transparency.extend" for moment in ("before", "after")]


def a_log(storage: Storage) -> TransparencyService:
    clock = SystemClock()
    signing = StoredLogSigning(storage, clock, KeyEncryption(b"s" * 32), None)
    return TransparencyService(storage=storage, log_signing=signing, witnessing=Witnessing([], NaclSignatures(), clock))


async def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def extend_and_die(conninfo: str) -> None:
    """Forks for each point, a line each, a process that is killed there."""
    for point in map(str.strip, sys.stdin):
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_extended(conninfo, point))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        print(point, os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201  # read by the test


async def _extended(conninfo: str, point: str) -> None:
    calls = Calls()
    moment, _, call = point.partition(" ")
    {"before": calls.before, "after": calls.after}[moment](call, repeat(_die))
    async with PostgresStorage.open(conninfo, max_connections=2) as storage:
        async with storage.transaction() as work:
            await work.transparency.add(Leaf.registered(PublicKey(os.urandom(KEY_BYTES)), NOON))
        await a_log(InterruptedStorage(storage, calls)).extend()


async def test_a_process_that_is_killed_at_any_step_leaves_the_log_whole() -> None:
    async with a_database() as conninfo, PostgresStorage.open(conninfo, max_connections=4) as storage:
        log = a_log(storage)
        await log.extend()
        heads = [await log.checkpoint()]
        points = [*POINTS, *COMMITS]
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, conninfo, **pipes)
        assert process.stdin
        assert process.stdout
        for point in points:
            process.stdin.write(f"{point}\n".encode())
            ended = (await process.stdout.readline()).decode()
            assert ended == f"{point} {-signal.SIGKILL}\n"
            heads.append(await log.checkpoint())
        process.stdin.close()
        await process.wait()
        while await log.extend():
            pass
        heads.append(await log.checkpoint())
        async with storage.snapshot() as work:
            leaves = await work.transparency.leaves(Range(0, 1000))
            assert await work.transparency.pending(1) == []
        hashes = [leaf_hash(leaf) for leaf in leaves]
        assert len(set(leaves)) == len(leaves) == len(points)
        for head in heads:
            assert head.root == root_of(hashes[: head.size])
            grown = await log.consistency(head.size)
            assert is_consistent(head.size, len(hashes), grown.hashes, head.root, heads[-1].root)


if __name__ == "__main__":
    extend_and_die(sys.argv[1])
