"""How many leaves the open log takes in a second, and what proofs of it cost.

`python -m bench.log [LEAVES]`. Each leaf is committed in a transaction of its own by one of eight writers, as acts do;
all are then put into the tree. The database is the embedded one, and commits wait for the disk.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from random import Random

from moltnet.adapters.builtin.keys import KeyEncryption
from moltnet.adapters.builtin.log_keys import StoredLogSigning
from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.migrate import migrate
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.merkle import is_consistent, is_included, leaf_hash
from moltnet.domain.services.log_check import LogVerifier
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.transparency import Leaf

WRITERS, PROOFS = 8, 500


async def main(folder: Path, number: int) -> None:
    """Prints rates and times."""
    with EmbeddedPostgres(folder) as postgres:
        address = postgres.start()
        await migrate(address)
        async with PostgresStorage.open(address, max_connections=WRITERS + 2) as storage:
            clock, signatures = SystemClock(), NaclSignatures()
            signing = StoredLogSigning(storage, clock, KeyEncryption(b"s" * 32), None)
            witnessing = Witnessing([], signatures, clock)
            log = TransparencyService(storage=storage, log_signing=signing, witnessing=witnessing)
            leaves = [Leaf.registered(NaclKeyPair.generate().public_key, clock.now()) for _ in range(number)]

            async def write(leaf: Leaf) -> None:
                async with storage.transaction() as work:
                    await work.transparency.add(leaf)

            committed = await _spread(leaves, write)
            started = time.perf_counter()
            while await log.extend():
                pass
            put = time.perf_counter() - started
            print(f"{number} leaves, {WRITERS} writers")
            print(f"committed each with an act   {number / committed:8.0f} a second")
            print(f"put into the tree, signed    {number / put:8.0f} a second")
            print(f"both, one after the other    {number / (committed + put):8.0f} a second")
            await _prove(log, LogVerifier(signatures))


async def _spread(leaves: list[Leaf], write: Callable[[Leaf], Awaitable[None]]) -> float:
    waiting = iter(leaves)

    async def writer() -> None:
        for leaf in waiting:
            await write(leaf)

    started = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return time.perf_counter() - started


async def _prove(log: TransparencyService, verifier: LogVerifier) -> None:
    head = verifier.accepted(await log.checkpoint(), await log.key()).checkpoint
    numbers = Random(1)  # the same indexes each time
    times = {"a proof that a leaf is in it": 0.0, "a proof that it grew": 0.0, "verifying both": 0.0}
    for _ in range(PROOFS):
        index, before = numbers.randrange(head.size), numbers.randrange(1, head.size)
        moments = [time.perf_counter()]
        included = await log.inclusion(index)
        moments.append(time.perf_counter())
        grown = await log.consistency(before)
        moments.append(time.perf_counter())
        is_right = is_included(leaf_hash(included.data), index, head.size, included.hashes, head.root)
        is_consistent(before, head.size, grown.hashes, head.root, head.root)
        moments.append(time.perf_counter())
        if not is_right:
            raise RuntimeError(index)
        for name, (start, end) in zip(times, pairwise(moments), strict=True):
            times[name] += end - start
    for name, seconds in times.items():
        print(f"{name:<29}{seconds / PROOFS * 1e3:8.3f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-bench-") as place:
        asyncio.run(main(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
