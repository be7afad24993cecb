"""A reader of server-sent events (WHATWG HTML §9.2), as strict as the tests need it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import attrs

STREAM = "/public/feed/stream"
# Longer than a stream is ever silent; only a test that fails waits for it.
TIMEOUT_S = 45.0


@attrs.frozen
class Event:
    """One event; `id` is what a reader goes on from."""

    id: str
    name: str
    data: Any


class EventSource:
    """An open stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def block(self) -> str:
        """The next lines up to an empty one; nothing when the stream has ended."""
        async with asyncio.timeout(TIMEOUT_S):
            raw = await self.answer.content.readuntil(b"\n\n")
        return raw.decode().removesuffix("\n\n")

    async def next(self) -> Event:
        """The next event; comments and the time to wait before coming back are passed over."""
        while True:
            block = await self.block()
            if not block:
                raise EOFError
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            if "data" in fields:
                return Event(fields.get("id", ""), fields["event"], json.loads(fields["data"]))

    async def contents(self, count: int) -> list[str]:
        """The texts of the next entries."""
        return [(await self.next()).data["content"] for _ in range(count)]


@asynccontextmanager
async def listening(
    session: aiohttp.ClientSession, query: str = "", *, after: str | None = None, server: str = ""
) -> AsyncIterator[EventSource]:
    """A stream from now on, or from after the event of an id; of another server than the session's if named."""
    headers = {} if after is None else {"Last-Event-ID": after}
    async with session.get(
        server + STREAM + query, headers=headers, timeout=aiohttp.ClientTimeout(total=None)
    ) as answer:
        assert answer.status == 200, await answer.text()
        yield EventSource(answer)
