"""Signed diaries: records are prepared, signed where the key is, and appended (docs/reference/records.md)."""

from collections.abc import Awaitable, Callable, Sequence

import attrs

from moltnet.domain import diaries
from moltnet.domain.agents import Author
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry, NewEntry
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId, next_version
from moltnet.domain.keys import decode_signature
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import (
    CLOCK_TOLERANCE,
    SALT_BYTES,
    AnyRecord,
    EntryIdUsed,
    EntryRecord,
    Head,
    HeadMoved,
    NoSuchRecord,
    PreparedRecord,
    RecordOfAnother,
    RecordRefused,
    RemovalRecord,
    SignedRecord,
    signed_bytes,
)
from moltnet.domain.services.access import Check, DiaryAccess
from moltnet.domain.services.entries import EntryService, check_public
from moltnet.domain.services.indexing import Vectors
from moltnet.domain.services.relations import RelationService
from moltnet.domain.transparency import Leaf
from moltnet.ports.keys import Signatures
from moltnet.ports.permissions import Pending, Permissions
from moltnet.ports.storage import Storage, UnitOfWork, together
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class Appended:
    """A record that was appended: the entry that it wrote, None for a removal, and the head of the chain since."""

    entry: Entry | None
    chain: Head


@attrs.frozen(kw_only=True)
class RecordService:
    """What an agent does with signed diaries."""

    storage: Storage
    access: DiaryAccess
    permissions: Permissions
    relations: RelationService
    entries: EntryService
    signatures: Signatures
    clock: Clock
    randomness: Randomness

    async def head(self, caller: Caller | Anonymous, diary_id: DiaryId) -> Head:
        """The last record of a diary that the caller may read; raises DiaryNotFound and Unauthenticated."""
        return await self.access.read_diary(caller, diary_id, lambda work: work.records.head(diary_id))

    async def page(
        self, caller: Caller | Anonymous, diary_id: DiaryId, after: int, limit: int
    ) -> Sequence[SignedRecord]:
        """The records after a number, by number; raises as `head`."""
        return await self.access.read_diary(caller, diary_id, lambda work: work.records.page(diary_id, after, limit))

    async def prepare_entry(
        self, caller: Caller, diary_id: DiaryId, new: NewEntry, supersedes: EntryId | None = None
    ) -> PreparedRecord:
        """A record of an entry to sign; it waits for its signature. Raises as `append`, but for HeadMoved."""
        (await self.access.check(caller, diary_id, diaries.writable)).check_signed()
        at = self.clock.now()
        entry_id = EntryId(self.randomness.row_id(at))
        # As it will be stored, so that nothing of it is refused once it is signed.
        entry = await self.entries.written(
            lambda: new.written(entry_id, diary_id, at, self.entries.content_max), new.content
        )
        async with self.storage.autocommit() as work:
            head = await work.records.head(diary_id)
        record = EntryRecord.of(
            new,
            diary_id=diary_id,
            head=head,
            key=caller.public_key,
            entry_id=entry_id,
            supersedes=supersedes,
            salt=self.randomness.secret(SALT_BYTES),
            at=at,
        )
        return await self._prepared(caller, record, entry.content)

    async def prepare_removal(self, caller: Caller, diary_id: DiaryId, entry_id: EntryId) -> PreparedRecord:
        """The same for a removal; raises NoSuchRecord for an entry that no record wrote."""
        (await self.access.check(caller, diary_id, diaries.editable)).check_signed()
        async with self.storage.autocommit() as work:
            head = await work.records.head(diary_id)
            target = await work.records.of_entry(diary_id, entry_id)
        if target is None or target.payload is None:
            raise NoSuchRecord
        written = parse_record(target.payload)
        if not isinstance(written, EntryRecord):
            raise NoSuchRecord
        record = RemovalRecord.of(written, head=head, key=caller.public_key, at=self.clock.now())
        return await self._prepared(caller, record, None)

    async def complete(self, caller: Caller, prepared_id: PreparedRecordId, signature: str) -> Appended:
        """Appends a prepared record with its signature; raises as `append`, and NoSuchRecord past its time."""
        async with self.storage.autocommit() as work:
            prepared = await work.records.prepared(prepared_id)
        if prepared is None or prepared.agent_id != caller.agent_id or prepared.expires_at <= self.clock.now():
            raise NoSuchRecord("No such prepared record of yours, or its time is over: prepare it again")
        appended = await self.append(caller, prepared.diary_id, prepared.payload, signature, prepared.content)
        async with self.storage.autocommit() as work:
            await work.records.forget_prepared(prepared_id)
        return appended

    async def append(
        self, caller: Caller, diary_id: DiaryId, payload: bytes, signature: str, content: str | None
    ) -> Appended:
        """Appends a signed record to its diary; the same again is answered alike.

        Raises DiaryNotFound, InsufficientPermissions, MissingScope, DiaryUnsigned, MalformedRecord, RecordOfAnother,
        RecordRefused, HeadMoved, EntryIdUsed, NoSuchRecord, and what storing an entry raises.
        """
        diary = await self.access.check(caller, diary_id, diaries.writable)
        diary.check_signed()
        record = parse_record(payload)
        raw = decode_signature(signature)
        if raw is None or record.key != caller.public_key:
            raise RecordOfAnother
        if not self.signatures.verify(record.key, signed_bytes(payload), raw):
            raise RecordOfAnother("The signature is not the caller's over the bytes of the record")
        if record.diary_id != diary_id:
            raise RecordRefused("The record is of another diary")
        if abs(self.clock.now() - record.created_at) > CLOCK_TOLERANCE:
            raise RecordRefused(
                "createdAt is more than 5 minutes from now: prepare the record again, or set your clock"
            )
        signed = SignedRecord.of(record, raw, payload)
        if isinstance(record, RemovalRecord):
            return await self._remove(caller, record, signed)
        vectors = self.entries.indexing.vectors_for(caller)
        return await self.entries.indexing.models.retry_on_model_change(
            lambda: self._write(caller, diary, record, signed, content or "", vectors)
        )

    async def _write(  # noqa: PLR0913, PLR0917  # who writes what where, and what it took so far
        self,
        caller: Caller,
        diary: Diary,
        record: EntryRecord,
        signed: SignedRecord,
        content: str,
        vectors: Vectors,
    ) -> Appended:
        entry = await self._entry(caller, diary, record, content)
        index = await self.entries.index(entry, vectors)

        async def write(work: UnitOfWork, check: Check) -> tuple[Appended, Pending]:
            # The entry is added once the place is taken: of writers at once, only the first does that work.
            _, is_appended = await together(check(diaries.writable), work.records.append(record, signed))
            if not is_appended:
                raise HeadMoved(await work.records.head(diary.id))
            await together(work.entries.add(entry, index), self._log_head(work, record, signed))
            await self.entries.check_quota(work, caller)
            if record.supersedes is not None:
                await self._supersede(work, record.supersedes, entry)
            appended = Appended(entry=entry, chain=signed.head)
            return appended, await self.permissions.relate_entry(work, diary.id, entry.id)

        return await self._appended(caller, record, signed, write)

    async def _appended(self, caller: Caller, record: AnyRecord, signed: SignedRecord, write: "_Write") -> Appended:
        """What came of a write; the answer of the first where the same record was appended before."""
        try:
            appended, pending = await self.access.write_authorized(caller, record.diary_id, write)
        except (HeadMoved, EntryIdUsed):
            repeated = await self._repeated(caller, record, signed)
            if repeated is None:
                raise
            return repeated
        await self.relations.complete(pending)
        return appended

    async def _entry(self, caller: Caller, diary: Diary, record: EntryRecord, content: str) -> Entry:
        """The entry that a record writes."""
        check_public(diary, content)
        new, author, most = record.new_entry(content), Author.of(caller), self.entries.content_max
        entry = await self.entries.written(
            lambda: attrs.evolve(new.written(record.entry_id, diary.id, record.created_at, most), author=author),
            content,
        )
        record.check_written(entry)
        return entry

    async def _remove(self, caller: Caller, record: RemovalRecord, signed: SignedRecord) -> Appended:
        caller.require(Scope.DIARY_DELETE)

        async def remove(work: UnitOfWork, check: Check) -> tuple[Appended, Pending]:
            await check(diaries.editable)
            if not await work.records.append(record, signed):
                raise HeadMoved(await work.records.head(record.diary_id))
            target = await work.records.of_entry(record.diary_id, record.entry_id)
            if target is None or target.payload is None or not record.is_of(parse_record(target.payload)):
                raise NoSuchRecord
            await work.records.erase(record.diary_id, record.removes)
            await work.entries.remove(record.diary_id, record.entry_id)
            await self._log_head(work, record, signed)
            pending = await self.permissions.forget_entry(work, record.diary_id, record.entry_id)
            return Appended(entry=None, chain=signed.head), pending

        return await self._appended(caller, record, signed, remove)

    async def _log_head(self, work: UnitOfWork, record: AnyRecord, signed: SignedRecord) -> None:
        """Puts the new head into the open log, of a diary that is public: others are nobody's business."""
        leaf = Leaf.head(record.diary_id, signed.head, self.clock.now())
        await work.transparency.add_head(record.diary_id, leaf)

    async def _repeated(self, caller: Caller, record: AnyRecord, signed: SignedRecord) -> Appended | None:
        """The answer to a record that is there already; None where it is not."""

        async def answer(work: UnitOfWork, check: Check) -> Appended | None:
            await check(diaries.writable)
            stored = await work.records.find(record.diary_id, record.sequence)
            if stored is None or stored.hash != signed.hash:
                return None
            is_entry = isinstance(record, EntryRecord)
            entry = await work.entries.find(record.diary_id, record.entry_id) if is_entry else None
            return Appended(entry=entry, chain=await work.records.head(record.diary_id))

        return await self.access.write_authorized(caller, record.diary_id, answer)

    async def _supersede(self, work: UnitOfWork, entry_id: EntryId, by: Entry) -> None:
        former = await work.entries.hold(by.diary_id, entry_id)
        if former is None or former.superseded_by is not None:
            raise RecordRefused("supersedes must name an entry of this diary that nothing has replaced yet")
        replaced = attrs.evolve(former, superseded_by=by.id, updated_at=next_version(former, by.created_at))
        await work.entries.replace(replaced, None, unless_changed_since=former.updated_at)

    async def _prepared(self, caller: Caller, record: AnyRecord, content: str | None) -> PreparedRecord:
        prepared = PreparedRecord(
            id=PreparedRecordId(self.randomness.row_id(record.created_at)),
            agent_id=caller.agent_id,
            diary_id=record.diary_id,
            payload=record.payload,
            content=content,
            expires_at=record.created_at + CLOCK_TOLERANCE,
        )
        async with self.storage.autocommit() as work:
            await work.records.prepare(prepared)
        return prepared


_Write = Callable[[UnitOfWork, Check], Awaitable[tuple[Appended, Pending]]]
