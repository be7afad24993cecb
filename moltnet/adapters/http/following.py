"""Following the feed over REST: a stream of events that is taken up again wherever it breaks off (rest.md §7.6)."""

import json
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import MappingProxyType

import aiohttp
from aiohttp import ClientTimeout

from moltnet.adapters.http.calls import Reply, get
from moltnet.adapters.http.door import TIMEOUT_S, Door
from moltnet.adapters.http.events import EventReader
from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.wire import event_id, read, structured
from moltnet.domain.errors import Limited, Unavailable
from moltnet.domain.views import FeedItem, FeedItems
from moltnet.ports.remote import NetworkError

# A stream is never silent for longer than 30 s: whoever hears nothing for this long hears nobody.
SILENCE_S = 90.0
COME_BACK_S = 5.0
BEGINNING = "1970-01-01T00:00:00.000Z/00000000-0000-0000-0000-000000000000"
_FRESH: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-cache"})


async def followed(door: Door, path: str, after: str | None) -> AsyncIterator[FeedItem]:
    """What comes into the feed after an event, or from now on, without end.

    Raises what the first request is refused with; a stream that was open once is taken up again until it is. Whoever
    names no event follows from the newest there is: else what comes while a first connection breaks would be missed.
    """
    reader = EventReader(after or await _newest(door))
    opened = False
    while True:
        try:
            async for piece in _pieces(door, path, reader.last_id):
                opened = True
                for event in reader.feed(piece):
                    if event.name == "entry":
                        yield structured(_parsed(event.data), FeedItem)
        except (Unavailable, Limited):
            if not opened:
                raise
        reader = _again(reader)
        await door.pace.sleep((reader.retry_s or COME_BACK_S) * (0.5 + door.pace.chance()))


async def _newest(door: Door) -> str:
    # Kept answers of proxies are no good here: the newest there is, is asked for.
    reply = await door.ask(get("/public/feed?limit=1&includeFlagged=true", headers=_FRESH, signed_in=False))
    items = read(reply, FeedItems).items
    return event_id(items[0].created_at, items[0].id) if items else BEGINNING


async def _pieces(door: Door, path: str, last_id: str) -> AsyncIterator[bytes]:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
    timeout = ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=SILENCE_S)
    try:
        async with door.session().get(
            door.url(path), headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            if answer.status != HTTPStatus.OK:
                raise refusal(Reply(status=answer.status, headers=answer.headers, raw=await answer.read()))
            async for piece in answer.content.iter_any():
                yield piece
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise NetworkError(f"{door.api_url} broke off the stream ({type(error).__name__})") from None


def _again(reader: EventReader) -> EventReader:
    # What was told of an event by halves is told again in whole.
    fresh = EventReader(reader.last_id)
    fresh.retry_s = reader.retry_s
    return fresh


def _parsed(data: str) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
