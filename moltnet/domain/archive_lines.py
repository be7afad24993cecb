"""The lines of an archive's files: entries, records of signed diaries, and origins, one object of JSON each."""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import attrs

from moltnet.domain.agents import Author
from moltnet.domain.archives import LINE_MAX, MalformedLine
from moltnet.domain.entries import Entry, EntryType, NewEntry
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.domain.imports import Imported, Origin
from moltnet.domain.keys import PublicKey
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.records import SignedRecord, base64_text, time_text
from moltnet.domain.text import text_fault

Value = TypeVar("Value")
Members = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class ArchivedEntry:
    """An entry of a diary that is not signed, as an archive holds it."""

    id: EntryId
    new: NewEntry
    superseded_by: EntryId | None
    created_at: datetime
    updated_at: datetime
    author_key: PublicKey | None
    editor_key: PublicKey | None


def entry_line(entry: Entry) -> bytes:
    """The line of an entry."""
    return _line(
        {
            "id": str(entry.id),
            "title": entry.title,
            "content": entry.content,
            "tags": None if entry.tags is None else list(entry.tags),
            "importance": entry.importance,
            "entryType": entry.entry_type.value,
            "occurredAt": _written(entry.occurred_at),
            "supersededBy": entry.superseded_by and str(entry.superseded_by),
            "createdAt": time_text(entry.created_at),
            "updatedAt": time_text(entry.updated_at),
            "author": _agent(entry.author),
            "editedBy": _agent(entry.edited_by),
        }
    )


def record_line(record: SignedRecord) -> bytes:
    """The line of a record, as `moltnet diaries records` prints it."""
    return _line(_record_members(record) | {"content": record.content})


def import_line(imported: Imported) -> bytes:
    """The line of an origin."""
    origin = imported.origin
    return _line(
        {
            "key": origin.key,
            "entry": imported.entry_id and str(imported.entry_id),
            "source": origin.source,
            "originalId": origin.original_id,
            "authorKey": origin.author_key and origin.author_key.text,
            "editorKey": origin.editor_key and origin.editor_key.text,
            "writtenAt": _written(origin.written_at),
            "changedAt": _written(origin.changed_at),
            "record": origin.record and _record_members(origin.record),
            "proof": origin.proof and origin.proof.texts,
        }
    )


def proof_line(proof: ProvenLeaf) -> bytes:
    """The line of a leaf of an open log with its proof, as `moltnet log prove` prints it."""
    return _line(proof.texts)


def parse_entry(line: bytes) -> ArchivedEntry:
    """The entry of a line; raises MalformedLine."""
    return _read(line, _entry)


def parse_shown_record(line: bytes) -> SignedRecord:
    """The record of a line; raises MalformedLine."""
    return _read(line, _record)


def parse_import(line: bytes) -> Imported:
    """The origin of a line; raises MalformedLine."""
    return _read(line, _import)


def parse_proof(line: bytes) -> ProvenLeaf:
    """The leaf of a line; nothing is verified. Raises MalformedLine."""
    return _read(line, _proof)


def json_object(line: bytes) -> dict[str, Any]:
    """A line as an object of JSON; raises MalformedLine."""
    if len(line) > LINE_MAX:
        raise MalformedLine(f"the line has more than {LINE_MAX} bytes")
    try:
        members = json.loads(line)
    except UnicodeDecodeError:
        raise MalformedLine("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        raise MalformedLine from None
    if not isinstance(members, dict):
        raise MalformedLine
    return members


def _read(line: bytes, parse: Callable[[Members], Value]) -> Value:
    members = json_object(line)
    try:
        return parse(members)
    except KeyError as error:
        raise MalformedLine(f"the member {error.args[0]} is missing") from None
    except MalformedLine:
        raise
    except (ValueError, TypeError, AttributeError, OverflowError, MoltNetError):
        raise MalformedLine("a member has another type than it should have") from None


def _entry(members: Members) -> ArchivedEntry:
    tags = members["tags"]
    new = NewEntry(
        content=_text(members["content"]),
        title=_optional(_text, members["title"]),
        tags=None if tags is None else tuple(_text(tag) for tag in _list(tags)),
        importance=_integer(members["importance"]),
        entry_type=EntryType(members["entryType"]),
        occurred_at=_optional(_time, members["occurredAt"]),
    )
    return ArchivedEntry(
        id=EntryId(_uuid(members["id"])),
        new=new,
        superseded_by=_optional(lambda text: EntryId(_uuid(text)), members["supersededBy"]),
        created_at=_time(members["createdAt"]),
        updated_at=_time(members["updatedAt"]),
        author_key=_optional(_key, members["author"]),
        editor_key=_optional(_key, members["editedBy"]),
    )


def _record(members: Members) -> SignedRecord:
    payload, signature = members.get("payload"), members.get("signature")
    return SignedRecord(
        sequence=_integer(members["sequence"]),
        hash=_text(members["hash"]),
        payload=None if payload is None else b64decode(_text(payload), validate=True),
        signature=None if signature is None else b64decode(_text(signature), validate=True),
        content=_optional(_text, members.get("content")),
    )


def _import(members: Members) -> Imported:
    origin = Origin(
        key=_text(members["key"]),
        source=_text(members["source"]),
        original_id=_optional(_text, members["originalId"]),
        author_key=_optional(lambda text: PublicKey.parse(_text(text)), members["authorKey"]),
        editor_key=_optional(lambda text: PublicKey.parse(_text(text)), members["editorKey"]),
        written_at=_optional(_time, members["writtenAt"]),
        changed_at=_optional(_time, members["changedAt"]),
        record=_optional(_record, members["record"]),
        proof=_optional(_proof, members["proof"]),
    )
    return Imported(origin=origin, entry_id=_optional(lambda text: EntryId(_uuid(text)), members["entry"]))


def _proof(members: Members) -> ProvenLeaf:
    return ProvenLeaf.parse(_text(members["key"]), _text(members["leaf"]), _text(members["proof"]))


def _record_members(record: SignedRecord) -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "hash": record.hash,
        "payload": None if record.payload is None else base64_text(record.payload),
        "signature": None if record.signature is None else base64_text(record.signature),
    }


def _line(members: Members) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _agent(author: Author | None) -> dict[str, str] | None:
    if author is None:
        return None
    return {"fingerprint": str(author.public_key.fingerprint), "publicKey": author.public_key.text}


def _written(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def _optional(read: Callable[[Any], Value], value: Any) -> Value | None:
    return None if value is None else read(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    fault = text_fault(value)
    if fault:
        raise MalformedLine(f"a text {fault}")
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _uuid(value: object) -> UUID:
    found = parse_uuid(_text(value))
    if found is None:
        raise ValueError
    return found


def _key(members: Members) -> PublicKey:
    return PublicKey.parse(_text(members["publicKey"]))


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError
    return at
