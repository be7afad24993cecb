"""The port `Entries`."""

import asyncio
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.entries import Entry, EntryType, UnknownSuccessor
from moltnet.domain.feed import Cursor
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import Filters, Lexeme, LexicalQuery, Question
from moltnet.ports.repositories import Page
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry, an_id, an_index
from tests.support.stored import joined, opened, written
from tests.support.strategies import entries

ALL = Page(100)
MICROSECOND = timedelta(microseconds=1)
NO_ENTRY = EntryId(an_id())


async def found(storage: Storage, entry: Entry) -> Entry | None:
    async with storage.reading() as work:
        return await work.entries.find(entry.diary_id, entry.id)


async def newest(storage: Storage, diary: Diary, filters: Filters) -> list[Entry]:
    async with storage.reading() as work:
        listed, total = await work.entries.newest([diary.id], filters, ALL)
    assert total == len(listed)
    return listed


async def found_by_word(storage: Storage, diary: Diary, word: str) -> list[EntryId]:
    question = Question(words=LexicalQuery(wanted=frozenset({Lexeme(word)})))
    async with storage.reading() as work:
        return [each.entry_id for each in (await work.candidates.best(question, [diary.id], 10)).found]


# Stored and found


async def test_an_unknown_entry_is_none(storage: Storage, diary: Diary) -> None:
    assert await found(storage, an_entry(diary=diary.id)) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=entries())
async def test_an_entry_is_found_as_it_was_stored(storage: Storage, diary: Diary, drawn: Entry) -> None:
    entry = attrs.evolve(drawn, id=EntryId(an_id()), diary_id=diary.id)
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
        async with storage.writing() as work:
            assert await work.diaries.remove(diary.id)

    await asyncio.gather(remove(), written(storage, entry), return_exceptions=True)
    assert await found(storage, entry) is None


async def test_many_are_found_in_the_order_asked_for(storage: Storage, agent: Agent, diary: Diary) -> None:
    first, second = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    await written(storage, first, second)
    async with storage.reading() as work:
        assert await work.entries.find_many([second.id, NO_ENTRY, first.id]) == [second, first]
        assert await work.entries.find_many([NO_ENTRY]) == []
        assert await work.entries.find_many([]) == []


# Newest first


async def test_newest_come_first_then_the_greatest_id(storage: Storage, diary: Diary) -> None:
    oldest, older = an_entry(diary=diary.id), an_entry(diary=diary.id)
    latest = an_entry(diary=diary.id, at=NOON + MICROSECOND)
    await written(storage, older, latest, oldest)
    assert await newest(storage, diary, Filters()) == [latest, older, oldest]


async def test_pages_follow_one_another(storage: Storage, diary: Diary) -> None:
    stored = [an_entry(diary=diary.id) for _ in range(5)]
    await written(storage, *stored)
    async with storage.reading() as work:
        pages = [await work.entries.newest([diary.id], Filters(), Page(2, offset)) for offset in range(0, 8, 2)]
    assert [entry for page, _ in pages for entry in page] == stored[::-1]
    assert [len(page) for page, _ in pages] == [2, 2, 1, 0]
    assert [total for _, total in pages] == [5] * 4


async def test_only_the_diaries_asked_for_are_looked_in(storage: Storage, agent: Agent, diary: Diary) -> None:
    other, third = await opened(storage, agent), await opened(storage, agent)
    mine, others = an_entry(diary=diary.id), an_entry(diary=other.id)
    await written(storage, mine, others, an_entry(diary=third.id))
    async with storage.reading() as work:
        assert await work.entries.newest([], Filters(), ALL) == ([], 0)
        assert await work.entries.newest([DiaryId(an_id())], Filters(), ALL) == ([], 0)
        assert await work.entries.newest([diary.id], Filters(), ALL) == ([mine], 1)
        assert await work.entries.newest([diary.id, diary.id, other.id], Filters(), ALL) == ([others, mine], 2)


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


@pytest.mark.parametrize("tags", [None, (), ("A",), ("ab",), ("a ",), ("a%",)])
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


# Edited


async def test_an_edit_is_written_whole(storage: Storage, diary: Diary) -> None:
    successor, entry = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, successor, entry)
    edited = attrs.evolve(
        entry,
        title="A title",
        content="Other",
        tags=("a",),
        injection_risk=True,
        importance=10,
        entry_type=EntryType.SOUL,
        superseded_by=successor.id,
        updated_at=NOON + MICROSECOND,
    )
    async with storage.writing() as work:
        assert await work.entries.replace(edited, None, unless_changed_since=NOON)
    assert await found(storage, edited) == edited


async def test_an_edit_of_what_was_changed_meanwhile_is_false(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, at=NOON + MICROSECOND)
    await written(storage, entry, index=an_index("before"))
    async with storage.writing() as work:
        for guess in (NOON, NOON + 2 * MICROSECOND):
            edited = attrs.evolve(entry, content="Other", updated_at=NOON + 3 * MICROSECOND)
            assert not await work.entries.replace(edited, an_index("after"), unless_changed_since=guess)
    assert await found(storage, entry) == entry
    assert await found_by_word(storage, diary, "before") == [entry.id]
    assert await found_by_word(storage, diary, "after") == []


async def test_an_edit_of_what_is_gone_is_false(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other = an_entry(diary=diary.id), await opened(storage, agent)
    async with storage.writing() as work:
        assert not await work.entries.replace(entry, an_index(), unless_changed_since=NOON)
    await written(storage, entry)
    async with storage.writing() as work:
        elsewhere = attrs.evolve(entry, diary_id=other.id)
        assert not await work.entries.replace(elsewhere, None, unless_changed_since=NOON)
    assert await found(storage, entry) == entry


async def test_an_edit_changes_what_an_entry_is_found_by_only_with_an_index(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("before"))
    async with storage.writing() as work:
        await work.entries.replace(entry, None, unless_changed_since=NOON)
    assert await found_by_word(storage, diary, "before") == [entry.id]
    async with storage.writing() as work:
        await work.entries.replace(entry, an_index("after"), unless_changed_since=NOON)
    assert await found_by_word(storage, diary, "before") == []
    assert await found_by_word(storage, diary, "after") == [entry.id]


async def test_an_edit_leaves_the_counted_accesses(storage: Storage, diary: Diary) -> None:
    entry, seen_at = an_entry(diary=diary.id), NOON + MICROSECOND
    await written(storage, entry)
    async with storage.writing() as work:
        await work.entries.note_accesses({entry.id: 1}, seen_at)
        assert await work.entries.replace(attrs.evolve(entry, content="Other"), None, unless_changed_since=NOON)
    assert await found(storage, entry) == attrs.evolve(entry, content="Other", access_count=1, last_accessed_at=seen_at)


@pytest.mark.parametrize("named", ["itself", "nothing", "another diary's"])
async def test_a_successor_is_another_entry_of_the_same_diary(
    storage: Storage, agent: Agent, diary: Diary, named: str
) -> None:
    entry, stranger = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    await written(storage, entry, stranger)
    successor = {"itself": entry.id, "nothing": NO_ENTRY, "another diary's": stranger.id}[named]
    edited = attrs.evolve(entry, superseded_by=successor)
    with pytest.raises(UnknownSuccessor):
        async with storage.writing() as work:
            await work.entries.replace(edited, an_index("after"), unless_changed_since=NOON)
    assert await found(storage, entry) == entry
    assert await found_by_word(storage, diary, "after") == []


async def test_of_edits_that_meet_one_is_written(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def edit(number: int) -> bool:
        edited = attrs.evolve(entry, content=f"Edit {number}", updated_at=NOON + number * MICROSECOND)
        async with storage.writing() as work:
            return await work.entries.replace(edited, an_index(f"edit{number}"), unless_changed_since=NOON)

    answers = await asyncio.gather(*map(edit, range(1, 6)))
    assert sum(answers) == 1
    winner = answers.index(True) + 1
    stored = await found(storage, entry)
    assert stored is not None
    assert stored.content == f"Edit {winner}"
    assert await found_by_word(storage, diary, f"edit{winner}") == [entry.id]


# Removed


async def test_a_removed_entry_is_gone_from_everywhere(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("word"))
    async with storage.writing() as work:
        assert await work.entries.remove(diary.id, entry.id)
    assert await found(storage, entry) is None
    assert await newest(storage, diary, Filters()) == []
    assert await found_by_word(storage, diary, "word") == []
    async with storage.reading() as work:
        assert await work.entries.public_entry(entry.id) is None


async def test_removing_what_is_gone_or_elsewhere_is_false(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other = an_entry(diary=diary.id), await opened(storage, agent)
    await written(storage, entry)
    async with storage.writing() as work:
        assert not await work.entries.remove(diary.id, NO_ENTRY)
        assert not await work.entries.remove(other.id, entry.id)
        assert await work.entries.remove(diary.id, entry.id)
        assert not await work.entries.remove(diary.id, entry.id)


async def test_what_a_removed_entry_superseded_is_current_again(storage: Storage, diary: Diary) -> None:
    successor = an_entry(diary=diary.id)
    old = [an_entry(diary=diary.id, superseded_by=successor.id) for _ in range(2)]
    await written(storage, successor, *old)
    async with storage.writing() as work:
        assert await work.entries.remove(diary.id, successor.id)
    current = await newest(storage, diary, Filters(exclude_superseded=True))
    assert [entry.id for entry in current] == [entry.id for entry in old[::-1]]


async def test_of_parallel_removals_one_is_told_yes(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def remove() -> bool:
        async with storage.reading() as work:
            return await work.entries.remove(diary.id, entry.id)

    assert sum(await asyncio.gather(*(remove() for _ in range(5)))) == 1


# Looked at


async def test_an_access_is_counted_and_moves_nothing_else(storage: Storage, agent: Agent, diary: Diary) -> None:
    first, second = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    unseen, seen_at = an_entry(diary=diary.id), NOON + timedelta(days=1, microseconds=1)
    await written(storage, first, second, unseen)
    async with storage.reading() as work:
        await work.entries.note_accesses({first.id: 1, NO_ENTRY: 1, second.id: 3}, seen_at)
    for entry, times in ((first, 1), (second, 3)):
        assert await found(storage, entry) == attrs.evolve(entry, access_count=times, last_accessed_at=seen_at)
    assert await found(storage, unseen) == unseen


async def test_an_access_that_is_counted_late_does_not_turn_time_back(storage: Storage, diary: Diary) -> None:
    entry, latest = an_entry(diary=diary.id), NOON + MICROSECOND
    await written(storage, entry)
    async with storage.reading() as work:
        await work.entries.note_accesses({entry.id: 1}, latest)
        await work.entries.note_accesses({entry.id: 1}, NOON)
    assert await found(storage, entry) == attrs.evolve(entry, access_count=2, last_accessed_at=latest)


async def test_no_access_at_all_is_no_error(storage: Storage) -> None:
    async with storage.reading() as work:
        await work.entries.note_accesses({}, NOON)
        await work.entries.note_accesses({NO_ENTRY: 1}, NOON)


async def test_no_access_is_lost(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def look() -> None:
        async with storage.reading() as work:
            await work.entries.note_accesses({entry.id: 1}, NOON)

    await asyncio.gather(*(look() for _ in range(10)))
    stored = await found(storage, entry)
    assert stored is not None
    assert stored.access_count == 10


# The public feed


async def shown(
    storage: Storage, after: Cursor | None = None, tag: str | None = None, limit: int = 100, *, flagged: bool = False
) -> list[Entry]:
    async with storage.reading() as work:
        return [each.entry for each in await work.entries.public_page(after, tag, limit, flagged=flagged)]


async def test_the_feed_shows_public_entries_with_their_diarys_owner(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    entry = an_entry(diary=diary.id)
    await written(storage, entry)
    async with storage.reading() as work:
        (item,) = await work.entries.public_page(None, None, 10, flagged=False)
        assert await work.entries.public_entry(entry.id) == item
    assert (item.entry, item.author) == (entry, agent)


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.MOLTNET])
async def test_nothing_else_is_public(storage: Storage, agent: Agent, visibility: Visibility) -> None:
    entry = an_entry(diary=(await opened(storage, agent, visibility)).id)
    await written(storage, entry)
    assert await shown(storage, flagged=True) == []
    async with storage.reading() as work:
        assert await work.entries.public_entry(entry.id) is None
        assert await work.entries.public_entry(NO_ENTRY) is None


async def test_a_diary_that_becomes_private_leaves_the_feed(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    await written(storage, an_entry(diary=diary.id))
    async with storage.writing() as work:
        assert await work.diaries.replace(attrs.evolve(diary, visibility=Visibility.PRIVATE))
    assert await shown(storage) == []


async def test_the_feed_goes_back_in_time_over_all_diaries(storage: Storage, agent: Agent) -> None:
    first = await opened(storage, agent, Visibility.PUBLIC)
    second = await opened(storage, await joined(storage), Visibility.PUBLIC)
    oldest, older = an_entry(diary=first.id), an_entry(diary=second.id)
    latest = an_entry(diary=first.id, at=NOON + MICROSECOND)
    await written(storage, latest, oldest, older)
    assert await shown(storage) == [latest, older, oldest]
    assert await shown(storage, limit=1) == [latest]


async def test_a_walk_through_the_feed_neither_skips_nor_repeats(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    moments = [NOON + step * MICROSECOND for step in (0, 0, 0, 1, 2, 2, 999, 1000)]
    stored = [an_entry(diary=diary.id, at=at) for at in moments]
    await written(storage, *stored)
    walked: list[Entry] = []
    while page := await shown(storage, Cursor.after(walked[-1]) if walked else None, limit=3):
        walked += page
    assert walked == stored[::-1]


async def test_a_place_in_the_feed_outlives_its_entry(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    older, gone = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, older)
    assert await shown(storage, Cursor.after(gone)) == [older]
    assert await shown(storage, Cursor.after(older)) == []


async def test_the_feed_shows_one_tag_on_demand(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    tagged = an_entry(diary=diary.id, tags=("b", "a"))
    await written(storage, tagged, an_entry(diary=diary.id, tags=("ab",)), an_entry(diary=diary.id))
    assert await shown(storage, tag="a") == [tagged]
    assert await shown(storage, tag="c") == []


async def test_flagged_entries_are_shown_on_demand(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    plain, flagged = an_entry(diary=diary.id), an_entry(diary=diary.id, injection_risk=True)
    await written(storage, plain, flagged)
    assert await shown(storage) == [plain]
    assert await shown(storage, flagged=True) == [flagged, plain]
    async with storage.reading() as work:
        item = await work.entries.public_entry(flagged.id)
    assert item is not None
    assert item.entry == flagged
