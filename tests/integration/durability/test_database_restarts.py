"""The embedded database ends under a running server: it is started again, and nothing acknowledged is lost."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import attrs
import pytest

from moltnet.entrypoints.settings import UNTHROTTLED
from tests.support.live_server import (
    START_WITHIN_S,
    LiveServer,
    all_contents,
    asked,
    first_diary,
    genesis,
    moltnet,
    until,
)

pytestmark = pytest.mark.real

# Hang guards, far above what a restart takes.
BACK_WITHIN_S, NOTICED_WITHIN_S = 60.0, 20.0
UNAVAILABLE = 503
OF_THE_DATABASE = ("WARNING dbos", "WARNING psycopg", "WARNING moltnet.entrypoints.rest.problems")


@attrs.frozen
class Logged:
    """A server whose log is kept in a file, and an agent of its network."""

    server: LiveServer
    log: Path
    data: Path
    session: aiohttp.ClientSession
    diary: str

    async def write(self, content: str) -> int:
        path = f"/diaries/{self.diary}/entries"
        return (await asked(self.session, "POST", path, json={"content": content}))[0]

    async def readiness(self) -> tuple[int, str]:
        status, answer = await asked(self.session, "GET", "/ready")
        return status, answer.get("reason", "")

    async def until_ready(self) -> None:
        await self._until_status(200, BACK_WITHIN_S)

    async def until_not_ready(self) -> str:
        return await self._until_status(UNAVAILABLE, NOTICED_WITHIN_S)

    async def _until_status(self, wanted: int, within_s: float) -> str:
        async with asyncio.timeout(within_s):
            while True:
                status, reason = await self.readiness()
                if status == wanted:
                    return reason
                await asyncio.sleep(0.02)

    def postmaster(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().split("\n")[0])

    def keeper(self) -> int:
        return int(Path(f"/proc/{self.postmaster()}/stat").read_text().rpartition(")")[2].split()[1])


@asynccontextmanager
async def a_server(folder: Path, *options: str, log: Path | None = None) -> AsyncIterator[Logged]:
    """A server on `folder`/data, which is killed at the end if it still lives."""
    data, log = folder / "data", log or folder / "log"
    (founder,) = await genesis(data)
    with log.open("wb") as errors:
        process = await moltnet(
            *("serve", "--port", "0", "--data", str(data), *options), environment=UNTHROTTLED, errors=errors.fileno()
        )
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
    server = LiveServer(process, line.decode().split()[-1])
    try:
        async with server.session(founder["accessToken"]) as session:
            yield Logged(server, log, data, session, await first_diary(session))
    finally:
        if process.returncode is None:
            await server.kill()


async def _write_on(server: Logged, name: str, acknowledged: list[str], stop: asyncio.Event) -> None:
    for number in range(10_000):
        if stop.is_set():
            return
        content = f"{name} {number}"
        if await server.write(content) == 201:
            acknowledged.append(content)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("victim", [Logged.postmaster, Logged.keeper])
async def test_killed_database_is_back_with_everything_acknowledged(
    tmp_path: Path, victim: Callable[[Logged], int]
) -> None:
    async with a_server(tmp_path) as server:
        acknowledged: list[str] = []
        stop = asyncio.Event()
        writers = [asyncio.create_task(_write_on(server, f"writer {n}", acknowledged, stop)) for n in range(4)]
        await _until_more(acknowledged)
        os.kill(victim(server), signal.SIGKILL)
        assert await server.until_not_ready()
        await server.until_ready()
        await _until_more(acknowledged)
        stop.set()
        await asyncio.gather(*writers)
        kept = Counter(await all_contents(server.session, server.diary))
        assert set(acknowledged) <= set(kept)
        assert max(kept.values()) == 1
        assert (await asked(server.session, "GET", "/health"))[0] == 200
        assert await server.server.stop() == 0


async def test_workflows_and_the_feed_are_back_after_the_database(tmp_path: Path) -> None:
    async with a_server(tmp_path) as server:
        os.kill(server.postmaster(), signal.SIGKILL)
        await server.until_not_ready()
        await server.until_ready()
        async with server.session.get("/public/feed/stream") as stream:
            request = await asked(server.session, "POST", "/crypto/signing-requests", json={"message": "after"})
            assert request[0] == 201
            await asked(server.session, "PATCH", f"/diaries/{server.diary}", json={"visibility": "public"})
            assert await server.write("said aloud") == 201
            async with asyncio.timeout(BACK_WITHIN_S):
                async for line in stream.content:
                    if b"said aloud" in line:
                        break


async def test_one_of_several_workers_starts_the_database_for_all(tmp_path: Path) -> None:
    async with a_server(tmp_path, "--workers", "2") as server:
        for _ in range(3):
            killed = server.postmaster()
            os.kill(killed, signal.SIGKILL)
            await until(partial(_another, server, killed), BACK_WITHIN_S)
        await server.until_ready()
        assert [await server.write(f"{n}") for n in range(8)] == [201] * 8


async def test_log_of_an_outage_is_short(tmp_path: Path) -> None:
    async with a_server(tmp_path) as server:
        before = server.log.stat().st_size
        # It does not start again with a setting that it does not know.
        with (server.data / "postgres" / "postgresql.conf").open("a") as settings:
            settings.write("no_such_setting = 1\n")
        os.kill(server.postmaster(), signal.SIGKILL)
        assert await server.until_not_ready()
        assert {*await asyncio.gather(*(server.write("lost") for _ in range(8)))} == {502}
        told = server.log.read_text()[before:].splitlines()
        seconds = Counter(line[:19] for line in told if line[24:].startswith(OF_THE_DATABASE))
        assert max(seconds.values()) <= 2  # the end of one second, and the beginning of the next
        assert not any("Traceback" in line for line in told)
        assert any("The embedded database cannot be started" in line for line in told)


async def test_server_whose_database_was_removed_ends_and_says_so(tmp_path: Path) -> None:
    async with a_server(tmp_path) as server:
        postmaster = server.postmaster()
        (server.data / "postgres").rename(tmp_path / "elsewhere")
        os.kill(postmaster, signal.SIGKILL)
        async with asyncio.timeout(BACK_WITHIN_S):
            assert await server.server.process.wait() == 2
        assert "has been removed from its data folder" in server.log.read_text()
        assert not (server.data / "postgres").exists()


def _another(server: Logged, killed: int) -> bool:
    try:
        return server.postmaster() != killed
    except (OSError, ValueError):
        return False


async def _until_more(acknowledged: list[str]) -> None:
    wanted = len(acknowledged) + 20
    await until(lambda: len(acknowledged) >= wanted, BACK_WITHIN_S)
