"""What comes into diaries from elsewhere."""

import base64
from datetime import datetime
from typing import Annotated, Any, Self

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Description, Integer, ItemCount, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Content, EntryType, Importance, NewEntry, OccurredAt, Tags, Title
from moltnet.domain.ids import EntryId
from moltnet.domain.imports import (
    ITEMS_MAX,
    KEY_MAX,
    PAGE_MAX,
    Candidate,
    EvidenceRefused,
    Imported,
    ImportOutcome,
    NewImport,
    Origin,
    OriginalId,
    OriginKey,
    Source,
)
from moltnet.domain.keys import PublicKey, decode_signature
from moltnet.domain.log_views import PROOF_TEXT_MAX, ProvenLeaf
from moltnet.domain.records import HASH_LENGTH, PAYLOAD_MAX, SEQUENCE_MAX, SignedRecord
from moltnet.domain.signing import SIGNATURE_TEXT_MAX
from moltnet.domain.tiles import LEAF_MAX
from moltnet.domain.views import ShownRecord
from moltnet.entrypoints.operations.appearance import Envelope, Http
from moltnet.entrypoints.operations.entries import InDiary
from moltnet.entrypoints.operations.operation import Auth, Call, Operation
from moltnet.entrypoints.schema.views import view

_PATH = "/diaries/{diaryId}/imports"
_KEY_TEXT_MAX = 100
LOG_KEY_MAX = 400
Key = Annotated[str, Text(1, _KEY_TEXT_MAX), Description("As ed25519:<base64>")]
_Sequence = Annotated[int, Integer(1, SEQUENCE_MAX), Description("The record's number in its chain")]
_Hash = Annotated[str, Text(HASH_LENGTH, HASH_LENGTH, "^[0-9a-f]+$"), Description("The record's hash")]
_Payload = Annotated[str, Text(1, 4 * (PAYLOAD_MAX // 3 + 1)), Description("The record, in base64")]
_Signature = Annotated[str, Text(1, SIGNATURE_TEXT_MAX), Description("64 bytes in padded base64")]

view(
    ImportOutcome,
    "ImportOutcome",
    "What became of something to import: the entry it is now, or why it was refused.",
    "key entry_id? repeated code? reason?",
)


@attrs.frozen(kw_only=True)
class OriginMembers:
    """Where something was written first, and the record of it there."""

    key: OriginKey
    source: Source
    original_id: OriginalId | None = None
    author_key: Key | None = None
    editor_key: Key | None = None
    written_at: Annotated[datetime, Description("When it was written there")] | None = None
    changed_at: Annotated[datetime, Description("When it was changed last there")] | None = None
    sequence: _Sequence | None = None
    hash: _Hash | None = None
    payload: _Payload | None = None
    signature: _Signature | None = None
    log_key: Annotated[str, Text(1, LOG_KEY_MAX), Description("The verifier key of a network's log")] | None = None
    leaf: Annotated[str, Text(1, LEAF_MAX), Description("A leaf of that log: canonical JSON")] | None = None
    proof: Annotated[str, Text(1, PROOF_TEXT_MAX), Description("Its proof, as c2sp.org/tlog-proof")] | None = None

    @property
    def origin(self) -> Origin:
        """The origin; raises OriginOutOfLimits, EvidenceRefused, MalformedKey and MalformedCheckpoint."""
        return Origin(
            key=self.key,
            source=self.source,
            original_id=self.original_id,
            author_key=_parsed(self.author_key),
            editor_key=_parsed(self.editor_key),
            written_at=self.written_at,
            changed_at=self.changed_at,
            record=self._record,
            proof=self._proof,
        )

    @property
    def _proof(self) -> ProvenLeaf | None:
        if (self.log_key, self.leaf, self.proof) == (None, None, None):
            return None
        if self.log_key is None or self.leaf is None or self.proof is None:
            raise EvidenceRefused("A leaf of a log has logKey, leaf and proof")
        return ProvenLeaf.parse(self.log_key, self.leaf, self.proof)

    @property
    def _record(self) -> SignedRecord | None:
        if (self.sequence, self.hash, self.payload, self.signature) == (None, None, None, None):
            return None
        if self.sequence is None or self.hash is None or (self.payload is None) != (self.signature is None):
            raise EvidenceRefused("A record has sequence and hash, and payload and signature or neither")
        if self.payload is None or self.signature is None:
            return SignedRecord(sequence=self.sequence, hash=self.hash, payload=None, signature=None)
        signature = decode_signature(self.signature)
        if signature is None:
            raise EvidenceRefused("The signature is not 64 bytes in padded base64")
        try:
            payload = base64.b64decode(self.payload, validate=True)
        except ValueError:
            raise EvidenceRefused("The payload is not base64") from None
        return SignedRecord(sequence=self.sequence, hash=self.hash, payload=payload, signature=signature)


@attrs.frozen(kw_only=True)
class ImportItem(OriginMembers):
    """Something to import; without a content where its record wrote no entry, or the entry was removed."""

    content: Content | None = None
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance = IMPORTANCE_DEFAULT
    entry_type: EntryType = EntryType.SEMANTIC
    occurred_at: OccurredAt | None = None

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """What a file has for import, to be sent."""
        members = {} if candidate.new is None else attrs.asdict(candidate.new, recurse=False)
        members.pop("if_duplicate", None)
        return cls(**members, **_origin_members(candidate.origin))

    @property
    def new(self) -> NewEntry | None:
        """The entry to write."""
        if self.content is None:
            return None
        return NewEntry(
            content=self.content,
            title=self.title,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
            occurred_at=self.occurred_at,
        )


@attrs.frozen(kw_only=True)
class ShownImport(OriginMembers):
    """Where an imported entry was written first."""

    entry_id: EntryId | None = None

    @classmethod
    def of(cls, imported: Imported) -> Self:
        """What was imported, as it is shown."""
        return cls(entry_id=imported.entry_id, **_origin_members(imported.origin))


@attrs.frozen(kw_only=True)
class ImportEntries(InDiary):
    """What to import into a diary."""

    items: Annotated[tuple[ImportItem, ...], ItemCount(1, ITEMS_MAX)]


@attrs.frozen(kw_only=True)
class ListImports(InDiary):
    """Which imports to list."""

    after: Annotated[str, Text(0, KEY_MAX), Description("The key behind which to begin")] = ""
    limit: Annotated[int, Integer(1, PAGE_MAX)] = PAGE_MAX


def _parsed(key: str | None) -> PublicKey | None:
    return None if key is None else PublicKey.parse(key)


def _origin_members(origin: Origin) -> dict[str, Any]:
    record = origin.record and ShownRecord.of(origin.record)
    proof = origin.proof.texts if origin.proof else {}
    return {
        "key": origin.key,
        "source": origin.source,
        "original_id": origin.original_id,
        "author_key": _text(origin.author_key),
        "editor_key": _text(origin.editor_key),
        "written_at": origin.written_at,
        "changed_at": origin.changed_at,
        "sequence": record and record.sequence,
        "hash": record and record.hash,
        "payload": record and record.payload,
        "signature": record and record.signature,
        "log_key": proof.get("key"),
        "leaf": proof.get("leaf"),
        "proof": proof.get("proof"),
    }


def _text(key: PublicKey | None) -> str | None:
    return None if key is None else key.text


async def _import(call: Call, request: ImportEntries) -> list[ImportOutcome]:
    items = [NewImport(origin=item.origin, new=item.new) for item in request.items]
    return await call.services.imports.add(call.agent, request.diary_id, items)


async def _list(call: Call, request: ListImports) -> list[ShownImport]:
    found = await call.services.imports.page(call.caller, request.diary_id, request.after, request.limit)
    return list(map(ShownImport.of, found))


IMPORT = Operation(
    name="importEntries",
    summary="Import entries from elsewhere, each once",
    input=ImportEntries,
    output=list[ImportOutcome],
    run=_import,
    scopes=(Scope.DIARY_READ, Scope.DIARY_WRITE),
    rate=Tier.GLOBAL,
    http=Http(
        "POST",
        _PATH,
        tag="diary",
        envelope=Envelope("ImportOutcomes", "What became of each, in their order.", "items"),
        problems=(403, 404, 409),
        repeatable=True,
    ),
)
LIST = Operation(
    name="listImports",
    summary="List where imported entries were written first, by key",
    input=ListImports,
    output=list[ShownImport],
    run=_list,
    auth=Auth.OPTIONAL,
    scopes=(Scope.DIARY_READ,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        _PATH,
        tag="diary",
        envelope=Envelope("ImportList", "Imports by key; the next page begins after the last one.", "items"),
        problems=(404,),
    ),
)

OPERATIONS = (IMPORT, LIST)
