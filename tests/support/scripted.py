"""A server that answers by a script, and a clock that waits for nobody: for what a real network does too seldom."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
from aiohttp import web
from aiohttp.test_utils import TestServer

Line = Callable[[web.Request], Awaitable[web.StreamResponse]]


@attrs.define
class Scripted:
    """What was asked, `METHOD /path` each, with tokens and bodies beside; and what is answered, by the same names.

    Of several lines under a name each is said once, the last one for ever.
    """

    url: str
    lines: dict[str, list[Line]] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    tokens: list[str | None] = attrs.field(factory=list)
    bodies: list[str] = attrs.field(factory=list)
    last_events: list[str | None] = attrs.field(factory=list)

    def says(self, name: str, *lines: Line) -> None:
        """Writes the script for one kind of request."""
        self.lines[name] = list(lines)

    def times(self, name: str) -> int:
        """How often a kind of request was asked."""
        return self.asked.count(name)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The next line of the script."""
        name = f"{request.method} {request.path}"
        self.asked.append(name)
        self.tokens.append(request.headers.get("Authorization"))
        self.last_events.append(request.headers.get("Last-Event-ID"))
        self.bodies.append(await request.text())
        lines = self.lines[name]
        return await (lines.pop(0) if len(lines) > 1 else lines[0])(request)


@attrs.define
class Hurry:
    """A clock on which every wait is over at once; it is noted how long it would have been."""

    time: float = 0.0
    waits: list[float] = attrs.field(factory=list)

    def now(self) -> float:
        """The time, in seconds."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Lets the time pass."""
        self.waits.append(seconds)
        self.time += seconds


@asynccontextmanager
async def a_script() -> AsyncIterator[Scripted]:
    """A server whose script is empty but for the token endpoint, which numbers its tokens."""
    app = web.Application()
    server = TestServer(app)
    scripted = Scripted("")
    app.router.add_route("*", "/{path:.*}", scripted.answer)
    async with server:
        scripted.url = str(server.make_url("")).removesuffix("/")
        numbers = iter(range(1, 1000))
        scripted.says("POST /oauth2/token", lambda _: _token(next(numbers)))
        yield scripted


def says(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Line:
    """An answer of JSON."""

    async def line(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return line


def problem(status: int, code: str, detail: str = "why", headers: Mapping[str, str] | None = None) -> Line:
    """A problem document."""
    return says(
        status, {"type": f"https://x/{code}", "title": "T", "status": status, "code": code, "detail": detail}, headers
    )


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """No answer: the connection breaks."""
    assert request.transport
    request.transport.abort()
    return web.Response()


def streams(*pieces: bytes) -> Line:
    """A stream of events that ends after these pieces."""

    async def line(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
        return answer

    return line


async def _token(number: int) -> web.StreamResponse:
    return web.json_response({"access_token": f"token {number}", "expires_in": 3600, "token_type": "bearer"})
