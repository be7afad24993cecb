"""What comes into a diary from elsewhere: stored once, with where it was written first."""

from collections.abc import Mapping, Sequence

import attrs

from moltnet.domain import diaries
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.entries import Kept
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.ids import DiaryId, EntryId, parse_uuid
from moltnet.domain.imports import EvidenceRefused, Imported, ImportOutcome, NewImport, Origin, OriginExists
from moltnet.domain.log_views import ProvenLeaf
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import EntryRecord, SignedRecord, content_hash, record_hash, signed_bytes
from moltnet.domain.services.access import Check, DiaryAccess
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.log_check import LogVerifier
from moltnet.domain.services.requests import ThrottlingService
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, UnitOfWork


@attrs.frozen(kw_only=True)
class ImportService:
    """What an agent does with memories from elsewhere."""

    storage: Storage
    access: DiaryAccess
    entries: EntryService
    signatures: Signatures
    throttling: ThrottlingService

    async def add(self, caller: Caller, diary_id: DiaryId, items: Sequence[NewImport]) -> list[ImportOutcome]:
        """Imports one after the other, each in a transaction of its own; answers what became of each, in their order.

        What is invalid is refused, and the others go on. Whatever else goes wrong ends it: it is raised if nothing
        came before, else fewer are answered than were sent, and the rest is to be sent again.

        Raises DiaryNotFound, InsufficientPermissions, SignatureRequired, QuotaExceeded, AllowanceUsedUp, Unavailable.
        """
        (await self.access.check(caller, diary_id, diaries.writable)).check_unsigned()
        known = await self._known(diary_id, items)
        outcomes: list[ImportOutcome] = []
        for item in items:
            key = item.origin.key
            try:
                if key not in known:
                    known[key] = await self._import(caller, diary_id, item)
                    outcomes.append(ImportOutcome(key=key, entry_id=known[key]))
                else:
                    outcomes.append(ImportOutcome(key=key, entry_id=known[key], repeated=True))
            except OriginExists:  # somebody else imported it at the same time
                known |= await self._known(diary_id, [item])
                outcomes.append(ImportOutcome(key=key, entry_id=known.get(key), repeated=True))
            except Invalid as error:
                outcomes.append(ImportOutcome(key=key, code=error.code, reason=error.detail))
            except MoltNetError:
                if not outcomes:
                    raise
                break
        return outcomes

    async def page(self, caller: Caller | Anonymous, diary_id: DiaryId, after: str, limit: int) -> Sequence[Imported]:
        """The origins of a diary that the caller may read, behind a key; raises DiaryNotFound and Unauthenticated."""
        return await self.access.read_diary(caller, diary_id, lambda work: work.imports.page(diary_id, after, limit))

    async def _known(self, diary_id: DiaryId, items: Sequence[NewImport]) -> dict[str, EntryId | None]:
        """Which of them the diary has: as imports, or as the very entries they once were."""
        own = {EntryId(id_): item.origin.key for item in items if (id_ := parse_uuid(item.origin.original_id or ""))}
        async with self.storage.autocommit() as work:
            imported: Mapping[str, EntryId | None] = await work.imports.known(
                diary_id, [item.origin.key for item in items]
            )
            entries = await work.entries.find_many(list(own)) if own else []
        return {own[entry.id]: entry.id for entry in entries if entry.diary_id == diary_id} | dict(imported)

    async def _import(self, caller: Caller, diary_id: DiaryId, item: NewImport) -> EntryId | None:
        origin = item.origin
        if item.passages:
            await self.throttling.count_passages(caller.asker, item.passages)
        self._check_evidence(origin, None if item.new is None else item.new.content)
        if item.new is not None:

            async def save_origin(work: UnitOfWork, kept: Kept) -> None:
                await work.imports.add(diary_id, origin, kept.entry.id)

            return (await self.entries.keep(caller, diary_id, item.new, save_origin)).entry.id

        async def add(work: UnitOfWork, check: Check) -> None:
            (await check(diaries.writable)).check_unsigned()
            await work.imports.add(diary_id, origin, None)

        await self.access.write_authorized(caller, diary_id, add)
        return None

    def _check_evidence(self, origin: Origin, content: str | None) -> None:
        """Raises EvidenceRefused, and MalformedRecord."""
        if origin.proof is not None:
            self._check_proof(origin, origin.proof, content)
        elif origin.record is None:
            if content is None:
                raise EvidenceRefused("There is nothing to import: neither a content nor a record")
        elif origin.record.payload is None:
            if content is not None:
                raise EvidenceRefused("A record without its payload proves no content")
        else:
            self._check_record(origin, origin.record, content)

    def _check_proof(self, origin: Origin, proof: ProvenLeaf, content: str | None) -> None:
        if content is not None or origin.record is not None:
            raise EvidenceRefused("A leaf of a log comes alone, without a record or a content")
        try:
            LogVerifier(self.signatures).proven(proof)
        except MoltNetError as error:
            raise EvidenceRefused(f"The proof does not hold: {error.detail}") from error

    def _check_record(self, origin: Origin, signed: SignedRecord, content: str | None) -> None:
        payload, signature = signed.payload or b"", signed.signature or b""
        record = parse_record(payload)
        proven = content_hash(content) if content is not None else None
        written = record.content_hash if isinstance(record, EntryRecord) else None
        checks = (
            (record_hash(payload) == signed.hash, "The hash is not that of the record"),
            (record.sequence == signed.sequence, "The record has another number"),
            (self.signatures.verify(record.key, signed_bytes(payload), signature), "The signature is not its author's"),
            (origin.author_key == record.key, "The record is by another key than authorKey"),
            (proven == written, "The content is not the one that was signed"),
        )
        for holds, fault in checks:
            if not holds:
                raise EvidenceRefused(fault)
