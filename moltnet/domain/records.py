"""Records of signed diaries: canonical texts that their authors signed, each with the hash of the one before it.

A record is JSON in canonical form (RFC 8785), signed in a DSSE envelope; docs/reference/records.md has the bytes.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

import attrs
import rfc8785

from moltnet.domain.diaries import Head as Head  # noqa: PLC0414  # it is a record's, too
from moltnet.domain.entries import Entry, EntryType, NewEntry, written_tags
from moltnet.domain.errors import Conflict, Forbidden, Invalid, NotFound
from moltnet.domain.ids import AgentId, DiaryId, EntryId, PreparedRecordId
from moltnet.domain.keys import Fingerprint, PublicKey

PAYLOAD_TYPE = "application/vnd.moltnet.record.v1+json"
PAYLOAD_MAX = 32_768
HASH_LENGTH = hashlib.sha256().digest_size * 2
SALT_BYTES = 16
# How far the time in a record may be from the network's own: a request to sign stays open as long.
CLOCK_TOLERANCE = timedelta(seconds=300)
PAGE_MAX = 100
SEQUENCE_MAX = 2**31 - 1  # as databases count


class MalformedRecord(Invalid):
    """A payload that is no record in canonical form."""

    code = "MALFORMED_RECORD"
    sentence = "The payload must be a record in canonical form (docs/reference/records.md)"


class RecordRefused(Invalid):
    """A well-formed record that does not belong where it was sent; the sentence says why."""

    code = "RECORD_REFUSED"


class RecordOfAnother(Forbidden):
    """A record under another agent's key, or without a good signature."""

    code = "RECORD_OF_ANOTHER"
    sentence = "A record must be signed with the caller's own key"


class EntryIdUsed(Conflict):
    """A record that would write an entry under an id that is in use, or was."""

    code = "ENTRY_ID_USED"
    sentence = "The entry's id is in use already: prepare the record with a new one"


class NoSuchRecord(NotFound):
    """No record of this number in the diary, or one that was removed."""

    code = "NO_SUCH_RECORD"
    sentence = "Record not found"


EMPTY = Head(sequence=0, hash=None)


class HeadMoved(Conflict):
    """Another record came first; `head` is the one that the next must follow."""

    code = "HEAD_MOVED"

    def __init__(self, head: Head) -> None:
        self.head = head
        super().__init__(f"The record must follow record {head.sequence} with the hash {head.hash}: sign it again")


@attrs.frozen(kw_only=True)
class Record:
    """What records of every kind hold."""

    kind: ClassVar[str]

    diary_id: DiaryId
    sequence: int
    previous: str | None
    key: PublicKey
    created_at: datetime
    entry_id: EntryId

    def __attrs_post_init__(self) -> None:
        """Raises MalformedRecord unless the first record, and it alone, follows none."""
        if not 1 <= self.sequence <= SEQUENCE_MAX or (self.sequence == 1) != (self.previous is None):
            raise MalformedRecord

    @property
    def written_entry(self) -> EntryId | None:
        """The entry that it writes, if it writes one."""
        return None

    @property
    def author(self) -> Fingerprint:
        """The fingerprint of the key that signs it."""
        return self.key.fingerprint

    @property
    def members(self) -> dict[str, Any]:
        """The members of its JSON."""
        return {
            "kind": self.kind,
            "diary": str(self.diary_id),
            "sequence": self.sequence,
            "previous": self.previous,
            "author": str(self.author),
            "key": self.key.text,
            "createdAt": time_text(self.created_at),
            "entry": str(self.entry_id),
        }

    @property
    def payload(self) -> bytes:
        """Its canonical form, which is hashed and signed."""
        return rfc8785.dumps(self.members)


@attrs.frozen(kw_only=True)
class EntryRecord(Record):
    """An entry that was written, in the place of another where it `supersedes` one.

    The salt keeps a removed content from being guessed by the hashes that stay.
    """

    kind = "entry"

    entry_type: EntryType
    title: str | None
    content_hash: str
    tags: tuple[str, ...] | None
    importance: int
    occurred_at: datetime | None
    supersedes: EntryId | None
    salt: str

    @property
    def written_entry(self) -> EntryId:
        """The entry that it writes."""
        return self.entry_id

    @property
    def members(self) -> dict[str, Any]:
        """The members of its JSON."""
        return {
            **super().members,
            "type": self.entry_type.value,
            "title": self.title,
            "contentHash": self.content_hash,
            "tags": None if self.tags is None else list(self.tags),
            "importance": self.importance,
            "occurredAt": self.occurred_at and time_text(self.occurred_at),
            "supersedes": self.supersedes and str(self.supersedes),
            "salt": self.salt,
        }

    @classmethod
    def of(  # noqa: PLR0913  # what is written, by whom, after what
        cls,
        new: NewEntry,
        *,
        diary_id: DiaryId,
        head: Head,
        key: PublicKey,
        entry_id: EntryId,
        supersedes: EntryId | None,
        salt: bytes,
        at: datetime,
    ) -> Self:
        """The record of an entry that is to be written after `head`."""
        return cls(
            diary_id=diary_id,
            sequence=head.sequence + 1,
            previous=head.hash,
            key=key,
            created_at=at,
            entry_id=entry_id,
            entry_type=new.entry_type,
            title=new.title,
            content_hash=content_hash(new.content),
            tags=None if new.tags is None else written_tags(new.tags),
            importance=new.importance,
            occurred_at=new.occurred_at,
            supersedes=supersedes,
            salt=salt.hex(),
        )

    def new_entry(self, content: str) -> NewEntry:
        """What is written; raises RecordRefused for another content than the record's."""
        if content_hash(content) != self.content_hash:
            raise RecordRefused("The content is not the one whose SHA-256 the record holds as contentHash")
        return NewEntry(
            content=content,
            title=self.title,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
            occurred_at=self.occurred_at,
        )

    def check_written(self, entry: Entry) -> None:
        """Raises RecordRefused where an entry is stored otherwise than the record says it."""
        if entry.tags != self.tags:
            raise RecordRefused("Tags must be in NFC, without white space around them")


@attrs.frozen(kw_only=True)
class RemovalRecord(Record):
    """An entry that was removed, by the number and hash of its record, and by the hash of the record before that one.

    Nothing else of the record stays, and without its word on what it followed that could be replaced.
    """

    kind = "removal"

    removes: int
    removed_hash: str
    removed_previous: str | None

    @classmethod
    def of(cls, target: EntryRecord, *, head: Head, key: PublicKey, at: datetime) -> Self:
        """The record that removes an entry by the record that wrote it."""
        return cls(
            diary_id=target.diary_id,
            sequence=head.sequence + 1,
            previous=head.hash,
            key=key,
            created_at=at,
            entry_id=target.entry_id,
            removes=target.sequence,
            removed_hash=record_hash(target.payload),
            removed_previous=target.previous,
        )

    @property
    def members(self) -> dict[str, Any]:
        """The members of its JSON."""
        removed = {"removedHash": self.removed_hash, "removedPrevious": self.removed_previous}
        return {**super().members, "removes": self.removes, **removed}

    def is_of(self, target: "AnyRecord") -> bool:
        """Whether this is the removal of a record."""
        removed = target.sequence, record_hash(target.payload), target.previous, target.entry_id
        return removed == (self.removes, self.removed_hash, self.removed_previous, self.entry_id)


@attrs.frozen(kw_only=True)
class SignedRecord:
    """A record as it is stored and shown; without payload and signature when it was removed."""

    sequence: int
    hash: str
    payload: bytes | None
    signature: bytes | None
    content: str | None = None

    @classmethod
    def of(cls, record: Record, signature: bytes, payload: bytes | None = None) -> Self:
        """A record with its signature; its payload is not written again where it is at hand."""
        payload = record.payload if payload is None else payload
        return cls(sequence=record.sequence, hash=record_hash(payload), payload=payload, signature=signature)

    @property
    def head(self) -> Head:
        """The head of the chain when this is the last record."""
        return Head(sequence=self.sequence, hash=self.hash)


@attrs.frozen(kw_only=True)
class PreparedRecord:
    """A record that waits for its author's signature, for as long as a signing request."""

    id: PreparedRecordId
    agent_id: AgentId
    diary_id: DiaryId
    payload: bytes
    content: str | None
    expires_at: datetime

    @property
    def signing_input(self) -> bytes:
        """The bytes to sign."""
        return signed_bytes(self.payload)


def signed_bytes(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The bytes that the signature of a record covers: DSSE's pre-authentication encoding of its payload."""
    name = payload_type.encode("ascii")
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def record_hash(payload: bytes) -> str:
    """The hash of a record: SHA-256 of its payload, in lower-case hexadecimal."""
    return hashlib.sha256(payload).hexdigest()


def content_hash(content: str) -> str:
    """The same of a content, as UTF-8."""
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def time_text(at: datetime) -> str:
    """A time as records write it: UTC, to the millisecond, as 2026-01-31T09:30:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


AnyRecord = EntryRecord | RemovalRecord


def base64_text(data: bytes) -> str:
    """Bytes in padded base64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")
