"""The port `Entries`: stored, found and listed."""

import asyncio
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from moltnet.domain.agents import Agent
from moltnet.domain.caller import Usage
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import Relation
from moltnet.domain.search import Filters
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_author, an_entry, an_id, an_index
from tests.support.stored import found, newest, opened, written
from tests.support.strategies import entries

ALL = Page(100)
MICROSECOND = timedelta(microseconds=1)
NO_ENTRY = EntryId(an_id())


# Stored and found


async def test_an_unknown_entry_is_none(storage: Storage, diary: Diary) -> None:
    assert await found(storage, an_entry(diary=diary.id)) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=entries())
async def test_an_entry_is_found_as_it_was_stored(storage: Storage, agent: Agent, diary: Diary, drawn: Entry) -> None:
    entry = attrs.evolve(drawn, id=EntryId(an_id()), diary_id=diary.id, author=an_author(agent))
    await written(storage, entry)
    assert await found(storage, entry) == entry


async def test_an_entry_is_found_in_its_own_diary_only(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other = an_entry(diary=diary.id), await opened(storage, agent)
    await written(storage, entry)
    assert await found(storage, attrs.evolve(entry, diary_id=other.id)) is None


async def test_an_entry_needs_its_diary(storage: Storage, diary: Diary) -> None:
    entry = an_entry()
    with pytest.raises(DiaryNotFound):
        await written(storage, an_entry(diary=diary.id), entry)
    assert await newest(storage, diary, Filters()) == []


async def test_an_entry_cannot_come_into_a_diary_that_is_being_removed(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)

    async def remove() -> None:
        async with storage.transaction() as work:
            assert await work.diaries.remove(diary.id)

    await asyncio.gather(remove(), written(storage, entry), return_exceptions=True)
    assert await found(storage, entry) is None


async def test_many_are_found_in_the_order_asked_for(storage: Storage, agent: Agent, diary: Diary) -> None:
    first, second = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    await written(storage, first, second)
    async with storage.snapshot() as work:
        assert await work.entries.find_many([second.id, NO_ENTRY, first.id]) == [second, first]
        assert await work.entries.find_many([NO_ENTRY]) == []
        assert await work.entries.find_many([]) == []


# Newest first


async def test_newest_come_first_then_the_greatest_id(storage: Storage, diary: Diary) -> None:
    oldest, older = an_entry(diary=diary.id), an_entry(diary=diary.id)
    latest = an_entry(diary=diary.id, at=NOON + MICROSECOND)
    await written(storage, older, latest, oldest)
    assert await newest(storage, diary, Filters()) == [latest, older, oldest]


async def test_an_entry_is_found_with_its_diary_and_the_relations_to_it(
    storage: Storage, agent: Agent, diary: Diary
) -> None:
    other, entry, nobody = await opened(storage, agent), an_entry(diary=diary.id), AgentId(an_id())
    await written(storage, entry)
    async with storage.transaction() as work:
        await work.relations.add(diary.id, Relation.WRITERS, agent.id)
        await work.relations.add(other.id, Relation.READERS, agent.id)
    async with storage.autocommit() as work:
        find = work.entries.find_with_relations
        related = frozenset({Relation.WRITERS})
        assert await find(diary.id, entry.id, agent.id) == (entry, diary, related)
        assert (
            await find(diary.id, entry.id, nobody)
            == await find(diary.id, entry.id, None)
            == (entry, diary, frozenset())
        )
        assert await find(diary.id, EntryId(an_id()), agent.id) == (None, diary, related)
        assert await find(other.id, entry.id, agent.id) == (None, other, frozenset({Relation.READERS}))
        assert await find(DiaryId(an_id()), entry.id, agent.id) == (None, None, frozenset())


async def test_pages_follow_one_another(storage: Storage, diary: Diary) -> None:
    stored = [an_entry(diary=diary.id) for _ in range(5)]
    await written(storage, *stored)
    async with storage.snapshot() as work:
        pages = [await work.entries.newest([diary.id], Filters(), Page(2, offset)) for offset in range(0, 8, 2)]
        latest = [await work.entries.latest([diary.id], Filters(), Page(2, offset)) for offset in range(0, 8, 2)]
    assert latest == [page for page, _ in pages]
    assert [entry for page, _ in pages for entry in page] == stored[::-1]
    assert [len(page) for page, _ in pages] == [2, 2, 1, 0]
    assert [total for _, total in pages] == [5] * 4


async def test_only_the_diaries_asked_for_are_looked_in(storage: Storage, agent: Agent, diary: Diary) -> None:
    other, third = await opened(storage, agent), await opened(storage, agent)
    mine, others = an_entry(diary=diary.id), an_entry(diary=other.id)
    await written(storage, mine, others, an_entry(diary=third.id))
    async with storage.snapshot() as work:
        assert await work.entries.newest([], Filters(), ALL) == ([], 0)
        assert await work.entries.newest([DiaryId(an_id())], Filters(), ALL) == ([], 0)
        assert await work.entries.newest([diary.id], Filters(), ALL) == ([mine], 1)
        assert await work.entries.newest([diary.id, diary.id, other.id], Filters(), ALL) == ([others, mine], 2)
        assert await work.entries.latest([diary.id, diary.id, other.id], Filters(), Page(1)) == [others]


@pytest.mark.parametrize(
    ("tags", "matches"),
    [((), True), (("a",), True), (("b", "a"), True), (("a", "a"), True), (("c",), False), (("a", "c"), False)],
)
async def test_an_entry_holds_all_tags_asked_for(
    storage: Storage, diary: Diary, tags: tuple[str, ...], *, matches: bool
) -> None:
    entry = an_entry(diary=diary.id, tags=("a", "b"))
    await written(storage, entry)
    assert await newest(storage, diary, Filters(tags=tags)) == [entry] * matches


@pytest.mark.parametrize("tags", [None, (), ("A",), ("ab",), ("a b",), ("a%",)])
async def test_tags_are_compared_whole(storage: Storage, diary: Diary, tags: tuple[str, ...] | None) -> None:
    await written(storage, an_entry(diary=diary.id, tags=tags))
    assert await newest(storage, diary, Filters(tags=("a",))) == []


async def test_an_entry_has_any_of_the_types_asked_for(storage: Storage, diary: Diary) -> None:
    stored = {entry_type: an_entry(diary=diary.id, entry_type=entry_type) for entry_type in EntryType}
    await written(storage, *stored.values())
    wanted = frozenset({EntryType.SOUL, EntryType.IDENTITY})
    assert set(await newest(storage, diary, Filters(entry_types=wanted))) == {stored[each] for each in wanted}
    assert len(await newest(storage, diary, Filters())) == len(EntryType)


async def test_superseded_entries_are_left_out_on_demand(storage: Storage, diary: Diary) -> None:
    current = an_entry(diary=diary.id)
    old = an_entry(diary=diary.id, superseded_by=current.id)
    await written(storage, current, old)
    assert await newest(storage, diary, Filters()) == [old, current]
    assert await newest(storage, diary, Filters(exclude_superseded=True)) == [current]


@pytest.mark.parametrize(("since", "matches"), [(NOON - MICROSECOND, True), (NOON, True), (NOON + MICROSECOND, False)])
async def test_since_counts_from_its_very_microsecond(
    storage: Storage, diary: Diary, since: datetime, *, matches: bool
) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)
    assert await newest(storage, diary, Filters(since=since)) == [entry] * matches


async def test_filters_hold_together(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, tags=("a",), entry_type=EntryType.SOUL)
    await written(storage, entry, an_entry(diary=diary.id, tags=("a",)), an_entry(diary=diary.id))
    filters = Filters(tags=("a",), entry_types=frozenset({EntryType.SOUL}), exclude_superseded=True, since=NOON)
    assert await newest(storage, diary, filters) == [entry]


# What one agent has stored


async def test_usage_is_what_an_agent_wrote_in_whichever_diary(storage: Storage, agent: Agent, diary: Diary) -> None:
    other = await opened(storage, agent)
    for where, content in ((diary, "four"), (other, "gr\u00fc\u00df"), (other, "x" * 3000)):
        await written(storage, an_entry(diary=where.id, author=an_author(agent), content=content))
    async with storage.transaction() as work:
        usage = await work.entries.usage_of(agent.id)
        assert (usage.entries, usage.bytes) == (3, 4 + 6 + 3000)
        assert (await work.entries.usage_of(AgentId(an_id()))).entries == 0


async def test_usage_follows_edits_and_removals(storage: Storage, agent: Agent, diary: Diary) -> None:
    longer, removed, moved = (an_entry(diary=diary.id, author=an_author(agent), content="four") for _ in range(3))
    other = await opened(storage, agent)
    last = an_entry(diary=other.id, author=an_author(agent), content="with its diary")
    await written(storage, longer, removed, moved, last)
    async with storage.transaction() as work:
        edited = attrs.evolve(longer, content="gr\u00fc\u00dfe", importance=9)
        assert await work.entries.replace(edited, an_index("a"), unless_changed_since=longer.updated_at)
        assert await work.entries.replace(
            attrs.evolve(moved, importance=9), None, unless_changed_since=moved.updated_at
        )
        assert await work.entries.remove(diary.id, removed.id)
        assert await work.entries.usage_of(agent.id) == Usage(entries=3, bytes=7 + 4 + 14)
    async with storage.transaction() as work:
        assert await work.diaries.remove(other.id)
    async with storage.autocommit() as work:
        assert await work.entries.usage_of(agent.id) == Usage(entries=2, bytes=7 + 4)


async def test_of_those_who_write_for_one_agent_each_sees_what_the_others_wrote(
    storage: Storage, agent: Agent, diary: Diary
) -> None:
    async def add_unless_there_are_two() -> None:
        async with storage.transaction() as work:
            await work.entries.add(an_entry(diary=diary.id, author=an_author(agent)), an_index())
            if (await work.entries.usage_of(agent.id)).entries > 2:
                raise LookupError

    await asyncio.gather(*(add_unless_there_are_two() for _ in range(6)), return_exceptions=True)
    async with storage.snapshot() as work:
        assert len((await work.entries.newest([diary.id], Filters(), ALL))[0]) == 2
