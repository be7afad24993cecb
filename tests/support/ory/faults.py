"""What can go wrong on the way to a service, at a named call, as often as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import Enum, auto
from typing import TypeAlias

import attrs
from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class When(Enum):
    """Which side of a call's effect breaks."""

    BEFORE = auto()
    AFTER = auto()


@attrs.frozen(kw_only=True)
class Fault:
    """One way to fail. `status` answers with it; without one the connection is reset, or left hanging."""

    when: When = When.BEFORE
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: str = '{"error":{"code":500,"status":"Internal Server Error","message":"broken"}}'
    content_type: str = "application/json"
    hangs: bool = False
    truncated: bool = False


RESET_BEFORE, RESET_AFTER = Fault(), Fault(when=When.AFTER)
HANGS_BEFORE, HANGS_AFTER = Fault(hangs=True), Fault(when=When.AFTER, hangs=True)
BROKEN, DOWN = Fault(status=500), Fault(status=503)
BROKEN_AFTER = Fault(when=When.AFTER, status=500)
LIMITED = Fault(status=429)
LIMITED_FOR_A_SECOND = Fault(status=429, headers={"Retry-After": "1"})
LIMITED_FOR_LONG = Fault(status=429, headers={"x-ratelimit-reset": "3600"})
GATEWAY = Fault(status=502, body=HTML, content_type="text/html")
TRUNCATED = Fault(when=When.AFTER, truncated=True)
WRONG_SHAPE = Fault(status=200, body='["not what was asked for"]')
NOT_JSON = Fault(status=200, body=HTML, content_type="text/html")


class Faults:
    """Faults by the names of calls (docs/reference/ory.md, "Calls"), and the calls that came, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.parents: list[str] = []  # the span that each of them was a part of (W3C Trace Context)
        self._coming: dict[str, list[Fault | None]] = {}
        self._over, self._came = asyncio.Event(), asyncio.Event()

    def arrange(self, call: str, faults: Iterable[Fault | None]) -> None:
        """Lets the next calls of this name meet these faults, one each; None lets one through."""
        self._coming[call] = list(faults)

    def always(self, call: str, fault: Fault) -> None:
        """Lets every call of this name meet a fault, until `arrange` says otherwise."""
        self._coming[call] = [fault] * 1000

    def clear(self) -> None:
        """Lets everything through, and forgets what came."""
        self._coming.clear()
        self.calls.clear()
        self.parents.clear()

    async def until(self, call: str, count: int) -> None:
        """Waits until a call came so often."""
        while self.calls.count(call) < count:
            self._came.clear()
            await self._came.wait()

    def release(self) -> None:
        """Lets go of what hangs."""
        self._over.set()

    async def around(self, call: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a call, or what becomes of it."""
        self.calls.append(call)
        self.parents.append(request.headers.get("traceparent", ""))
        self._came.set()
        coming = self._coming.get(call)
        fault = coming.pop(0) if coming else None
        if fault is None:
            return await handler(request)
        answer = await handler(request) if fault.when is When.AFTER else None
        if fault.hangs:
            await self._over.wait()
        if fault.truncated and isinstance(answer, web.Response):
            return await _cut_short(request, answer)
        if fault.status is not None:
            return _told(fault)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def _told(fault: Fault) -> web.Response:
    return web.Response(
        status=fault.status or 200, text=fault.body, content_type=fault.content_type, headers=fault.headers
    )


async def _cut_short(request: web.Request, answer: web.Response) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b"{}"
    cut = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    cut.content_length = len(body) + 1
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return cut
