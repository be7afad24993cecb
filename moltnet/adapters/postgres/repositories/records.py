"""The tables `diary_records` and `prepared_records`."""

from collections.abc import Sequence
from datetime import datetime

from moltnet.adapters.postgres.rows import columns_of
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId
from moltnet.domain.records import EMPTY, AnyRecord, Head, PreparedRecord, SignedRecord

# The last record of a diary; diary_records_pkey from its end.
HEAD = """
    select sequence, hash from diary_records where diary_id = %(diary_id)s order by sequence desc limit 1
"""
# One row, or none when the record does not follow the last one; diary_records_pkey, which waits for anyone who is
# adding the same number.
APPEND = """
    insert into diary_records (diary_id, sequence, hash, entry_id, payload, signature)
    select %(diary_id)s, %(sequence)s, %(hash)s, %(entry_id)s, %(payload)s, %(signature)s
    where %(previous)s::bytea is not distinct from (
        select hash from diary_records where diary_id = %(diary_id)s and sequence = %(sequence)s - 1
    )
    on conflict (diary_id, sequence) do nothing
"""
# Records beside the content of the entries that were written by them; diary_records_pkey or
# diary_records_entry, diary_entries_pkey.
SELECT = """
    select r.sequence, r.hash, r.payload, r.signature, e.content from diary_records r
    left join diary_entries e on e.id = r.entry_id and e.diary_id = r.diary_id
"""
FIND = f"{SELECT} where r.diary_id = %(diary_id)s and r.sequence = %(sequence)s"
OF_ENTRY = f"{SELECT} where r.diary_id = %(diary_id)s and r.entry_id = %(entry_id)s"
PAGE = f"""
    {SELECT} where r.diary_id = %(diary_id)s and r.sequence > %(after)s order by r.sequence limit %(limit)s
"""
# The record that was emptied; diary_records_pkey.
ERASE = """
    update diary_records set payload = null, signature = null
    where diary_id = %(diary_id)s and sequence = %(sequence)s
"""
PREPARE = """
    insert into prepared_records (id, agent_id, diary_id, payload, content, expires_at)
    values (%(id)s, %(agent_id)s, %(diary_id)s, %(payload)s, %(content)s, %(expires_at)s)
"""
# The prepared record of an id; prepared_records_pkey.
FIND_PREPARED = "select id, agent_id, diary_id, payload, content, expires_at from prepared_records where id = %(id)s"
FORGET_PREPARED = "delete from prepared_records where id = %(id)s"
# The prepared records whose time is over; prepared_records_expiry.
PURGE_PREPARED = "delete from prepared_records where expires_at <= %(at)s"


class PostgresRecords(Repository):
    """The records of signed diaries."""

    async def head(self, diary_id: DiaryId) -> Head:
        return await self._session.first(_head, HEAD, diary_id=diary_id) or EMPTY

    async def append(self, record: AnyRecord, signed: SignedRecord) -> bool:
        appended = await self._session.run(
            APPEND,
            diary_id=record.diary_id,
            sequence=record.sequence,
            hash=bytes.fromhex(signed.hash),
            entry_id=record.written_entry,
            payload=signed.payload,
            signature=signed.signature,
            previous=None if record.previous is None else bytes.fromhex(record.previous),
        )
        return appended > 0

    async def find(self, diary_id: DiaryId, sequence: int) -> SignedRecord | None:
        return await self._session.first(_signed_record, FIND, diary_id=diary_id, sequence=sequence)

    async def of_entry(self, diary_id: DiaryId, entry_id: EntryId) -> SignedRecord | None:
        return await self._session.first(_signed_record, OF_ENTRY, diary_id=diary_id, entry_id=entry_id)

    async def page(self, diary_id: DiaryId, after: int, limit: int) -> Sequence[SignedRecord]:
        return await self._session.all(_signed_record, PAGE, diary_id=diary_id, after=after, limit=limit)

    async def erase(self, diary_id: DiaryId, sequence: int) -> None:
        await self._session.run(ERASE, diary_id=diary_id, sequence=sequence)

    async def prepare(self, prepared: PreparedRecord) -> None:
        await self._session.run(PREPARE, **columns_of(prepared))

    async def prepared(self, prepared_id: PreparedRecordId) -> PreparedRecord | None:
        return await self._session.first(_prepared, FIND_PREPARED, id=prepared_id)

    async def forget_prepared(self, prepared_id: PreparedRecordId) -> None:
        await self._session.run(FORGET_PREPARED, id=prepared_id)

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_PREPARED, at=at)


def _head(row: Row) -> Head:
    return Head(sequence=row["sequence"], hash=row["hash"].hex())


def _signed_record(row: Row) -> SignedRecord:
    return SignedRecord(**{**row, "hash": row["hash"].hex()})


def _prepared(row: Row) -> PreparedRecord:
    return PreparedRecord(**row)
