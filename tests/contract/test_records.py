"""The port `Records`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, Author, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId, PreparedRecordId
from moltnet.domain.records import EMPTY, EntryIdUsed, EntryRecord, Head, PreparedRecord, SignedRecord
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry, an_id
from tests.support.stored import opened, written

SECOND = timedelta(seconds=1)


def a_record(diary: Diary, agent: Agent, head: Head = EMPTY, entry_id: EntryId | None = None) -> EntryRecord:
    return EntryRecord.of(
        NewEntry(content="x"),
        diary_id=diary.id,
        head=head,
        key=agent.public_key,
        entry_id=entry_id or EntryId(an_id()),
        supersedes=None,
        salt=bytes(16),
        at=NOON,
    )


async def appended(storage: Storage, record: EntryRecord) -> SignedRecord:
    signed = SignedRecord.of(record, bytes(64))
    async with storage.transaction() as work:
        assert await work.records.append(record, signed)
    return signed


async def test_records_follow_one_another(storage: Storage, agent: Agent, diary: Diary) -> None:
    async with storage.autocommit() as work:
        assert await work.records.head(diary.id) == EMPTY
    entry = an_entry(diary=diary.id, author=Author(id=agent.id, public_key=agent.public_key))
    await written(storage, entry)
    first = await appended(storage, a_record(diary, agent, entry_id=entry.id))
    second = await appended(storage, a_record(diary, agent, first.head))
    other = await opened(storage, agent)
    elsewhere = await appended(storage, a_record(other, agent))
    told = attrs.evolve(first, content=entry.content)
    async with storage.snapshot() as work:
        assert await work.records.head(diary.id) == second.head
        assert await work.records.page(diary.id, 0, 10) == [told, second]
        assert await work.records.page(diary.id, 0, 1) == [told]
        assert await work.records.page(diary.id, 1, 10) == [second]
        assert await work.records.page(diary.id, 2, 10) == []
        assert await work.records.page(other.id, 0, 10) == [elsewhere]
        assert await work.records.find(diary.id, 1) == told
        assert await work.records.find(diary.id, 3) is None
        assert await work.records.of_entry(diary.id, entry.id) == told
        assert await work.records.of_entry(other.id, entry.id) is None


async def test_what_does_not_follow_the_last_record_is_not_stored(storage: Storage, agent: Agent, diary: Diary) -> None:
    first = await appended(storage, a_record(diary, agent))
    follower = a_record(diary, agent, first.head)
    for wrong in (
        a_record(diary, agent),
        attrs.evolve(follower, sequence=3),
        attrs.evolve(follower, previous="0" * 64),
    ):
        async with storage.transaction() as work:
            assert not await work.records.append(wrong, SignedRecord.of(wrong, bytes(64)))
    async with storage.snapshot() as work:
        assert await work.records.head(diary.id) == first.head


async def test_one_of_several_at_once_is_added(storage: Storage, agent: Agent, diary: Diary) -> None:
    async def attempt() -> bool:
        record = a_record(diary, agent)
        async with storage.transaction() as work:
            return await work.records.append(record, SignedRecord.of(record, bytes(64)))

    assert sorted(await asyncio.gather(*(attempt() for _ in range(4)))) == [False, False, False, True]


async def test_an_entry_is_written_once(storage: Storage, agent: Agent, diary: Diary) -> None:
    record = a_record(diary, agent)
    first = await appended(storage, record)
    with pytest.raises(EntryIdUsed):
        await appended(storage, a_record(diary, agent, first.head, record.entry_id))


async def test_an_erased_record_keeps_number_and_hash(storage: Storage, agent: Agent, diary: Diary) -> None:
    first = await appended(storage, a_record(diary, agent))
    async with storage.transaction() as work:
        await work.records.erase(diary.id, 1)
    async with storage.snapshot() as work:
        assert await work.records.find(diary.id, 1) == attrs.evolve(first, payload=None, signature=None)
        assert await work.records.head(diary.id) == first.head


async def test_records_go_with_their_diary(storage: Storage, agent: Agent, diary: Diary) -> None:
    await appended(storage, a_record(diary, agent))
    async with storage.transaction() as work:
        await work.diaries.remove(diary.id)
    async with storage.snapshot() as work:
        assert await work.records.head(diary.id) == EMPTY
        assert await work.records.page(diary.id, 0, 10) == []
    with pytest.raises(DiaryNotFound):
        await appended(storage, a_record(diary, agent))


async def test_a_prepared_record_waits_until_its_time_is_over(storage: Storage, agent: Agent, diary: Diary) -> None:
    prepared = PreparedRecord(
        id=PreparedRecordId(an_id()),
        agent_id=agent.id,
        diary_id=diary.id,
        payload=b"{}",
        content="x",
        expires_at=NOON,
    )
    async with storage.autocommit() as work:
        await work.records.prepare(prepared)
        assert await work.records.prepared(prepared.id) == prepared
        assert await work.records.purge(NOON - SECOND) == 0
        assert await work.records.purge(NOON) == 1
        assert await work.records.prepared(prepared.id) is None
        await work.records.prepare(prepared)
        await work.records.forget_prepared(prepared.id)
        assert await work.records.prepared(prepared.id) is None
    for gone, error in (
        (attrs.evolve(prepared, agent_id=AgentId(an_id())), ProfileNotFound),
        (attrs.evolve(prepared, diary_id=DiaryId(an_id())), DiaryNotFound),
    ):
        with pytest.raises(error):
            async with storage.transaction() as work:
                await work.records.prepare(gone)
