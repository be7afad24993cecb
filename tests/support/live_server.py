"""`moltnet serve` as a process of its own: started, killed, stopped, and what is left of it."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from moltnet.entrypoints.settings import UNTHROTTLED
from tests.support import forked
from tests.support.forked import Forked
from tests.support.postgres import a_template, copy, migrated

READY = b"moltnet ready on "
START_WITHIN_S = 60.0
_SETTINGS = ("MOLTNET_", "ORY_", "DATABASE", "RATE_LIMIT_", "RECOVERY_", "CORS_", "PORT")


@attrs.frozen
class LiveServer:
    """A server that accepts requests."""

    process: Forked
    url: str

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Ends it as an operator would; answers its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    def session(self, token: str | None = None) -> aiohttp.ClientSession:
        """A client of it, with a token or without."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return aiohttp.ClientSession(self.url, headers=headers)


async def start(folder: Path, *options: str, **environment: str) -> LiveServer:
    """Starts a server on a data folder and waits until it accepts; whoever starts it ends it."""
    data = folder if "DATABASE_URL" in environment else migrated(folder)
    arguments = ("serve", "--port", "0", "--data", str(data), *options)
    process = await moltnet(*arguments, environment={**UNTHROTTLED, **environment}, errors=asyncio.subprocess.DEVNULL)
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
    assert line.startswith(READY), line
    return LiveServer(process, line.removeprefix(READY).decode().strip())


@contextlib.asynccontextmanager
async def serving(folder: Path, *options: str, **environment: str) -> AsyncIterator[LiveServer]:
    """A server for the length of the block."""
    server = await start(folder, *options, **environment)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            await server.stop()


async def moltnet(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    errors: int = asyncio.subprocess.PIPE,
    folder: Path | None = None,
) -> Forked:
    """The command line as a process, away from the settings of whoever runs the tests; `folder` is where it works.

    Without an environment of its own, what it writes to standard error goes nowhere.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    errors = asyncio.subprocess.DEVNULL if environment is None else errors
    return await forked.start(arguments, {**inherited, **(environment or {})}, folder, errors)


async def genesis(folder: Path, count: int = 1) -> list[dict[str, str]]:
    """Founders on a data folder, as `moltnet genesis` prints them; a new folder is a copy of one that has them."""
    if (folder / "postgres").exists():
        return await _genesis(folder, count)
    if count not in _founded:
        template = a_template()
        _founded[count] = template, await _genesis(template, count)
    template, founders = _founded[count]
    copy(template, folder)
    return founders


_founded: dict[int, tuple[Path, list[dict[str, str]]]] = {}


async def _genesis(folder: Path, count: int) -> list[dict[str, str]]:
    process = await moltnet("genesis", "--count", str(count), "--data", str(migrated(folder)))
    printed, _ = await process.communicate()
    assert process.returncode == 0
    founders: list[dict[str, str]] = json.loads(printed)
    return founders


async def asked(session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """An answer's status and members."""
    async with session.request(method, path, **options) as answer:
        return answer.status, await answer.json(content_type=None)


async def first_diary(session: aiohttp.ClientSession) -> str:
    """The id of the agent's first diary."""
    _, answer = await asked(session, "GET", "/diaries")
    return str(answer["items"][0]["id"])


async def all_contents(session: aiohttp.ClientSession, diary: str) -> list[str]:
    """Every entry's text, page by page."""
    contents: list[str] = []
    while True:
        path = f"/diaries/{diary}/entries?limit=100&offset={len(contents)}"
        _, page = await asked(session, "GET", path)
        contents += [entry["content"] for entry in page["items"]]
        if len(contents) >= page["total"]:
            return contents


def processes_of(folder: Path) -> list[int]:
    """The processes that work in a data folder: servers, database, keeper."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_of(entry, folder)]


async def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Waits for a condition of the machine that nobody announces."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        await asyncio.sleep(0.02)


def _is_of(process: Path, folder: Path) -> bool:
    try:
        if str(folder).encode() in (process / "cmdline").read_bytes():
            return True
        return str(folder) in str((process / "cwd").readlink())
    except OSError:  # it has ended meanwhile
        return False
