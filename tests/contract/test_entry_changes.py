"""The port `Entries`: edited, removed and looked at."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import EntryType, UnknownSuccessor
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry, an_id, an_index
from tests.support.stored import found, newest, opened, written

MICROSECOND = timedelta(microseconds=1)
NO_ENTRY = EntryId(an_id())


async def found_by_word(storage: Storage, diary: Diary, word: str) -> list[EntryId]:
    question = Question(words=LexicalQuery(scored=frozenset({Term(word)})))
    async with storage.snapshot() as work:
        return [each.entry_id for each in (await work.candidates.best(question, [diary.id], 10)).found]


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
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, None, unless_changed_since=NOON)
    assert await found(storage, edited) == edited


async def test_an_entry_that_is_held_is_changed_by_nobody_else(storage: Storage, diary: Diary) -> None:
    entry, order = an_entry(diary=diary.id), list[str]()
    await written(storage, entry)
    is_held = asyncio.Event()

    async def edit_held() -> None:
        async with storage.transaction() as work:
            assert await work.entries.hold(diary.id, NO_ENTRY) is None
            held = await work.entries.hold(diary.id, entry.id)
            is_held.set()
            assert held == entry
            for _ in range(50):  # time enough for the other, if nothing held it
                assert await work.entries.find(diary.id, entry.id) == entry
            edited = attrs.evolve(held, content="held", updated_at=NOON + MICROSECOND)
            assert await work.entries.replace(edited, None, unless_changed_since=held.updated_at)
            order.append("held")

    async def edit_other() -> None:
        await is_held.wait()
        edited = attrs.evolve(entry, content="other", updated_at=NOON + MICROSECOND)
        async with storage.transaction() as work:
            assert not await work.entries.replace(edited, None, unless_changed_since=NOON)
            held = await work.entries.hold(diary.id, entry.id)
            assert held is not None
            assert held.content == "held"
            order.append("other")

    await asyncio.gather(edit_held(), edit_other())
    assert order == ["held", "other"]


async def test_an_edit_of_what_was_changed_meanwhile_is_false(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, at=NOON + MICROSECOND)
    await written(storage, entry, index=an_index("before"))
    async with storage.transaction() as work:
        for guess in (NOON, NOON + 2 * MICROSECOND):
            edited = attrs.evolve(entry, content="Other", updated_at=NOON + 3 * MICROSECOND)
            assert not await work.entries.replace(edited, an_index("after"), unless_changed_since=guess)
    assert await found(storage, entry) == entry
    assert await found_by_word(storage, diary, "before") == [entry.id]
    assert await found_by_word(storage, diary, "after") == []


async def test_an_edit_of_what_is_gone_is_false(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other = an_entry(diary=diary.id), await opened(storage, agent)
    async with storage.transaction() as work:
        assert not await work.entries.replace(entry, an_index(), unless_changed_since=NOON)
    await written(storage, entry)
    async with storage.transaction() as work:
        elsewhere = attrs.evolve(entry, diary_id=other.id)
        assert not await work.entries.replace(elsewhere, None, unless_changed_since=NOON)
    assert await found(storage, entry) == entry


async def test_an_edit_changes_what_an_entry_is_found_by_only_with_an_index(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("before"))
    async with storage.transaction() as work:
        await work.entries.replace(entry, None, unless_changed_since=NOON)
    assert await found_by_word(storage, diary, "before") == [entry.id]
    async with storage.transaction() as work:
        await work.entries.replace(entry, an_index("after"), unless_changed_since=NOON)
    assert await found_by_word(storage, diary, "before") == []
    assert await found_by_word(storage, diary, "after") == [entry.id]


async def test_an_edit_leaves_the_counted_accesses(storage: Storage, diary: Diary) -> None:
    entry, accessed_at = an_entry(diary=diary.id), NOON + MICROSECOND
    await written(storage, entry)
    async with storage.transaction() as work:
        await work.entries.record_views({entry.id: 1}, accessed_at)
        assert await work.entries.replace(attrs.evolve(entry, content="Other"), None, unless_changed_since=NOON)
    assert await found(storage, entry) == attrs.evolve(
        entry, content="Other", access_count=1, last_accessed_at=accessed_at
    )


@pytest.mark.parametrize("named", ["itself", "nothing", "another diary's"])
async def test_a_successor_is_another_entry_of_the_same_diary(
    storage: Storage, agent: Agent, diary: Diary, named: str
) -> None:
    entry, stranger = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    await written(storage, entry, stranger)
    successor = {"itself": entry.id, "nothing": NO_ENTRY, "another diary's": stranger.id}[named]
    edited = attrs.evolve(entry, superseded_by=successor)
    with pytest.raises(UnknownSuccessor):
        async with storage.transaction() as work:
            await work.entries.replace(edited, an_index("after"), unless_changed_since=NOON)
    assert await found(storage, entry) == entry
    assert await found_by_word(storage, diary, "after") == []


async def test_of_edits_that_meet_one_is_written(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def edit(number: int) -> bool:
        edited = attrs.evolve(entry, content=f"Edit {number}", updated_at=NOON + number * MICROSECOND)
        async with storage.transaction() as work:
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
    async with storage.transaction() as work:
        assert await work.entries.remove(diary.id, entry.id)
    assert await found(storage, entry) is None
    assert await newest(storage, diary, Filters()) == []
    assert await found_by_word(storage, diary, "word") == []
    async with storage.snapshot() as work:
        assert await work.entries.public_entry(entry.id) is None


async def test_removing_what_is_gone_or_elsewhere_is_false(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other = an_entry(diary=diary.id), await opened(storage, agent)
    await written(storage, entry)
    async with storage.transaction() as work:
        assert not await work.entries.remove(diary.id, NO_ENTRY)
        assert not await work.entries.remove(other.id, entry.id)
        assert await work.entries.remove(diary.id, entry.id)
        assert not await work.entries.remove(diary.id, entry.id)


async def test_what_was_changed_meanwhile_is_not_removed(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)
    async with storage.transaction() as work:
        for guess in (NOON - MICROSECOND, NOON + MICROSECOND):
            assert not await work.entries.remove(diary.id, entry.id, unless_changed_since=guess)
        assert await work.entries.find(diary.id, entry.id) == entry
        assert await work.entries.remove(diary.id, entry.id, unless_changed_since=NOON)
        assert not await work.entries.remove(diary.id, entry.id, unless_changed_since=NOON)


async def test_an_edit_and_a_removal_of_one_version_do_not_both_happen(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def edit() -> bool:
        edited = attrs.evolve(entry, content="Other", updated_at=NOON + MICROSECOND)
        async with storage.transaction() as work:
            return await work.entries.replace(edited, an_index("after"), unless_changed_since=NOON)

    async def remove() -> bool:
        async with storage.transaction() as work:
            return await work.entries.remove(diary.id, entry.id, unless_changed_since=NOON)

    assert sorted(await asyncio.gather(edit(), remove())) == [False, True]


async def test_what_a_removed_entry_superseded_is_current_again(storage: Storage, diary: Diary) -> None:
    successor = an_entry(diary=diary.id)
    old = [an_entry(diary=diary.id, superseded_by=successor.id) for _ in range(2)]
    await written(storage, successor, *old)
    async with storage.transaction() as work:
        assert await work.entries.remove(diary.id, successor.id)
    current = await newest(storage, diary, Filters(exclude_superseded=True))
    assert [entry.id for entry in current] == [entry.id for entry in old[::-1]]


async def test_of_parallel_removals_one_succeeds(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def remove() -> bool:
        async with storage.autocommit() as work:
            return await work.entries.remove(diary.id, entry.id)

    assert sum(await asyncio.gather(*(remove() for _ in range(5)))) == 1


# Looked at


async def test_an_access_is_counted_and_moves_nothing_else(storage: Storage, agent: Agent, diary: Diary) -> None:
    first, second = an_entry(diary=diary.id), an_entry(diary=(await opened(storage, agent)).id)
    unseen, accessed_at = an_entry(diary=diary.id), NOON + timedelta(days=1, microseconds=1)
    await written(storage, first, second, unseen)
    async with storage.autocommit() as work:
        await work.entries.record_views({first.id: 1, NO_ENTRY: 1, second.id: 3}, accessed_at)
    for entry, times in ((first, 1), (second, 3)):
        assert await found(storage, entry) == attrs.evolve(entry, access_count=times, last_accessed_at=accessed_at)
    assert await found(storage, unseen) == unseen


async def test_an_access_that_is_counted_late_does_not_turn_time_back(storage: Storage, diary: Diary) -> None:
    entry, latest = an_entry(diary=diary.id), NOON + MICROSECOND
    await written(storage, entry)
    async with storage.autocommit() as work:
        await work.entries.record_views({entry.id: 1}, latest)
        await work.entries.record_views({entry.id: 1}, NOON)
    assert await found(storage, entry) == attrs.evolve(entry, access_count=2, last_accessed_at=latest)


async def test_no_access_at_all_is_no_error(storage: Storage) -> None:
    async with storage.autocommit() as work:
        await work.entries.record_views({}, NOON)
        await work.entries.record_views({NO_ENTRY: 1}, NOON)


async def test_no_access_is_lost(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)

    async def look() -> None:
        async with storage.autocommit() as work:
            await work.entries.record_views({entry.id: 1}, NOON)

    await asyncio.gather(*(look() for _ in range(10)))
    stored = await found(storage, entry)
    assert stored is not None
    assert stored.access_count == 10
