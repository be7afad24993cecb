"""Whether a chain of records holds: for anybody who has its records, without trusting who stores them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import attrs

from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import (
    CLOCK_TOLERANCE,
    EMPTY,
    AnyRecord,
    EntryRecord,
    Head,
    MalformedRecord,
    SignedRecord,
    content_hash,
    record_hash,
    signed_bytes,
)
from moltnet.ports.keys import Signatures


class Fault(StrEnum):
    """What is wrong with a record, or with the chain."""

    GAP = "a record before it is missing"
    REPEATED = "a record of this number came before"
    MALFORMED = "the payload is no record in canonical form"
    OTHER_NUMBER = "the payload is of another number or diary"
    OTHER_HASH = "the hash is not that of the payload"
    BROKEN_LINK = "it does not follow the record before it: the chain was forked or changed"
    BAD_SIGNATURE = "the signature is not its author's over the payload"
    FOREIGN_KEY = "its author is none of the expected keys"
    RETIRED_KEY = "its author had given the key up before"
    OTHER_CONTENT = "the content is not the one that was signed"
    NOT_REMOVED = "it is empty, and no later record removes it"
    WRONG_REMOVAL = "it removes a record that is not there, or is still shown"
    UNKNOWN_ENTRY = "it replaces an entry that no record before it wrote"
    ROLLED_BACK = "the chain is shorter than it was known to be, or was forked"


@attrs.frozen
class Finding:
    """Something wrong with the record of a number."""

    sequence: int
    fault: Fault


@attrs.frozen
class SignedAt:
    """The record that a key signed last, by the time that it says."""

    sequence: int
    at: datetime


NOTHING_RETIRED: Mapping[PublicKey, datetime] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Verdict:
    """What came of verifying a chain."""

    diary_id: DiaryId | None
    head: Head
    entries: int
    removals: int
    authors: tuple[Fingerprint, ...]
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.findings


@attrs.define
class ChainVerifier:
    """Verifies records one after the other, by number; one that is wrong does not stop it.

    With `keys`, each record must be by one of them. `known` is a head that was seen earlier.
    """

    _signatures: Signatures
    _keys: frozenset[PublicKey] | None = None
    _known: Head = EMPTY
    _diary_id: DiaryId | None = None
    _head: Head = EMPTY
    _authors: dict[PublicKey, SignedAt] = attrs.field(factory=dict)
    _entries: set[EntryId] = attrs.field(factory=set)
    _empty: dict[int, tuple[str, str | None]] = attrs.field(factory=dict)  # its hash, and that of the one before
    _removals: int = 0
    _findings: list[Finding] = attrs.field(factory=list)

    def add(self, records: Iterable[SignedRecord]) -> None:
        """Verifies the next records."""
        for each in records:
            for fault in self._faults(each):
                self._findings.append(Finding(each.sequence, fault))
            if each.sequence > self._head.sequence:
                self._head = each.head

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys that signed the records so far."""
        return tuple(self._authors)

    @property
    def authors(self) -> tuple[Fingerprint, ...]:
        """The keys that signed the records so far, by their short names."""
        return tuple(key.fingerprint for key in self._authors)

    def verdict(self, retired: Mapping[PublicKey, datetime] = NOTHING_RETIRED) -> Verdict:
        """What came of it, once all records were added; `retired` says until when each former key was its agent's."""
        findings = [*self._findings, *(Finding(number, Fault.NOT_REMOVED) for number in self._empty)]
        findings += [
            Finding(last.sequence, Fault.RETIRED_KEY)
            for key, last in self._authors.items()
            if key in retired and last.at > retired[key] + CLOCK_TOLERANCE
        ]
        if self._known.sequence > self._head.sequence:
            findings.append(Finding(self._known.sequence, Fault.ROLLED_BACK))
        return Verdict(
            diary_id=self._diary_id,
            head=self._head,
            entries=len(self._entries),
            removals=self._removals,
            authors=self.authors,
            findings=tuple(sorted(findings, key=lambda finding: finding.sequence)),
        )

    def _faults(self, signed: SignedRecord) -> Iterable[Fault]:
        if signed.sequence <= self._head.sequence:
            yield Fault.REPEATED
            return
        if signed.sequence != self._head.sequence + 1:
            yield Fault.GAP
        if signed.sequence == self._known.sequence and signed.hash != self._known.hash:
            yield Fault.ROLLED_BACK
        if signed.payload is None or signed.signature is None:
            self._empty[signed.sequence] = signed.hash, self._head.hash
            return
        if record_hash(signed.payload) != signed.hash:
            yield Fault.OTHER_HASH
        try:
            record = parse_record(signed.payload)
        except MalformedRecord:
            yield Fault.MALFORMED
            return
        yield from self._record_faults(record, signed)

    def _record_faults(self, record: AnyRecord, signed: SignedRecord) -> Iterable[Fault]:
        self._diary_id = self._diary_id or record.diary_id
        last = self._authors.get(record.key)
        if last is None or last.at < record.created_at:
            self._authors[record.key] = SignedAt(signed.sequence, record.created_at)
        if (record.sequence, record.diary_id) != (signed.sequence, self._diary_id):
            yield Fault.OTHER_NUMBER
        if signed.sequence == self._head.sequence + 1 and record.previous != self._head.hash:
            yield Fault.BROKEN_LINK
        if not self._signatures.verify(record.key, signed_bytes(signed.payload or b""), signed.signature or b""):
            yield Fault.BAD_SIGNATURE
        if self._keys is not None and record.key not in self._keys:
            yield Fault.FOREIGN_KEY
        if isinstance(record, EntryRecord):
            yield from self._entry_faults(record, signed)
            return
        self._removals += 1
        removed = self._empty.pop(record.removes, None)
        if removed is None or removed[0] != record.removed_hash:
            yield Fault.WRONG_REMOVAL
        elif removed[1] != record.removed_previous:
            self._findings.append(Finding(record.removes, Fault.BROKEN_LINK))

    def _entry_faults(self, record: EntryRecord, signed: SignedRecord) -> Iterable[Fault]:
        if signed.content is None or content_hash(signed.content) != record.content_hash:
            yield Fault.OTHER_CONTENT
        # What it replaced may have been removed since, with its number and hash alone left.
        is_known = record.supersedes is None or record.supersedes in self._entries
        if not is_known and not self._empty and not self._removals:
            yield Fault.UNKNOWN_ENTRY
        self._entries.add(record.entry_id)
