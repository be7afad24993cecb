"""Chains of signed records, and records that wait for their signature, in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from moltnet.adapters.memory.repositories.references import referenced_agent, referenced_diary
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import StoredRecord, Tables
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId
from moltnet.domain.records import EMPTY, AnyRecord, EntryIdUsed, Head, PreparedRecord, SignedRecord


class MemoryRecords(Repository):
    """The records of signed diaries."""

    async def head(self, diary_id: DiaryId) -> Head:
        return (await self._statements.read()).heads.get(diary_id) or EMPTY

    async def append(self, record: AnyRecord, signed: SignedRecord) -> bool:
        async with self._statements.change() as tables:
            diary_id, entry_id = record.diary_id, record.written_entry
            referenced_diary(tables, diary_id)
            if Head(sequence=record.sequence - 1, hash=record.previous) != (tables.heads.get(diary_id) or EMPTY):
                return False
            if entry_id is not None and tables.records.one("entry", (diary_id, entry_id)) is not None:
                raise EntryIdUsed
            tables.records.put((diary_id, record.sequence), StoredRecord(diary_id, entry_id, signed))
            tables.heads.put(diary_id, signed.head)
            return True

    async def find(self, diary_id: DiaryId, sequence: int) -> SignedRecord | None:
        tables = await self._statements.read()
        return _shown(tables, tables.records.get((diary_id, sequence)))

    async def of_entry(self, diary_id: DiaryId, entry_id: EntryId) -> SignedRecord | None:
        tables = await self._statements.read()
        return _shown(tables, tables.records.one("entry", (diary_id, entry_id)))

    async def page(self, diary_id: DiaryId, after: int, limit: int) -> Sequence[SignedRecord]:
        tables = await self._statements.read()
        last = (tables.heads.get(diary_id) or EMPTY).sequence
        rows = (tables.records.get((diary_id, each)) for each in range(after + 1, min(after + limit, last) + 1))
        return [record for record in (_shown(tables, row) for row in rows) if record is not None]

    async def erase(self, diary_id: DiaryId, sequence: int) -> None:
        async with self._statements.change() as tables:
            row = tables.records.get((diary_id, sequence))
            if row is not None:
                erased = attrs.evolve(row.signed, payload=None, signature=None)
                tables.records.put((diary_id, sequence), attrs.evolve(row, signed=erased))

    async def prepare(self, prepared: PreparedRecord) -> None:
        async with self._statements.change() as tables:
            referenced_agent(tables, prepared.agent_id)
            referenced_diary(tables, prepared.diary_id)
            tables.prepared_records.add(prepared.id, prepared)

    async def prepared(self, prepared_id: PreparedRecordId) -> PreparedRecord | None:
        return (await self._statements.read()).prepared_records.get(prepared_id)

    async def forget_prepared(self, prepared_id: PreparedRecordId) -> None:
        async with self._statements.change() as tables:
            tables.prepared_records.drop(prepared_id)

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.prepared_records.drop_where(lambda prepared: prepared.expires_at <= at)


def _shown(tables: Tables, row: StoredRecord | None) -> SignedRecord | None:
    if row is None:
        return None
    entry = tables.entries.get(row.entry_id) if row.entry_id else None
    return attrs.evolve(row.signed, content=entry.content if entry and entry.diary_id == row.diary_id else None)
