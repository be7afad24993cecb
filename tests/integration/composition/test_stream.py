"""The live feed over two server processes: every subscriber gets everything, once, in one order, at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import aiohttp
import attrs
import pytest

from moltnet.entrypoints.cli.serving import DRAIN_S
from moltnet.entrypoints.settings import UNTHROTTLED
from tests.support.live_server import LiveServer, asked, genesis, serving, until
from tests.support.sse import EventSource, listening

pytestmark = pytest.mark.real

WRITERS, ENTRIES, CALM_ENTRIES = 8, 100, 15
FEW, MANY = 20, pytest.param(200, marks=pytest.mark.soak)
WITHIN_S = 0.1
# As many connections to the database as each process may have; some may not have been needed before.
DATABASE_CONNECTIONS = 10
# The allocator keeps some of what was needed at the peak.
MEMORY_MARGIN_BYTES = 16_000_000


@attrs.frozen
class Subscribers:
    """Two servers of one network, a public diary, and those who follow the feed over both."""

    servers: tuple[LiveServer, LiveServer]
    token: str
    diary: str
    size: int

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[list[EventSource]]:
        """Subscribers, half of them on each server."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session, AsyncExitStack() as stack:
            streams = (listening(session, server=self.servers[number % 2].url) for number in range(self.size))
            sources = [await stack.enter_async_context(stream) for stream in streams]
            yield sources

    async def write(self, contents: Sequence[str]) -> None:
        """Entries by writers at both servers, all at the same time."""
        left = iter(contents)

        async def writer(server: LiveServer) -> None:
            async with server.session(self.token) as session:
                for content in left:
                    status, _ = await asked(
                        session, "POST", f"/diaries/{self.diary}/entries", json={"content": content}
                    )
                    assert status == 201

        await asyncio.gather(*(writer(self.servers[number % 2]) for number in range(WRITERS)))

    def descriptors(self) -> list[int]:
        """How many files and sockets each server has open."""
        return [len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())) for server in self.servers]

    def memory(self) -> list[int]:
        """The resident bytes of each server."""
        texts = (Path(f"/proc/{server.process.pid}/status").read_text() for server in self.servers)
        return [next(int(line.split()[1]) * 1024 for line in text.splitlines() if "VmRSS" in line) for text in texts]


@pytest.fixture(params=[FEW, MANY])
async def crowd(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subscribers]:
    (founder,) = await genesis(tmp_path)
    settings = {**UNTHROTTLED, "MOLTNET_STREAMS_PER_ADDRESS": str(request.param)}
    async with serving(tmp_path, **settings) as one, serving(tmp_path, **settings) as other:
        async with one.session(founder["accessToken"]) as session:
            _, diary = await asked(session, "POST", "/diaries", json={"name": "feed", "visibility": "public"})
        yield Subscribers((one, other), founder["accessToken"], diary["id"], request.param)


@pytest.mark.soak
async def test_subscribers_get_an_entry_at_once(crowd: Subscribers) -> None:
    async with crowd.subscribed() as sources:
        delays = [await _delay(crowd, sources, number) for number in range(CALM_ENTRIES)]
    assert median(delays) < WITHIN_S, delays


async def test_subscribers_of_two_processes_get_everything_once(crowd: Subscribers) -> None:
    descriptors = crowd.descriptors()
    async with crowd.subscribed() as sources:
        await _delay(crowd, sources, 0)
    memory = crowd.memory()
    contents = [f"entry {number}" for number in range(ENTRIES)]
    async with crowd.subscribed() as sources:
        following = [asyncio.create_task(source.contents(ENTRIES)) for source in sources[1:]]
        half = asyncio.Event()
        returning = asyncio.create_task(_follow_with_a_break(crowd, sources[0], half))
        await crowd.write(contents[: ENTRIES // 2])
        half.set()
        await crowd.write(contents[ENTRIES // 2 :])
        told = [await returning, *[await each for each in following]]
    assert sorted(told[0]) == sorted(contents)
    assert [order for order in told if order != told[0]] == []
    await until(lambda: max(crowd.descriptors()) <= max(descriptors) + DATABASE_CONNECTIONS)
    grown = [now - before for now, before in zip(crowd.memory(), memory, strict=True)]
    assert max(grown) < MEMORY_MARGIN_BYTES, grown


async def test_open_streams_do_not_keep_a_server_from_ending(crowd: Subscribers) -> None:
    async with crowd.subscribed() as sources:
        async with asyncio.timeout(DRAIN_S - 1):  # an open request would be waited for, for that long
            assert await asyncio.gather(*(server.stop() for server in crowd.servers)) == [0, 0]
        for source in sources:
            with pytest.raises(EOFError):
                await source.next()


async def _delay(crowd: Subscribers, sources: list[EventSource], number: int) -> float:
    """How long after the writer began the last subscriber is told."""
    waiting = [asyncio.create_task(source.contents(1)) for source in sources]
    started = time.perf_counter()
    await crowd.write([f"calm {number}"])
    assert await asyncio.gather(*waiting) == [[f"calm {number}"]] * len(sources)
    return time.perf_counter() - started


async def _follow_with_a_break(crowd: Subscribers, source: EventSource, half: asyncio.Event) -> list[str]:
    """What a subscriber is told that leaves early and goes on when half is written, at the other server."""
    events = [await source.next() for _ in range(ENTRIES // 5)]
    source.answer.close()
    await half.wait()
    async with crowd.servers[1].session() as session, listening(session, after=events[-1].id) as again:
        return [event.data["content"] for event in events] + await again.contents(ENTRIES - len(events))
