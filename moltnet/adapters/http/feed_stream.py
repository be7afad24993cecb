"""Following the feed over REST: server-sent events (WHATWG HTML §9.2.6), taken up again wherever the stream breaks off.

Source: docs/reference/feed.md, "Live stream".
"""

import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from types import MappingProxyType

import aiohttp
import attrs
from aiohttp import ClientTimeout

from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.rest_client import TIMEOUT_S, RestClient
from moltnet.domain.errors import Limited, Unavailable
from moltnet.ports.remote import UNREADABLE, NetworkError, RemoteReply, RemoteRequest

_LINE_END = re.compile(rb"\r\n|\n|\r(?!$)")  # a piece may end between the two


@attrs.frozen
class ServerSentEvent:
    """One event; `id` is the last that was told, which stays good for events without one."""

    id: str
    name: str
    data: str


class EventReader:
    """Reads the bytes of one stream. `retry_s` is how long to wait before coming back, once the stream tells it."""

    def __init__(self, last_id: str) -> None:
        self.last_id = last_id
        self.retry_s: float | None = None
        self._pending = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that a piece completes."""
        *lines, self._pending = _LINE_END.split(self._pending + piece)
        for line in lines:
            if line:
                self._take(line.decode("utf-8", "replace"))
            elif self._data:
                yield ServerSentEvent(self.last_id, self._name or "message", "\n".join(self._data))
                self._name, self._data = "", []
            else:
                self._name = ""

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self.last_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_s = int(value) / 1000


# A stream is never silent for longer than 30 s: a client that receives nothing for this long has lost the connection.
SILENCE_S = 90.0
COME_BACK_S = 5.0
BEGINNING = "1970-01-01T00:00:00.000Z/00000000-0000-0000-0000-000000000000"
_FRESH: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-cache"})
_ENTRY = "entry"


async def followed(client: RestClient, path: str, after: str | None) -> AsyncIterator[object]:
    """What comes into the feed after an event, or from now on, without end.

    Raises what the first request is refused with; a stream that was open once is taken up again until it is refused
    for good. A client that names no event follows from the newest there is: else what comes while a first connection
    breaks would be missed.
    """
    last_id, come_back_s, opened = after or await _newest(client), COME_BACK_S, False
    while True:
        try:
            stream = await _opened(client, path, last_id)
        except (Unavailable, Limited):
            if not opened:
                raise
        else:
            opened, reader = True, EventReader(last_id)
            async with aclosing(_pieces(stream)) as pieces:
                async for piece in pieces:
                    for event in reader.feed(piece):
                        last_id = event.id
                        if event.name == _ENTRY:
                            yield _parsed(event.data)
            come_back_s = reader.retry_s or come_back_s
        await client.sleep(come_back_s * (0.5 + random.random()))  # noqa: S311  # jitter is no secret


async def _newest(client: RestClient) -> str:
    # Kept answers of proxies are no good here: the newest there is, is asked for.
    call = RemoteRequest(
        method="GET",
        path="/public/feed?limit=1&includeFlagged=true",
        headers=_FRESH,
        signed_in=False,
        repeatable=True,
    )
    value = (await client.ask(call)).value()
    try:
        items = [f"{item['createdAt']}/{item['id']}" for item in value["items"]]
    except (TypeError, KeyError) as error:
        raise NetworkError(UNREADABLE) from error
    return items[0] if items else BEGINNING


async def _opened(client: RestClient, path: str, last_id: str) -> aiohttp.ClientResponse:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
    timeout = ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=SILENCE_S)
    try:
        answer = await client.session().get(client.url(path), headers=headers, timeout=timeout, allow_redirects=False)
        if answer.status == HTTPStatus.OK:
            return answer
        async with answer:
            raise refusal(RemoteReply(status=answer.status, headers=answer.headers, raw=await answer.read()))
    except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
        raise NetworkError(
            f"{client.api_url} does not answer ({type(error).__name__}); check that it is running at this address"
        ) from None


async def _pieces(stream: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """What comes in, until the stream ends, however it does."""
    try:
        async for piece in stream.content.iter_any():
            yield piece
    except (aiohttp.ClientError, OSError):
        return
    finally:
        stream.close()


def _parsed(data: str) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
