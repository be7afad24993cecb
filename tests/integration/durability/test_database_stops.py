"""The database stops and starts at random moments; every registration and signature ends, and ends once.

The seed is printed: STOPS_SEED takes it again.
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
from tests.support.postgres import migrated
from tests.support.servers import servers

pytestmark = pytest.mark.real

SECONDS = [4, pytest.param(60, marks=pytest.mark.soak)]
SEED = int(os.environ.get("STOPS_SEED", random.SystemRandom().randrange(1_000_000)))
LONGEST_S = 2.0
SIGNATURES_PER_S, REGISTRATIONS_PER_S = 3, 1


@pytest.mark.parametrize("seconds", SECONDS)
async def test_whenever_the_database_stops_everything_ends_once(tmp_path: Path, seconds: int) -> None:
    print(f"STOPS_SEED={SEED}")  # noqa: T201 - shown when it fails
    signatures, registrations = seconds * SIGNATURES_PER_S, seconds * REGISTRATIONS_PER_S
    chance = random.Random(SEED)
    postgres = EmbeddedPostgres(migrated(tmp_path))
    # One thread for all its calls, as it wants it.
    with ThreadPoolExecutor(1) as alone:
        loop = asyncio.get_running_loop()
        database = await loop.run_in_executor(alone, postgres.start)
        try:
            async with servers() as started, started.serving(database) as server:
                crowd = await a_crowd(database, registrations, lambda: server.url)
                asking = asyncio.gather(
                    asyncio.gather(*(_later(chance, seconds, crowd.register, each) for each in range(registrations))),
                    asyncio.gather(*(_later(chance, seconds, crowd.sign, each) for each in range(signatures))),
                )
                await _stop_and_start(alone, postgres, chance, seconds)
                async with asyncio.timeout(ENDS_WITHIN_S):
                    registered, signed = await asking
                assert await settled(database, registered, signed) == []
                assert server.lives()
        finally:
            await loop.run_in_executor(alone, postgres.stop)


async def _later(chance: random.Random, seconds: int, act: Callable[[int], Awaitable[str]], number: int) -> str:
    await asyncio.sleep(chance.uniform(0, seconds))
    return await act(number)


async def _stop_and_start(
    alone: ThreadPoolExecutor, postgres: EmbeddedPostgres, chance: random.Random, seconds: int
) -> None:
    loop = asyncio.get_running_loop()
    over = loop.time() + seconds
    while loop.time() < over:
        await asyncio.sleep(chance.uniform(0, LONGEST_S))
        await loop.run_in_executor(alone, postgres.stop)
        await asyncio.sleep(chance.uniform(0, LONGEST_S))
        await loop.run_in_executor(alone, postgres.start)
