"""Request bodies: each arrives in its time, all within a bounded memory; JSON, plain text and forms are read.

What is large is read, checked and written beside the event loop, JSON of answers too.

Source: docs/reference/http.md, "Request bodies".
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import TypeVar
from urllib.parse import parse_qsl

import attrs
from aiohttp import StreamReader, web

from moltnet.domain.errors import Limited
from moltnet.entrypoints.rest.json_text import from_json, to_json, to_long_json
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT, BodyLimits
from moltnet.entrypoints.rest.refusals import (
    BodyInterrupted,
    BodyTooLarge,
    BodyTooSlow,
    EncodedBody,
    MalformedBody,
    UnsupportedMediaType,
)
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.system import Workers

Result = TypeVar("Result")

# Reading or writing JSON takes so much less time for a character than what `Workers` are for, at most.
FASTER = 20
# What is written inline: writing it takes less time than handing it over.
SHORT = 20_000
# What a member costs beside its characters, in characters.
MEMBER_BYTES = 20
# Counting ends where it is clear that something is large.
COUNTED_MOST = 100_000
MEMBERS_MAX = COUNTED_MOST // MEMBER_BYTES


async def form_text(workers: Workers, answer: object) -> bytes:
    """An answer as JSON text."""
    return await value_text(workers, answer, json_value)


async def value_text(
    workers: Workers, answer: object, plain: Callable[[object], object] = lambda value: value
) -> bytes:
    """The same of what `plain` makes a JSON value of."""
    size = size_of(answer)
    if size <= SHORT:
        return to_json(plain(answer))
    return await workers.run(lambda: to_long_json(plain(answer)), size // FASTER)


async def read_json(workers: Workers, read: Callable[[], Result], size: int) -> Result:
    """What is read of a text or value of so many characters; raises what reading raises."""
    return await workers.run(read, size // FASTER)


def size_of(value: object) -> int:
    """About how many characters of JSON a value or a form makes, counted up to COUNTED_MOST."""
    size, waiting = 0, [value]
    while waiting and size < COUNTED_MOST:
        each = waiting.pop()
        kind: type = type(each)
        size += MEMBER_BYTES
        if isinstance(each, str | bytes):
            size += len(each)
        elif isinstance(each, list | tuple):
            size += MEMBER_BYTES * len(each)
            waiting += each[:MEMBERS_MAX]
        elif members := _members_of(kind):
            waiting += members(each)
        elif isinstance(each, Mapping):
            size += MEMBER_BYTES * len(each)
            waiting += islice(each.values(), MEMBERS_MAX)
    return size


@cache  # a form has dozens of members, an answer dozens of forms
def _members_of(kind: type) -> Callable[[object], tuple[object, ...]] | None:
    """What reads all members of a form; None of what is none."""
    names = [attribute.name for attribute in attrs.fields(kind)] if attrs.has(kind) else []
    if len(names) == 1:  # of one name `attrgetter` makes no tuple
        return lambda form: (getattr(form, names[0]),)
    return attrgetter(*names) if names else None


class TooManyUploads(Limited):
    """Unfinished bodies fill the memory that is set aside for them."""

    code = "TOO_MANY_UPLOADS"
    sentence = "Too many request bodies are arriving at once. Please retry in a moment"


class Uploads:
    """The bodies that are arriving in this process."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._buffered: Counter[str] = Counter()
        self._buffered_total = 0

    async def read(self, request: web.Request, max_bytes: int) -> bytes:
        """The whole body.

        Raises BodyTooLarge, BodyTooSlow, BodyInterrupted, TooManyUploads, and MalformedBody for broken chunks.
        """
        content = request.content
        try:
            if content.is_eof():
                body = content.read_nowait(-1)
                if len(body) > max_bytes:
                    raise BodyTooLarge
                return body
            return await self._arriving(content, request[REQUEST_CONTEXT].address, max_bytes)
        except TimeoutError as error:
            raise BodyTooSlow from error
        except web.RequestPayloadError as error:
            raise MalformedBody("Body could not be read") from error
        except OSError as error:
            raise BodyInterrupted from error

    async def _arriving(self, content: StreamReader, address: str, max_bytes: int) -> bytes:
        began_at = asyncio.get_running_loop().time()
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.time_for(0)) as time:
                while chunk := await content.readany():
                    self._reserve(address, len(chunk))
                    body += chunk
                    if len(body) > max_bytes:
                        raise BodyTooLarge
                    time.reschedule(began_at + self._limits.time_for(len(body)))
        finally:
            self._release(address, len(body))
        return bytes(body)

    def _reserve(self, address: str, size: int) -> None:
        limits = self._limits
        if (
            self._buffered_total + size > limits.buffered_bytes
            or self._buffered[address] + size > limits.buffered_bytes_per_address
        ):
            raise TooManyUploads
        self._buffered[address] += size
        self._buffered_total += size

    def _release(self, address: str, size: int) -> None:
        self._buffered_total -= size
        self._buffered[address] -= size
        if not self._buffered[address]:
            del self._buffered[address]


UPLOADS = web.AppKey("uploads", Uploads)


MAX_BODY_BYTES = 1_048_576
# No form here has ten; taking half a million apart costs most of a second of a processor.
MAX_FORM_FIELDS = 100
_JSON, _TEXT, _FORM = "application/json", "text/plain", "application/x-www-form-urlencoded"


def refuse_encoded(request: web.Request) -> None:
    """Raises EncodedBody: a small body may unpack to a large one, so none is unpacked, and none is read."""
    for codings in request.headers.getall("Content-Encoding", ()):
        if codings.strip().lower() not in {"", "identity"}:
            raise EncodedBody


async def read_body(
    request: web.Request, workers: Workers, *, max_bytes: int, is_required: bool, takes_forms: bool
) -> object:
    """The body's value; None when there is none, which no route's form accepts.

    Raises UnsupportedMediaType, BodyTooLarge (chunked bodies count as they arrive), MalformedBody, and what a body
    meets on its way (`Uploads.read`).
    """
    content_type = request.headers.get("Content-Type")
    kind = (content_type or "").partition(";")[0].strip().lower()
    # Clients that put a type on everything (aiohttp's does) may do so where no body is wanted and none comes; but an
    # empty body that is called JSON is refused everywhere, as the original does.
    if (content_type is None or not (is_required or kind == _JSON)) and not _announces_body(request):
        return None
    if kind not in {_JSON, _TEXT} and not (takes_forms and kind == _FORM):
        raise UnsupportedMediaType(content_type)
    if (request.content_length or 0) > max_bytes:
        raise BodyTooLarge
    raw = await request.app[UPLOADS].read(request, max_bytes)
    return await read_json(workers, lambda: parse_body(kind, raw), len(raw))


def parse_body(kind: str, raw: bytes) -> object:
    """The value of a body of one of the three kinds; raises MalformedBody."""
    if kind == _JSON:
        return _json(raw)
    if kind == _FORM:
        return form_values(raw)
    return raw.decode(errors="replace")


def form_values(raw: bytes) -> dict[str, str]:
    """The fields of a form (WHATWG URL, urlencoded); of equal names the last wins.

    Raises MalformedBody for too many.
    """
    try:
        fields = parse_qsl(raw.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise MalformedBody(f"A form has at most {MAX_FORM_FIELDS} fields") from error
    return dict(fields)


def _announces_body(request: web.Request) -> bool:
    return "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0"


def _json(raw: bytes) -> object:
    if not raw:
        raise MalformedBody("Body cannot be empty when content-type is set to 'application/json'")
    try:
        return from_json(raw)
    except ValueError as error:
        raise MalformedBody("Body is not valid JSON but content-type is set to 'application/json'") from error
