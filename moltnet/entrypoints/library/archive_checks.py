"""Whether an archive holds: for anybody who has the file; nobody is asked."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from moltnet.domain.archive_lines import parse_entry, parse_import, parse_proof, parse_shown_record
from moltnet.domain.archives import PAYLOAD_TYPE, ArchivedDiary, Manifest, Part
from moltnet.domain.checkpoints import VerifierKey
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.logged_facts import LoggedFacts
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, SignedRecord, content_hash, record_hash, signed_bytes
from moltnet.domain.services.chains import ChainVerifier
from moltnet.domain.services.log_check import LogVerifier
from moltnet.domain.transparency import Leaf
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
    `logs` are the open logs that something in it is proven by, and `proven` how many leaves of theirs.
    """

    manifest: Manifest
    signed_by: Fingerprint | None
    entries: int
    records: int
    evidence: int
    logs: tuple[VerifierKey, ...]
    proven: int
    findings: tuple[ArchiveFinding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.findings


def verify_archive(
    path: Path,
    *,
    identities: Sequence[Path] = (),
    keys: KeyPair | None = None,
    network_key: VerifierKey | None = None,
    witnesses: Sequence[VerifierKey] = (),
) -> ArchiveVerdict:
    """Whether an archive is as it was exported, and whole: every line, hash, signature and chain.

    With the key of a network's open log, that log must prove whose the keys are that signed the archive and the records
    of its diaries, and all of `witnesses` must have signed it. An encrypted archive is read with the private keys in
    the files of `identities`, or with `keys`. Raises ArchiveUnreadable for a file that is none.
    """
    with archives.archive(path, identities, keys) as archive:
        check = _Check(archive, network_key, witnesses)
        check.signature()
        for diary in archive.manifest.diaries:
            check.diary(diary)
        return check.verdict()


@attrs.define
class _Check:
    _archive: archives.ArchiveFile
    _network_key: VerifierKey | None
    _witnesses: Sequence[VerifierKey]
    _logs: dict[VerifierKey, int] = attrs.field(factory=dict)
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
            logs=tuple(self._logs),
            proven=sum(self._logs.values()),
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
            self._expect_proven("signature.json", [key], self._facts(self._archive.manifest.log))
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
                    if imported.origin.proof is not None:
                        self._leaf(imported.origin.proof)
                    signed = imported.origin.record
                    if signed is not None and signed.payload is not None:
                        written = None if imported.entry_id is None else hashes.get(imported.entry_id)
                        self._evidence_of(position, signed, written)
                except MoltNetError as error:
                    self._found(position, error.detail)

    def _chain(self, diary: ArchivedDiary) -> None:
        verifier, facts = ChainVerifier(signatures()), self._facts(diary.log, diary.id)
        for position, line in self._lines(diary.entries):
            try:
                record = parse_shown_record(line)
                verifier.add([record])
                self._records += 1
            except Invalid as error:
                self._found(position, error.detail)
                continue
            if facts.heads.pop(record.sequence, record.hash) != record.hash:
                self._found(position, "the open log has another record of this number")
        for sequence in facts.heads:
            self._found(diary.entries.name, f"the open log has a record {sequence}, which is missing")
        verdict = verifier.verdict(facts.retired(verifier.keys))
        self._expect_proven(diary.entries.name, verifier.keys, facts)
        self._entries += verdict.entries
        for finding in verdict.findings:
            self._found(f"{diary.entries.name}, record {finding.sequence}", finding.fault)
        if verdict.diary_id not in {None, diary.id}:
            self._found(diary.entries.name, "its records are of another diary")
        if diary.head != verdict.head:
            self._found(diary.entries.name, "its last record is not the one that the manifest names")

    def _facts(self, part: Part | None, diary_id: DiaryId | None = None) -> LoggedFacts:
        """What the leaves of a part say, those that are proven; of another network's log nothing counts."""
        facts = LoggedFacts(diary_id)
        for position, line in self._lines(part) if part else ():
            try:
                proof = parse_proof(line)
                if self._network_key not in {None, proof.key}:
                    self._found(position, f"it is proven by another log: {proof.key.text}")
                    continue
                facts.add(self._leaf(proof))
            except MoltNetError as error:
                self._found(position, error.detail)
        return facts

    def _leaf(self, proof: ProvenLeaf) -> Leaf:
        """The leaf of a proof that holds."""
        leaf = LogVerifier(signatures()).proven(proof, self._witnesses if proof.key == self._network_key else ())
        self._logs[proof.key] = self._logs.get(proof.key, 0) + 1
        return leaf

    def _expect_proven(self, position: str, keys: Iterable[PublicKey], facts: LoggedFacts) -> None:
        for key in keys if self._network_key else ():
            if key not in facts.keys:
                self._found(position, f"the open log does not prove that {key.fingerprint} is an agent's key")

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
            hashes[entry.id] = content_hash(entry.new.content) if diary.imports else ""  # for records of imports alone

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
