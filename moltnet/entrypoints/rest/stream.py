"""The live feed as server-sent events (WHATWG HTML §9.2): answers that stay open.

Source: docs/reference/feed.md, "Live stream".
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache

from aiohttp import web

from moltnet.domain.errors import Limited
from moltnet.domain.feed import Cursor, FeedItem, InvalidCursor, PublicEntry
from moltnet.entrypoints.operations.feed import FollowFeed
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.options import OPTIONS, REQUEST_CONTEXT, StreamLimits
from moltnet.entrypoints.rest.routing import AnyRoute, Call, Route
from moltnet.entrypoints.schema.convert import iso_text, json_value

# Followers of one process are sent the same entries at nearly the same time: each is made text once for all of them.
EVENT_CACHE_SIZE = 128


@lru_cache(maxsize=EVENT_CACHE_SIZE)
def event_of(item: PublicEntry) -> bytes:
    """A public entry as a server-sent event; its id names the entry and its time on the wire.

    Source: docs/reference/feed.md, "Live stream".
    """
    identifier = f"{iso_text(item.entry.created_at)}/{item.entry.id}"
    return b"id: %s\nevent: entry\ndata: %s\n\n" % (identifier.encode(), to_json(json_value(FeedItem.of(item))))


def last_event(header: str) -> Cursor | None:
    """The entry a Last-Event-ID names; None for anything that is no such id."""
    created_at, _, entry_id = header.partition("/")
    try:
        return Cursor.of(created_at, entry_id)
    except InvalidCursor:
        return None


HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
}
RETRY = b"retry: 5000\n\n"
HEARTBEAT = b": heartbeat\n\n"
FAILED = b'event: error\ndata: {"message":"Internal server error"}\n\n'
# Events go out together up to this size: no reader makes the server hold much more, however much there is to send.
PIECE_BYTES = 64 * 1024

_LOG = logging.getLogger(__name__)


class TooManyStreams(Limited):
    """One address has as many streams open as it may."""

    code = "TOO_MANY_STREAMS"
    sentence = "Too many SSE connections"


class SlowReader(Exception):
    """Somebody does not read what is sent."""


class EventStream:
    """One answer that stays open, and what is written to it."""

    def __init__(self, request: web.Request, limits: StreamLimits) -> None:
        self.request = request
        self.answer = web.StreamResponse(headers=HEADERS)
        self._limits = limits

    async def open(self) -> None:
        """Sends the head of the answer."""
        await self.answer.prepare(self.request)

    async def send(self, subscription: AsyncIterator[Sequence[PublicEntry]]) -> None:
        """Sends what comes until the reader goes, is cut off for being slow, or nothing more can be had.

        A step of `subscription` that is cancelled must lose nothing.
        """
        try:
            await self._write(RETRY)
            while True:
                for piece in _pieces(await self._next_events(subscription)):
                    await self._write(piece)
        except SlowReader:
            if self.request.transport is not None:
                self.request.transport.abort()
        except ConnectionError:
            return  # the reader has gone
        except Exception as error:  # noqa: BLE001  # the head is sent: there is no other place to tell it
            _LOG.warning("%s: a stream ends early", self.request[REQUEST_CONTEXT].request_id, exc_info=error)
            with suppress(ConnectionError, SlowReader):
                await self._write(FAILED)

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody reads it any more."""
        transport = self.request.transport
        return transport is None or transport.is_closing()

    async def _next_events(self, subscription: AsyncIterator[Sequence[PublicEntry]]) -> Iterable[bytes]:
        try:
            async with asyncio.timeout(self._limits.heartbeat_s):
                return map(event_of, await anext(subscription))
        except TimeoutError:
            return (HEARTBEAT,)

    async def _write(self, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.send_timeout_s):
                await self.answer.write(piece)
        except TimeoutError as error:
            raise SlowReader from error


class OpenStreams:
    """The streams of this process: only so many for each address, each with its time, all ended when it closes."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._open: dict[EventStream, asyncio.Timeout] = {}

    @asynccontextmanager
    async def open_stream(self, request: web.Request) -> AsyncIterator[EventStream]:
        """A stream that is not open yet; the block ends quietly with the stream's time. Raises TooManyStreams."""
        self._check_limit(request[REQUEST_CONTEXT].address)
        stream = EventStream(request, self._limits)
        try:
            async with asyncio.timeout(self._limits.lifetime_s) as time:
                self._open[stream] = time
                try:
                    yield stream
                finally:
                    self._open.pop(stream, None)
        except TimeoutError:
            if not time.expired():
                raise

    async def end_all(self, _: web.Application) -> None:
        """Ends every stream, so that closing the server waits for none of them."""
        for stream in list(self._open):
            self._end(stream)

    def _check_limit(self, address: str) -> None:
        # A reader that went away is noticed when something is written, which may be half a minute later.
        of_address = [stream for stream in self._open if stream.request[REQUEST_CONTEXT].address == address]
        abandoned = [stream for stream in of_address if stream.is_abandoned]
        for stream in abandoned:
            self._end(stream)
        if len(of_address) - len(abandoned) >= self._limits.per_address:
            raise TooManyStreams

    def _end(self, stream: EventStream) -> None:
        time = self._open.pop(stream)
        if not time.expired():
            time.reschedule(asyncio.get_running_loop().time())


STREAMS = web.AppKey("streams", OpenStreams)


def _pieces(events: Iterable[bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for event in events:
        if piece and len(piece) + len(event) > PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
        piece += event
    yield bytes(piece)


async def stream(call: Call[None, None, FollowFeed]) -> web.StreamResponse:
    """Be told of public entries as they are written."""
    request, feed = call.request, call.services.feed
    if request.method == "HEAD":
        head = EventStream(request, request.app[OPTIONS].streams)
        await head.open()
        return head.answer
    async with request.app[STREAMS].open_stream(request) as opened:
        subscription = await feed.follow(last_event(request.headers.get("Last-Event-ID", "")), call.query.selection)
        await opened.open()
        await opened.send(subscription)
    return opened.answer


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/public/feed/stream",
        "streamPublicFeed",
        "public",
        stream,
        auth=Auth.NONE,
        query=FollowFeed,
        answers={},
        tier=None,
        documented=False,
    ),
)
