"""JSON of any size: what is large is read, checked and written beside the event loop."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeVar

import attrs

from moltnet.entrypoints.rest.json_text import to_json, to_long_json
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
        size += MEMBER_BYTES
        if isinstance(each, str | bytes):
            size += len(each)
        elif isinstance(each, list | tuple):
            size += MEMBER_BYTES * len(each)
            waiting += each[:MEMBERS_MAX]
        elif isinstance(each, Mapping):
            size += MEMBER_BYTES * len(each)
            waiting += islice(each.values(), MEMBERS_MAX)
        else:
            waiting += _members(each)
    return size


def _members(form: object) -> list[object]:
    kind = type(form)
    return [getattr(form, attribute.name) for attribute in attrs.fields(kind)] if attrs.has(kind) else []
