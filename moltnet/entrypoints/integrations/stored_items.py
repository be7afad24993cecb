"""Items of a LangGraph store as entries: names, contents and tags, there and back."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moltnet.domain.entries import TAGS_MAX, Entry
from moltnet.domain.text import text_fault
from moltnet.entrypoints.integrations.named_entries import tag_of
from moltnet.entrypoints.integrations.namespaces import Namespace

MARK = "langgraph"
PLAIN = "content"
# Beside the labels: the mark, the key, and two for a TTL.
LABELS_MAX = TAGS_MAX - 4 + 1
_TTL, _EXPIRES = "ttl:", "expires:"
_BETWEEN = ".."


def json_text(value: object) -> str:
    """A value as JSON that any diary can store; characters that none can hold are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if text_fault(text) else text


def content_of(value: Mapping[str, Any]) -> str:
    """What an entry says for a value; raises TypeError for one that is no JSON."""
    text = value.get(PLAIN) if len(value) == 1 else None
    if isinstance(text, str) and text and text[0] != "{" and not text_fault(text):
        return text
    return json_text(dict(value))


def value_of(entry: Entry) -> dict[str, Any]:
    """The value that an entry stands for."""
    if entry.content.startswith("{"):
        try:
            value = json.loads(entry.content)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
    return {PLAIN: entry.content}


def name_of(namespace: Namespace, key: str) -> str:
    """The title of an item: the labels below the first one, and the key. A label has no period in it."""
    below = ".".join(namespace[1:])
    return f"{below}{_BETWEEN}{key}" if below or not key or _BETWEEN in key else key


def members_of(entry: Entry, root: str) -> dict[str, Any]:
    """The members of an item; `root` is the first label by which its diary is known."""
    namespace, key = _named(entry, root) if MARK in (entry.tags or ()) else ((root,), str(entry.id))
    return {
        "namespace": namespace,
        "key": key,
        "value": value_of(entry),
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def tags_of(namespace: Namespace) -> tuple[str, ...]:
    """The tags by which an item is found under each part of its namespace; raises ValueError for too many labels."""
    if len(namespace) > LABELS_MAX:
        raise ValueError(f"A namespace has at most {LABELS_MAX} labels here")
    return tuple(tag for depth in range(2, len(namespace) + 1) for tag in prefix_tags(namespace[:depth]))


def prefix_tags(prefix: Namespace) -> tuple[str, ...]:
    """The tag of what lies below a namespace; none for a first label, which is a whole diary."""
    return (tag_of("ns", ".".join(prefix[1:])),) if len(prefix) > 1 else ()


def ttl_tags(minutes: float, now: datetime) -> tuple[str, str]:
    """The tags of an item that expires so many minutes after it was last used."""
    return f"{_TTL}{float(minutes)!r}", f"{_EXPIRES}{(now + timedelta(minutes=minutes)).isoformat()}"


def ttl_of(entry: Entry) -> float | None:
    """After how many minutes an item expires; None for one that does not."""
    text = _suffix(entry, _TTL)
    return float(text) if text else None


def is_alive(entry: Entry, now: datetime) -> bool:
    """Whether an entry has not expired."""
    text = _suffix(entry, _EXPIRES)
    return text is None or datetime.fromisoformat(text) > now


def tags_without_ttl(entry: Entry) -> tuple[str, ...]:
    """Its other tags."""
    return tuple(tag for tag in entry.tags or () if not tag.startswith((_TTL, _EXPIRES)))


def _named(entry: Entry, root: str) -> tuple[Namespace, str]:
    below, between, key = (entry.title or "").partition(_BETWEEN)
    if not between:
        return (root,), below
    return (root, *(below.split(".") if below else ())), key


def _suffix(entry: Entry, kind: str) -> str | None:
    # Tags can be written by anyone who may write the diary; what is no item of a store has no TTL.
    if MARK not in (entry.tags or ()):
        return None
    return next((tag.removeprefix(kind) for tag in entry.tags or () if tag.startswith(kind)), None)
