"""HTTP byte by byte: what well-behaved clients never send, and what they never wait for."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import attrs

HANG_GUARD_S = 20


@attrs.frozen
class RawAnswer:
    """What came back: the head taken apart, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@attrs.frozen
class RawClient:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes | str) -> None:
        """Sends some bytes; the other end need not read them."""
        self.writer.write(data.encode("latin-1") if isinstance(data, str) else data)
        await asyncio.wait_for(self.writer.drain(), HANG_GUARD_S)

    async def answer(self) -> RawAnswer:
        """The next answer."""
        return await asyncio.wait_for(self._answer(), HANG_GUARD_S)

    async def ended(self) -> bytes:
        """What comes until the other end closes, in whatever way."""
        try:
            return await asyncio.wait_for(self.reader.read(), HANG_GUARD_S)
        except ConnectionError:
            return b""

    async def _answer(self) -> RawAnswer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return RawAnswer(int(head[0].split(" ")[1]), headers, body)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RawClient]:
    """A connection to a server, for the length of the block."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


def head(method: str, target: str, *headers: str, host: str = "127.0.0.1") -> str:
    """The head of a request."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, "", ""])
