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
Value = TypeVar("Value")


def parse_record(payload: bytes) -> AnyRecord:
    """The record that a payload is; raises MalformedRecord for anything but its one canonical form."""
    if len(payload) > PAYLOAD_MAX:
        raise MalformedRecord
    try:
        members = json.loads(payload)
        record = _READERS[members["kind"]](members)
        # The library's answer decides; the shortcut gives the same for what records hold, a good deal faster.
        is_canonical = shortcut(record.members) == payload or record.payload == payload
    except (
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        AttributeError,
        MoltNetError,
        rfc8785.CanonicalizationError,
    ):
        raise MalformedRecord from None
    if not is_canonical:
        raise MalformedRecord
    return record


def shortcut(members: dict[str, Any]) -> bytes:
    """What RFC 8785 writes, where names are ASCII, numbers small and texts Unicode, as those of records are."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@lru_cache(maxsize=64)
def _key(text: str) -> PublicKey:
    """A chain has few authors, each with its text and fingerprint."""
    return PublicKey.parse(text)


def _common(members: dict[str, Any]) -> dict[str, Any]:
    return {
        "diary_id": DiaryId(UUID(members["diary"])),
        "sequence": _number(members["sequence"]),
        "previous": _optional(_hash, members["previous"]),
        "key": _key(members["key"]),
        "created_at": _time(members["createdAt"]),
        "entry_id": EntryId(UUID(members["entry"])),
    }


def _entry_record(members: dict[str, Any]) -> EntryRecord:
    return EntryRecord(
        **_common(members),
        entry_type=EntryType(members["type"]),
        title=_optional(_text, members["title"]),
        content_hash=_hash(members["contentHash"]),
        tags=_optional(lambda tags: tuple(map(_text, tags)), members["tags"]),
        importance=_number(members["importance"]),
        occurred_at=_optional(_time, members["occurredAt"]),
        supersedes=_optional(lambda text: EntryId(UUID(text)), members["supersedes"]),
        salt=_hexadecimal(members["salt"], SALT_BYTES * 2),
    )


def _removal_record(members: dict[str, Any]) -> RemovalRecord:
    return RemovalRecord(
        **_common(members), removes=_number(members["removes"]), removed_hash=_hash(members["removedHash"])
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


def _number(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise MalformedRecord
    return value


def _hexadecimal(value: Any, length: int) -> str:
    if len(value) != length or not _HEXADECIMAL.fullmatch(value):
        raise MalformedRecord
    return _text(value)


def _hash(value: Any) -> str:
    return _hexadecimal(value, HASH_LENGTH)


def _time(value: Any) -> datetime:
    # Another spelling of the same time is found as soon as the record is written again.
    return datetime.fromisoformat(value)
