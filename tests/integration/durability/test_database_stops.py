"""The database stops and starts at random moments; every registration and signature ends, and ends once.

The seed is printed: STOPS_SEED takes it again. STOPS_SECONDS is for how long, 60 for the long run.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.durability.crowd import ENDS_WITHIN_S, a_crowd, settled
from tests.support.servers import servers
from tests.support.stage import prepare

pytestmark = pytest.mark.real

SECONDS = float(os.environ.get("STOPS_SECONDS", "12"))
SEED = int(os.environ.get("STOPS_SEED", random.SystemRandom().randrange(1_000_000)))
LONGEST_S = 2.0
# 200 signatures and 50 registrations in a minute.
SIGNATURES, REGISTRATIONS = round(SECONDS / 60 * 200), round(SECONDS / 60 * 50)


async def test_whenever_the_database_stops_everything_ends_once(tmp_path: Path) -> None:
    print(f"STOPS_SEED={SEED} STOPS_SECONDS={SECONDS:.0f}")  # noqa: T201 - shown when it fails
    chance = random.Random(SEED)
    postgres = EmbeddedPostgres(tmp_path)
    # One thread for all its calls, as it wants it.
    with ThreadPoolExecutor(1) as alone:
        loop = asyncio.get_running_loop()
        database = await loop.run_in_executor(alone, postgres.start)
        try:
            await prepare(database)
            async with servers() as started, started.serving(database) as server:
                crowd = await a_crowd(database, REGISTRATIONS, lambda: server.url)
                asking = asyncio.gather(
                    asyncio.gather(*(_later(chance, crowd.register, each) for each in range(REGISTRATIONS))),
                    asyncio.gather(*(_later(chance, crowd.sign, each) for each in range(SIGNATURES))),
                )
                await _stop_and_start(alone, postgres, chance)
                async with asyncio.timeout(ENDS_WITHIN_S):
                    registered, signed = await asking
                assert await settled(database, registered, signed) == []
                assert server.lives()
        finally:
            await loop.run_in_executor(alone, postgres.stop)


async def _later(chance: random.Random, act: Callable[[int], Awaitable[str]], number: int) -> str:
    await asyncio.sleep(chance.uniform(0, SECONDS))
    return await act(number)


async def _stop_and_start(alone: ThreadPoolExecutor, postgres: EmbeddedPostgres, chance: random.Random) -> None:
    loop = asyncio.get_running_loop()
    over = loop.time() + SECONDS
    while loop.time() < over:
        await asyncio.sleep(chance.uniform(0, LONGEST_S))
        await loop.run_in_executor(alone, postgres.stop)
        await asyncio.sleep(chance.uniform(0, LONGEST_S))
        await loop.run_in_executor(alone, postgres.start)
