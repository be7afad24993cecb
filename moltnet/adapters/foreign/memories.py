"""Memories in JSON: as mem0 answers them, and objects of whichever program, by the names that members mostly have."""

from collections.abc import Iterator
from typing import Any

from moltnet.adapters.foreign.json_items import Item
from moltnet.adapters.foreign.pieces import OCCURRED, Memo, time_fault, time_of
from moltnet.domain.entries import EntryType
from moltnet.domain.imports import Candidate, Unreadable

MEM0, JSON = "mem0", "json"
_TEXTS = ("content", "memory", "text", "body", "note")
_TIMES = (*OCCURRED, "created_at", "createdAt", "timestamp", "date", "created")


def mem0(item: Item) -> Iterator[Candidate | Unreadable]:
    """A memory of mem0."""
    members = item.members
    categories = members.get("categories")
    tags = tuple(map(str, categories)) if isinstance(categories, list) else ()
    return _memo(item, MEM0, members.get("memory"), ("mem0", *tags))


def json_object(item: Item) -> Iterator[Candidate | Unreadable]:
    """An object with a text in `content`, `memory`, `text`, `body` or `note`, and what else an entry has."""
    members = item.members
    text = next((members[name] for name in _TEXTS if isinstance(members.get(name), str)), None)
    tags = members.get("tags")
    return _memo(item, JSON, text, tuple(map(str, tags)) if isinstance(tags, list) else ())


def _memo(item: Item, source: str, text: object, tags: tuple[str, ...]) -> Iterator[Candidate | Unreadable]:
    members = item.members
    if not isinstance(text, str):
        yield Unreadable(item.position, f"there is no text in any of {', '.join(_TEXTS)}")
        return
    if fault := time_fault(members):
        yield Unreadable(item.position, fault)
        return
    title, importance = members.get("title"), members.get("importance")
    times = (time_of(members[name]) for name in _TIMES if members.get(name) is not None)
    yield from Memo(
        position=item.position,
        source=source,
        id=str(members.get("id") or ""),
        text=text,
        title=title if isinstance(title, str) else None,
        tags=tags,
        importance=importance if type(importance) is int else None,
        entry_type=_type(members),
        at=next((at for at in times if at), None),
    ).candidates()


def _type(members: dict[str, Any]) -> EntryType:
    for name in ("entryType", "entry_type", "type"):
        if members.get(name) in set(EntryType):
            return EntryType(members[name])
    return EntryType.SEMANTIC
