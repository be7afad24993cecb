"""Whether an archive holds: for anybody who has the file; nobody is asked."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from moltnet.domain.archive_lines import parse_entry, parse_import, parse_shown_record
from moltnet.domain.archives import PAYLOAD_TYPE, ArchivedDiary, Manifest, Part
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, SignedRecord, content_hash, record_hash, signed_bytes
from moltnet.domain.services.chains import ChainVerifier
from moltnet.entrypoints.container import archives
from moltnet.entrypoints.container.remote import signatures
from moltnet.ports.keys import KeyPair


@attrs.frozen
class ArchiveFinding:
    """Something wrong with an archive: the file in it, with a line where it is about one, and what."""

    position: str
    fault: str


@attrs.frozen(kw_only=True)
class ArchiveVerdict:
    """What came of verifying an archive: whose it is, how much is in it, and what is wrong.

    `signed_by` is the key under whose signature everything in it is as it was exported; None where it has none.
    """

    manifest: Manifest
    signed_by: Fingerprint | None
    entries: int
    records: int
    evidence: int
    findings: tuple[ArchiveFinding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.findings


def verify_archive(path: Path, *, identities: Sequence[Path] = (), keys: KeyPair | None = None) -> ArchiveVerdict:
    """Whether an archive is as it was exported, and whole: every line, hash, signature and chain.

    An encrypted one is read with the private keys in the files of `identities`, or with `keys`. Raises
    ArchiveUnreadable for a file that is none.
    """
    with archives.archive(path, identities, keys) as archive:
        check = _Check(archive)
        check.signature()
        for diary in archive.manifest.diaries:
            check.diary(diary)
        return check.verdict()


@attrs.define
class _Check:
    _archive: archives.ArchiveFile
    _signed_by: Fingerprint | None = None
    _entries: int = 0
    _records: int = 0
    _evidence: int = 0
    _findings: list[ArchiveFinding] = attrs.field(factory=list)

    def verdict(self) -> ArchiveVerdict:
        return ArchiveVerdict(
            manifest=self._archive.manifest,
            signed_by=self._signed_by,
            entries=self._entries,
            records=self._records,
            evidence=self._evidence,
            findings=tuple(self._findings),
        )

    def signature(self) -> None:
        if self._archive.signature is None:
            return
        key = self._archive.manifest.agent
        try:
            signature = b64decode(json.loads(self._archive.signature)["sig"], validate=True)
        except (ValueError, KeyError, TypeError, RecursionError):
            signature = b""
        if key and signatures().verify(key, signed_bytes(self._archive.payload, PAYLOAD_TYPE), signature):
            self._signed_by = key.fingerprint
        else:
            self._found("signature.json", "the signature is not the exporting agent's over manifest.json")

    def diary(self, diary: ArchivedDiary) -> None:
        hashes: dict[EntryId, str] = {}
        if diary.signed:
            self._chain(diary)
        else:
            self._plain(diary, hashes)
        if diary.imports is not None:
            for position, line in self._lines(diary.imports):
                try:
                    imported = parse_import(line)
                    signed = imported.origin.record
                    if signed is not None and signed.payload is not None:
                        written = None if imported.entry_id is None else hashes.get(imported.entry_id)
                        self._evidence_of(position, signed, written)
                except Invalid as error:
                    self._found(position, error.detail)

    def _chain(self, diary: ArchivedDiary) -> None:
        verifier = ChainVerifier(signatures())
        for position, line in self._lines(diary.entries):
            try:
                verifier.add([parse_shown_record(line)])
                self._records += 1
            except Invalid as error:
                self._found(position, error.detail)
        verdict = verifier.verdict()
        self._entries += verdict.entries - verdict.removals
        for finding in verdict.findings:
            self._found(f"{diary.entries.name}, record {finding.sequence}", finding.fault)
        if verdict.diary_id not in {None, diary.id}:
            self._found(diary.entries.name, "its records are of another diary")
        if diary.head != verdict.head:
            self._found(diary.entries.name, "its last record is not the one that the manifest names")

    def _plain(self, diary: ArchivedDiary, hashes: dict[EntryId, str]) -> None:
        for position, line in self._lines(diary.entries):
            try:
                entry = parse_entry(line)
            except Invalid as error:
                self._found(position, error.detail)
                continue
            self._entries += 1
            if entry.id in hashes:
                self._found(position, "this entry came before")
            hashes[entry.id] = content_hash(entry.new.content)

    def _evidence_of(self, position: str, signed: SignedRecord, written: str | None) -> None:
        payload, signature = signed.payload or b"", signed.signature or b""
        record = parse_record(payload)
        if record_hash(payload) != signed.hash or record.sequence != signed.sequence:
            self._found(position, "the hash or number is not that of the record")
        if not signatures().verify(record.key, signed_bytes(payload), signature):
            self._found(position, "the signature is not its author's over the record")
        if not isinstance(record, EntryRecord) or record.content_hash == written:
            self._evidence += 1  # else the entry was edited since, and its record proves it no more

    def _lines(self, part: Part) -> Iterator[tuple[str, bytes]]:
        try:
            for number, line in enumerate(self._archive.lines(part), 1):
                yield f"{part.name}:{number}", line
        except archives.PartDamaged as error:
            self._found(part.name, error.detail)

    def _found(self, position: str, fault: str) -> None:
        self._findings.append(ArchiveFinding(position, fault))
