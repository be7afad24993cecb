"""A request to the REST door, and its answer."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from urllib.parse import quote, urlencode

from moltnet.domain.idempotency import check_key
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.domain.versions import Expected
from moltnet.ports.remote import NOTHING, Call, Unsendable

GET = "GET"


def get(path: str, *, headers: Mapping[str, str] = NOTHING, signed_in: bool = True) -> Call:
    """A request that only reads."""
    return Call(method=GET, path=path, headers=headers, signed_in=signed_in, repeatable=True)


def creating(path: str, body: object, key: str | None) -> Call:
    """A request that creates something; with a key it may be sent again. Raises MalformedIdempotencyKey."""
    if key is None:
        return Call(method="POST", path=path, json=body)
    check_key(key)
    return Call(method="POST", path=path, json=body, headers={"Idempotency-Key": key}, repeatable=True)


def changing(method: str, path: str, expected: Expected, body: object = None) -> Call:
    """A request that changes or removes the versions of a thing that are expected."""
    return Call(method=method, path=path, json=body, headers=_condition(expected))


def path_of(*segments: object) -> str:
    """A path of these segments, each of which stays one; raises Unsendable."""
    try:
        return "".join(f"/{quote(str(segment), safe='')}" for segment in segments)
    except UnicodeEncodeError:
        raise Unsendable from None


def with_query(path: str, **values: object) -> str:
    """A path with a query of the values that are not None, by their names on the wire; raises Unsendable."""
    parameters = {camel(name): _query_text(value) for name, value in values.items() if value is not None}
    try:
        return f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path
    except UnicodeEncodeError:
        raise Unsendable from None


def with_page(path: str, limit: int, offset: int) -> str:
    """A path with the page of a list that is told whole; nothing is added for the whole list."""
    return with_query(path, limit=None if limit == PAGE_LIMIT_MAX else limit, offset=offset or None)


def members(**values: object) -> dict[str, object]:
    """A JSON object of the values that are not None, by their names on the wire."""
    return {camel(name): _plain(value) for name, value in values.items() if value is not None}


def camel(name: str) -> str:
    """A name as the wire has it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float | str) and not isinstance(value, Enum):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return list(map(_plain, value))
    return str(value)


def _query_text(value: object) -> str | list[str]:
    if isinstance(value, tuple):
        return list(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _condition(expected: Expected) -> Mapping[str, str]:
    if expected.versions is None:
        return NOTHING
    # What cannot stand in a tag (RFC 9110 §8.8.3) is no version of anything; the empty tag is none either.
    tags = [f'"{version}"' for version in expected.versions if _is_tag(version)]
    return {"If-Match": ", ".join(tags) or '""'}


def _is_tag(version: str) -> bool:
    return version.isascii() and version.isprintable() and not set(version) & {'"', " "}
