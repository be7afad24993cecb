"""Several processes on one data folder."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.live_server import READY, all_contents, first_diary, genesis, processes_of, serving, until
from tests.support.postgres import created
from tests.support.writer import contents_of

pytestmark = pytest.mark.real

WRITERS, WRITES = 8, 60


async def test_eight_writing_processes_lose_nothing_over_two_servers_of_one_folder(tmp_path: Path) -> None:
    (founder,) = await genesis(tmp_path)
    token = founder["accessToken"]
    async with serving(tmp_path, "--workers", "4") as many, serving(tmp_path) as one:
        urls = (many.url, one.url) * (WRITERS // 2)
        ended = await asyncio.gather(*(_writer(url, token, f"writer {n}") for n, url in enumerate(urls)))
        async with one.session(token) as session:
            stored = Counter(await all_contents(session, await first_diary(session)))
        assert await many.stop() == 0
        assert await one.stop() == 0
    assert ended == [0] * WRITERS
    assert stored == Counter(content for n in range(WRITERS) for content in contents_of(f"writer {n}", WRITES))
    await until(lambda: not processes_of(tmp_path))


async def test_a_killed_supervisor_leaves_no_worker_and_no_database_behind(tmp_path: Path) -> None:
    # A process of its own, as operators start it, and workers that it starts in the same way.
    command = (sys.executable, "-m", "moltnet", "serve", "--port", "0", "--workers", "2", "--data", created(tmp_path))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    assert (await process.stdout.readline()).startswith(READY)
    process.kill()
    await process.wait()
    await until(lambda: not processes_of(tmp_path))


async def _writer(url: str, token: str, name: str) -> int:
    command = (sys.executable, "-m", "tests.support.writer", url, token, name, str(WRITES))
    return await (await asyncio.create_subprocess_exec(*command)).wait()
