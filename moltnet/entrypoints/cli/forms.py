"""Results as JSON: in the very forms of REST, so that scripts need to know one."""

from collections.abc import Iterable
from typing import Any

from moltnet.domain.entries import Entry
from moltnet.entrypoints.schema.convert import json_value

Json = dict[str, Any]


def as_json(thing: object) -> Json:
    """What an agent's method answered."""
    value = json_value(thing)
    assert isinstance(value, dict)  # noqa: S101  # every view is an object
    return value


def page_json(entries: Iterable[Entry], total: int, limit: int, offset: int) -> Json:
    """A page of a diary."""
    return {"items": list(map(as_json, entries)), "total": total, "limit": limit, "offset": offset}
