"""A network under eight writers whose machine fails: what was acknowledged, and how long it was away or took to end."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import attrs
from aiohttp.test_utils import unused_port

from moltnet.entrypoints.settings import UNTHROTTLED
from tests.support.commands import run
from tests.support.live_server import (
    START_WITHIN_S,
    LiveServer,
    asked,
    first_diary,
    moltnet,
    processes_of,
    until,
)

WRITER, WRITERS = "writer", 8
# Hang guards, above what it takes: ten seconds to end are promised, on a machine that has nothing else to do.
ENDS_WITHIN_S, BACK_WITHIN_S, ASKED_WITHIN_S = 15.0, 90.0, 15.0
AGAIN_AFTER_S = 0.1
MORE = 24
UNKNOWN = 0
# What a writer may be told beside 201: the database or its room is away, or its first try is not over yet.
FAILING = frozenset({UNKNOWN, 409, 502, 503, 507})


@attrs.define(kw_only=True)
class FaultyNetwork:
    """One network: its process, its writers, and what they know."""

    name: str
    data: Path
    log: Path
    options: tuple[str, ...]
    environment: Mapping[str, str]
    token: str
    port: int = attrs.field(factory=unused_port)
    acknowledged: list[str] = attrs.field(factory=list)
    refused: Counter[int] = attrs.field(factory=Counter)
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)
    server: LiveServer | None = None
    diary: str = ""
    padding: int = 0

    @property
    def live(self) -> LiveServer:
        """The process that serves."""
        assert self.server
        return self.server

    def session(self) -> aiohttp.ClientSession:
        """A client of whatever process listens on the network's port."""
        headers = {"Authorization": f"Bearer {self.token}"}
        limit = aiohttp.ClientTimeout(total=ASKED_WITHIN_S)
        return aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", headers=headers, timeout=limit)

    async def start(self) -> None:
        """Starts a process and waits until it accepts."""
        with self.log.open("ab") as errors:
            words = ("serve", "--port", str(self.port), "--data", str(self.data), *self.options)
            process = await moltnet(*words, environment=self.environment, errors=errors.fileno())
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
        assert line, self.log.read_text(encoding="utf-8")[-2000:]
        self.server = LiveServer(process, f"http://127.0.0.1:{self.port}")

    async def first_answer(self, fault: str, replaced: Callable[[], bool] = lambda: True) -> float:
        """Tells the seconds until a read of the database is answered, and waits for writes that go on.

        What was killed answers for a moment yet: an answer counts once it is `replaced`.
        """
        clock = asyncio.get_running_loop().time
        begun = clock()
        await until(replaced, BACK_WITHIN_S)
        async with self.session() as session, asyncio.timeout(BACK_WITHIN_S):
            while await _status(session, "GET", f"/diaries/{self.diary}/entries?limit=1") != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # nobody tells when it is back
        took = clock() - begun
        await self.more_writes()
        self.tell(f"{fault}: the first 200 after {took:.1f} s")
        return took

    async def more_writes(self) -> None:
        """Waits until some more writes were acknowledged."""
        wanted = len(self.acknowledged) + MORE
        await until(lambda: len(self.acknowledged) >= wanted, BACK_WITHIN_S)

    async def end(self, during: str) -> float:
        """SIGTERM: fails unless the process ends in order and in time; answers after how long."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        async with asyncio.timeout(ENDS_WITHIN_S):
            assert await self.live.stop() == 0
        took = clock() - begun
        self.tell(f"SIGTERM, {during}: ended after {took:.1f} s")
        return took

    def workers(self) -> list[int]:
        """The processes that serve for the one that watches."""
        return [process for process in processes_of(self.data) if b"\0worker\0" in _words(process)]

    def postmaster(self) -> int | None:
        """The embedded server's process; None while there is none."""
        try:
            return int((self.data / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def keeper(self) -> int:
        """The process that starts and stops the embedded server."""
        return int(Path(f"/proc/{self.postmaster()}/stat").read_text().rpartition(")")[2].split()[1])

    async def check(self) -> None:
        """Fails unless everything acknowledged is there, and nothing twice."""
        stored = Counter((await self._entries()).values())
        lost = set(self.acknowledged) - set(stored)
        assert not lost, f"{len(lost)} lost, as {sorted(lost)[:3]}"
        twice = [content for content, times in stored.items() if times > 1 and content.startswith(WRITER)]
        assert not twice, f"{len(twice)} are there twice, as {twice[:3]}"
        self.tell(f"{len(self.acknowledged)} writes acknowledged, all there, none twice; refused: {dict(self.refused)}")

    async def _entries(self) -> dict[str, str]:
        """Contents by id: a write whose writer was not answered may still arrive, and shift the pages."""
        entries: dict[str, str] = {}
        seen, total = 0, 1
        async with self.session() as session:
            while seen < total:
                path = f"/diaries/{self.diary}/entries?limit=100&offset={seen}"
                _, page = await asked(session, "GET", path)
                entries |= {entry["id"]: entry["content"] for entry in page["items"]}
                seen, total = seen + 100, page["total"]
        return entries

    def tell(self, what: str) -> None:
        """A line of the report; shown with `pytest -s`, and when a test fails."""
        print(f"chaos: {self.name}: {what}", flush=True)  # noqa: T201 - the report


@asynccontextmanager
async def a_world(
    name: str, folder: Path, *options: str, log: Path | None = None, padding: int = 0, **settings: str
) -> AsyncIterator[FaultyNetwork]:
    """A network that is written to; everything acknowledged was found again when the context is left in peace."""
    data, log = folder / "data", log or folder / "log"
    # Without its model it starts in a moment; what is stored is the same.
    environment = {**UNTHROTTLED, "MOLTNET_MODEL": str(log.parent), **settings}
    founder = (await run("genesis", "--data", str(data), folder=None, **settings)).printed[0]
    world = FaultyNetwork(
        name=name,
        data=data,
        log=log,
        options=options,
        environment=environment,
        token=founder["accessToken"],
        padding=padding,
    )
    await world.start()
    writers: list[asyncio.Task[None]] = []
    try:
        async with world.session() as session:
            world.diary = await first_diary(session)
        writers += [asyncio.create_task(_write_on(world, f"{WRITER} {number}")) for number in range(WRITERS)]
        await world.more_writes()
        yield world
        world.ended.set()
        await asyncio.gather(*writers)
        await world.check()
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        if world.live.process.returncode is None:
            await world.live.kill()


async def _write_on(world: FaultyNetwork, name: str) -> None:
    """Writes one entry after the other, each until it is acknowledged: with its key, so that it is there once."""
    async with world.session() as session:
        for number in itertools.count():
            key = f"{name.replace(' ', '-')}-{number}"
            content = f"{name}, entry {number} {random.Random(key).randbytes(world.padding // 2).hex()}".rstrip()
            path, options = f"/diaries/{world.diary}/entries", {"Idempotency-Key": key}
            while (status := await _status(session, "POST", path, json={"content": content}, headers=options)) != 201:
                assert status in FAILING, f"{content}: {status}"
                world.refused[status] += 1
                if world.ended.is_set():
                    return
                await asyncio.sleep(AGAIN_AFTER_S)
            world.acknowledged.append(content)
            if world.ended.is_set():
                return


async def _status(session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> int:
    """The status of an answer; UNKNOWN when there is none."""
    try:
        async with session.request(method, path, **options) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return UNKNOWN


def _words(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""
