"""The port `Imports`."""

import asyncio

import attrs
import pytest

from moltnet.domain.agents import Agent, Author
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId
from moltnet.domain.imports import Imported, Origin, OriginExists
from moltnet.domain.records import SignedRecord
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry, an_id, an_index
from tests.support.stored import opened, written

SIGNED = SignedRecord(sequence=2, hash="ab" * 32, payload=b"{}", signature=bytes(64))


def an_origin(key: str, **members: object) -> Origin:
    return Origin(key=key, source="https://net.example", **members)  # type: ignore[arg-type]


async def an_entry_of(storage: Storage, agent: Agent, diary: Diary) -> Entry:
    entry = an_entry(diary=diary.id, author=Author(id=agent.id, public_key=agent.public_key))
    await written(storage, entry)
    return entry


async def added(storage: Storage, diary: Diary, *imports: Imported) -> None:
    async with storage.transaction() as work:
        for each in imports:
            await work.imports.add(diary.id, each.origin, each.entry_id)


async def test_origins_are_found_by_key_and_listed_in_its_order(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry = await an_entry_of(storage, agent, diary)
    full = an_origin(
        "b",
        original_id=str(an_id()),
        author_key=agent.public_key,
        editor_key=agent.public_key,
        written_at=NOON,
        changed_at=NOON,
        record=SIGNED,
    )
    emptied = an_origin("Ä", record=attrs.evolve(SIGNED, payload=None, signature=None))
    first = Imported(origin=an_origin("B"), entry_id=entry.id)
    await added(storage, diary, Imported(origin=full, entry_id=None), Imported(origin=emptied, entry_id=None), first)
    other = await opened(storage, agent)
    async with storage.snapshot() as work:
        assert await work.imports.known(diary.id, ["B", "b", "c"]) == {"B": entry.id, "b": None}
        assert await work.imports.known(diary.id, []) == {}
        assert await work.imports.known(other.id, ["B"]) == {}
        page = await work.imports.page(diary.id, "", 10)
        assert list(page) == [first, Imported(origin=full, entry_id=None), Imported(origin=emptied, entry_id=None)]
        assert list(await work.imports.page(diary.id, "B", 1)) == [page[1]]
        assert list(await work.imports.page(diary.id, "Ä", 1)) == []
        assert list(await work.imports.page(other.id, "", 1)) == []


async def test_an_origin_may_come_before_its_entry(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, author=Author(id=agent.id, public_key=agent.public_key))
    async with storage.transaction() as work:
        await work.imports.add(diary.id, an_origin("a"), entry.id)
        await work.entries.add(entry, an_index("word"))
    async with storage.snapshot() as work:
        assert await work.imports.known(diary.id, ["a"]) == {"a": entry.id}


async def test_a_key_is_taken_once_also_by_two_at_once(storage: Storage, diary: Diary) -> None:
    async def attempt() -> bool:
        try:
            await added(storage, diary, Imported(origin=an_origin("a"), entry_id=None))
        except OriginExists:
            return False
        return True

    assert sorted(await asyncio.gather(*(attempt() for _ in range(3)))) == [False, False, True]


async def test_origins_go_with_their_entry_and_their_diary(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry = await an_entry_of(storage, agent, diary)
    await added(
        storage,
        diary,
        Imported(origin=an_origin("a"), entry_id=entry.id),
        Imported(origin=an_origin("b"), entry_id=None),
    )
    async with storage.transaction() as work:
        await work.entries.remove(diary.id, entry.id)
    async with storage.snapshot() as work:
        assert await work.imports.known(diary.id, ["a", "b"]) == {"b": None}
    async with storage.transaction() as work:
        await work.diaries.remove(diary.id)
    async with storage.snapshot() as work:
        assert await work.imports.known(diary.id, ["a", "b"]) == {}
    with pytest.raises(DiaryNotFound):
        async with storage.transaction() as work:
            await work.imports.add(DiaryId(an_id()), an_origin("a"), None)
