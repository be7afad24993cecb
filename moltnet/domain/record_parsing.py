"""Reading a record: of every text that says the same, only the canonical one is taken."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import rfc8785

from moltnet.domain.entries import EntryType
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.records import (
    HASH_LENGTH,
    PAYLOAD_MAX,
    SALT_BYTES,
    AnyRecord,
    EntryRecord,
    MalformedRecord,
    RemovalRecord,
)
from moltnet.domain.text import text_fault

_HEXADECIMAL = re.compile(r"[0-9a-f]+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_COMMON = frozenset({"kind", "diary", "sequence", "previous", "author", "key", "createdAt", "entry"})
_OF_ENTRY = _COMMON | {"type", "title", "contentHash", "tags", "importance", "occurredAt", "supersedes", "salt"}
_OF_REMOVAL = _COMMON | {"removes", "removedHash", "removedPrevious"}
Value = TypeVar("Value")
# What reading a payload raises that is something else than it should be.
UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    RecursionError,
    AttributeError,
    MoltNetError,
    rfc8785.CanonicalizationError,
)


def parse_record(payload: bytes) -> AnyRecord:
    """The record that a payload is; raises MalformedRecord for anything but its one canonical form.

    The JSON is canonical, and each member is in the one form in which records write it.
    """
    if len(payload) > PAYLOAD_MAX:
        raise MalformedRecord
    try:
        members = json.loads(payload)
        record = _READERS[members["kind"]](members)
        # The library's answer decides; the shortcut gives the same for what records hold, a good deal faster.
        is_canonical = shortcut(members) == payload or rfc8785.dumps(members) == payload
    except UNREADABLE:
        raise MalformedRecord from None
    if not is_canonical:
        raise MalformedRecord
    return record


def shortcut(members: dict[str, Any]) -> bytes:
    """What RFC 8785 writes, where names are ASCII, numbers small and texts Unicode, as those of records are."""
    return _ENCODER.encode(members).encode()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=64)
def _key(text: str) -> tuple[PublicKey, str]:
    """A key and its fingerprint: a chain has few authors."""
    key = PublicKey.parse(text)
    if key.text != text:
        raise MalformedRecord
    return key, str(key.fingerprint)


def _common(members: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    key, author = _key(members["key"])
    if members.keys() != names or members["author"] != author:
        raise MalformedRecord
    return {
        "diary_id": _diary(members["diary"]),
        "sequence": _number(members["sequence"]),
        "previous": _optional(_hash, members["previous"]),
        "key": key,
        "created_at": _time(members["createdAt"]),
        "entry_id": EntryId(_uuid(members["entry"])),
    }


def _entry_record(members: dict[str, Any]) -> EntryRecord:
    return EntryRecord(
        **_common(members, _OF_ENTRY),
        entry_type=EntryType(members["type"]),
        title=_optional(_text, members["title"]),
        content_hash=_hash(members["contentHash"]),
        tags=_optional(_tags, members["tags"]),
        importance=_number(members["importance"]),
        occurred_at=_optional(_time, members["occurredAt"]),
        supersedes=_optional(lambda text: EntryId(_uuid(text)), members["supersedes"]),
        salt=_hexadecimal(members["salt"], SALT_BYTES * 2),
    )


def _removal_record(members: dict[str, Any]) -> RemovalRecord:
    return RemovalRecord(
        **_common(members, _OF_REMOVAL),
        removes=_number(members["removes"]),
        removed_hash=_hash(members["removedHash"]),
        removed_previous=_optional(_hash, members["removedPrevious"]),
    )


_READERS: Mapping[str, Callable[[dict[str, Any]], AnyRecord]] = MappingProxyType(
    {EntryRecord.kind: _entry_record, RemovalRecord.kind: _removal_record}
)


def _optional(read: Callable[[Any], Value], value: Any) -> Value | None:
    return None if value is None else read(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or text_fault(value):
        raise MalformedRecord
    return value


def _tags(value: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise MalformedRecord
    return tuple(map(_text, value))


def _number(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise MalformedRecord
    return value


@lru_cache(maxsize=64)
def _diary(text: str) -> DiaryId:
    return DiaryId(_uuid(text))


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise MalformedRecord
    return UUID(int=int(text.replace("-", ""), 16))


def _hexadecimal(value: str, length: int) -> str:
    if len(value) != length or not _HEXADECIMAL.fullmatch(value):
        raise MalformedRecord
    return value


def _hash(value: Any) -> str:
    return _hexadecimal(value, HASH_LENGTH)


def _time(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise MalformedRecord
    return datetime.fromisoformat(text)
