"""kill -9 of the server while it is written to: what was acknowledged is there afterwards, once."""

import asyncio
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.support.live_server import all_contents, first_diary, genesis, processes_of, serving, start, until

pytestmark = pytest.mark.real

KILLS = [2, pytest.param(10, marks=pytest.mark.soak)]
WRITERS, BEFORE_THE_KILL = 16, 60


@pytest.mark.parametrize("kills", KILLS)
async def test_acknowledged_entries_outlive_every_kill(tmp_path: Path, kills: int) -> None:
    (founder,) = await genesis(tmp_path)
    acknowledged: list[str] = []
    for number in range(kills):
        await _write_until_killed(tmp_path, founder["accessToken"], number, acknowledged)
    async with serving(tmp_path) as server, server.session(founder["accessToken"]) as session:
        stored = Counter(await all_contents(session, await first_diary(session)))
    assert set(acknowledged) <= set(stored)
    assert not [content for content, times in stored.items() if times > 1]
    assert len(acknowledged) >= kills * BEFORE_THE_KILL
    await until(lambda: not processes_of(tmp_path))


async def _write_until_killed(folder: Path, token: str, number: int, acknowledged: list[str]) -> None:
    server = await start(folder)
    enough = asyncio.Event()
    before = len(acknowledged)

    async def writer(name: int) -> None:
        async with server.session(token) as session:
            diary = await first_diary(session)
            for count in range(10_000):
                content = f"kill {number}, writer {name}, entry {count}"
                async with session.post(f"/diaries/{diary}/entries", json={"content": content}) as answer:
                    assert answer.status == 201
                acknowledged.append(content)
                if len(acknowledged) - before >= BEFORE_THE_KILL:
                    enough.set()

    writers = [asyncio.create_task(writer(name)) for name in range(WRITERS)]
    await enough.wait()
    await server.kill()
    outcomes = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes), outcomes
