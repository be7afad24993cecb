"""The port `Feed`: the order in which public entries came, and what else is asked of public diaries alone."""

from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor, Position, Stretch
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_voucher, an_entry, an_id, an_index
from tests.support.stored import joined, opened, written

START = Position(0)


@pytest.fixture
async def public(storage: Storage, agent: Agent) -> Diary:
    """A public diary."""
    return await opened(storage, agent, Visibility.PUBLIC)


async def shown_to(storage: Storage, diary: Diary, visibility: Visibility) -> None:
    """Opens or closes a diary."""
    async with storage.transaction() as work:
        assert await work.diaries.replace(
            attrs.evolve(diary, visibility=visibility), unless_changed_since=diary.updated_at
        )


async def removed(storage: Storage, entry: Entry) -> None:
    """Removes an entry."""
    async with storage.transaction() as work:
        assert await work.entries.remove(entry.diary_id, entry.id)


async def end_of(storage: Storage) -> Position:
    async with storage.snapshot() as work:
        return await work.feed.end()


async def resumed(storage: Storage, cursor: Cursor) -> Position:
    async with storage.snapshot() as work:
        return await work.feed.resume(cursor)


async def between(storage: Storage, after: Position, until: Position, limit: int = 100) -> Stretch:
    async with storage.snapshot() as work:
        return await work.feed.between(after, until, limit)


async def rest(storage: Storage, after: Position = START) -> list[Entry]:
    """Everything beyond a position."""
    stretch = await between(storage, after, Position(await end_of(storage) + 10))
    return [item.entry for item in stretch.items]


# Positions


async def test_an_empty_feed_ends_where_it_begins(storage: Storage) -> None:
    assert await end_of(storage) == START
    assert await between(storage, START, Position(5)) == Stretch(items=(), end=Position(5))


async def test_entries_stand_in_the_order_they_were_stored_whatever_their_date(
    storage: Storage, public: Diary, agent: Agent
) -> None:
    entries = [an_entry(diary=public.id, at=NOON - timedelta(hours=number)) for number in range(3)]
    for entry in entries:
        await written(storage, entry)
    stretch = await between(storage, START, await end_of(storage))
    assert [item.entry for item in stretch.items] == entries
    assert {item.author.id for item in stretch.items} == {agent.id}
    assert stretch.end == await end_of(storage)


async def test_entries_of_one_transaction_all_have_a_position(storage: Storage, public: Diary) -> None:
    entries = [an_entry(diary=public.id) for _ in range(3)]
    await written(storage, *entries)
    assert await rest(storage) == entries


async def test_what_was_undone_leaves_nothing(storage: Storage, public: Diary) -> None:
    class Undone(Exception):
        pass

    async def undone() -> None:
        async with storage.transaction() as work:
            await work.entries.add(an_entry(diary=public.id), an_index())
            raise Undone

    with pytest.raises(Undone):
        await undone()
    assert await rest(storage) == []


async def test_an_entry_removed_in_its_own_transaction_leaves_nothing(storage: Storage, public: Diary) -> None:
    entry = an_entry(diary=public.id)
    async with storage.transaction() as work:
        await work.entries.add(entry, an_index())
        await work.entries.remove(public.id, entry.id)
    assert await rest(storage) == []


async def test_a_position_is_never_given_again(storage: Storage, public: Diary) -> None:
    first, second = an_entry(diary=public.id), an_entry(diary=public.id)
    await written(storage, first)
    seen = await end_of(storage)
    await removed(storage, first)
    await written(storage, second)
    assert await rest(storage, seen) == [second]


async def test_other_diaries_are_not_in_the_feed(storage: Storage, agent: Agent) -> None:
    for visibility in (Visibility.PRIVATE, Visibility.MOLTNET):
        diary = await opened(storage, agent, visibility)
        await written(storage, an_entry(diary=diary.id))
    assert await end_of(storage) == START


async def test_a_diary_that_is_opened_brings_only_what_is_written_from_then_on(storage: Storage, diary: Diary) -> None:
    before, after = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, before)
    await shown_to(storage, diary, Visibility.PUBLIC)
    assert await rest(storage) == []
    await written(storage, after)
    assert await rest(storage) == [after]


async def test_a_diary_that_is_closed_is_passed_over_and_back_at_its_position_when_opened(
    storage: Storage, public: Diary, agent: Agent
) -> None:
    other = await opened(storage, agent, Visibility.PUBLIC)
    hidden, shown = an_entry(diary=public.id), an_entry(diary=other.id)
    await written(storage, hidden)
    await written(storage, shown)
    await shown_to(storage, public, Visibility.PRIVATE)
    assert await rest(storage) == [shown]
    await shown_to(storage, public, Visibility.PUBLIC)
    assert await rest(storage) == [hidden, shown]


async def test_an_edit_keeps_the_position(storage: Storage, public: Diary) -> None:
    first, second = an_entry(diary=public.id), an_entry(diary=public.id)
    await written(storage, first, second)
    edited = attrs.evolve(first, content="Anew", updated_at=NOON + timedelta(hours=1))
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, an_index("anew"), unless_changed_since=NOON)
    assert await rest(storage) == [edited, second]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_a_walk_by_stretches_neither_skips_nor_repeats(
    storage: Storage, public: Diary, agent: Agent, limit: int
) -> None:
    closed = await opened(storage, agent, Visibility.PUBLIC)
    entries = [an_entry(diary=(closed if number % 3 == 1 else public).id) for number in range(7)]
    await written(storage, *entries)
    await removed(storage, entries[3])
    await shown_to(storage, closed, Visibility.PRIVATE)
    end, at, walked = await end_of(storage), START, []
    while at < end:
        stretch = await between(storage, at, end, limit)
        assert at < stretch.end <= end
        walked += [item.entry for item in stretch.items]
        at = stretch.end
    assert walked == [entry for entry in entries if entry.diary_id == public.id and entry is not entries[3]]


async def test_a_stretch_ends_where_it_should(storage: Storage, public: Diary) -> None:
    entries = [an_entry(diary=public.id) for _ in range(3)]
    await written(storage, *entries)
    end = await end_of(storage)
    stretch = await between(storage, Position(end - 2), Position(end - 1))
    assert [item.entry for item in stretch.items] == [entries[1]]
    assert (await between(storage, end, end)).items == ()


# Going on


async def test_going_on_from_an_entry_says_what_came_after_it(storage: Storage, public: Diary) -> None:
    # The second is dated before the first, as it is when it took longer to store.
    entries = [an_entry(diary=public.id, at=NOON - timedelta(seconds=number)) for number in range(3)]
    await written(storage, *entries)
    assert await rest(storage, await resumed(storage, Cursor.after(entries[0]))) == entries[1:]
    assert await rest(storage, await resumed(storage, Cursor(NOON + timedelta(days=9), entries[1].id))) == entries[2:]


async def test_going_on_from_an_entry_that_is_gone_returns_everything_dated_later(
    storage: Storage, public: Diary
) -> None:
    gone, late, later = (an_entry(diary=public.id, at=NOON + timedelta(seconds=number)) for number in range(3))
    # The later dated one came first.
    for entry in (gone, later, late):
        await written(storage, entry)
    await removed(storage, gone)
    assert await rest(storage, await resumed(storage, Cursor.after(gone))) == [later, late]


async def test_of_one_time_the_greater_id_is_the_later(storage: Storage, public: Diary) -> None:
    lesser, greater = EntryId(an_id()), EntryId(an_id())
    entry = an_entry(diary=public.id)
    await written(storage, entry)
    assert await rest(storage, await resumed(storage, Cursor(NOON, lesser))) == [entry]
    assert await rest(storage, await resumed(storage, Cursor(NOON, EntryId(an_id())))) == []
    assert lesser < greater < entry.id


async def test_going_on_from_the_future_says_what_comes(storage: Storage, public: Diary) -> None:
    await written(storage, an_entry(diary=public.id))
    place = await resumed(storage, Cursor(NOON + timedelta(days=1), EntryId(an_id())))
    assert place == await end_of(storage)


async def test_going_on_in_an_empty_feed_begins_at_its_start(storage: Storage) -> None:
    assert await resumed(storage, Cursor(NOON, EntryId(an_id()))) == START


# Public entries


async def test_entries_are_found_in_the_order_asked_for_with_their_authors(
    storage: Storage, public: Diary, diary: Diary
) -> None:
    other = await joined(storage)
    theirs = await opened(storage, other, Visibility.PUBLIC)
    entries = [an_entry(diary=each.id) for each in (public, theirs, diary)]
    await written(storage, *entries)
    async with storage.snapshot() as work:
        found = await work.feed.find_many([entries[1].id, EntryId(an_id()), entries[2].id, entries[0].id])
    assert [item.entry for item in found] == [entries[1], entries[0]]
    assert [item.author.id for item in found] == [other.id, public.owner_id]


async def test_flagged_entries_are_left_out_on_demand(storage: Storage, public: Diary) -> None:
    flagged, harmless = an_entry(diary=public.id, injection_risk=True), an_entry(diary=public.id)
    await written(storage, flagged, harmless, index=an_index("word"))
    for exclude_flagged, expected in ((False, {flagged.id, harmless.id}), (True, {harmless.id})):
        filters = Filters(exclude_flagged=exclude_flagged)
        question = Question(words=LexicalQuery(scored=frozenset({Term("word")})), filters=filters)
        async with storage.snapshot() as work:
            listed, total = await work.entries.newest([public.id], filters, Page(10))
            found = (await work.candidates.best(question, [public.id], 10)).found
        assert {entry.id for entry in listed} == {each.entry_id for each in found} == expected
        assert total == len(expected)


# What else is asked of public diaries alone


async def test_figures_count_agents_vouches_and_public_entries(storage: Storage, public: Diary, agent: Agent) -> None:
    private, other = await opened(storage, agent), await joined(storage)
    voucher = a_voucher(issuer=agent.id)
    async with storage.transaction() as work:
        before = await work.feed.figures()
        assert await work.vouchers.issue(voucher)
        assert await work.vouchers.redeem(voucher.code, other.id, NOON)
        assert await work.vouchers.issue(a_voucher(issuer=agent.id))
    await written(storage, *(an_entry(diary=diary.id) for diary in (public, public, private)))
    async with storage.snapshot() as work:
        after = await work.feed.figures()
    assert (after.vouches - before.vouches, after.public_entries - before.public_entries) == (1, 2)
    await joined(storage)
    async with storage.snapshot() as work:
        assert (await work.feed.figures()).agents == after.agents + 1


async def test_only_public_diaries_of_an_owner_are_shown_newest_first(storage: Storage, agent: Agent) -> None:
    first, *_, last = [
        await opened(storage, agent, visibility)
        for visibility in (Visibility.PUBLIC, Visibility.PRIVATE, Visibility.MOLTNET, Visibility.PUBLIC)
    ]
    await opened(storage, await joined(storage), Visibility.PUBLIC)
    newest_first = sorted((first, last), key=lambda diary: (diary.created_at, diary.id), reverse=True)
    async with storage.snapshot() as work:
        assert await work.feed.diaries_of(agent.id, 9) == newest_first
        assert await work.feed.diaries_of(agent.id, 1) == newest_first[:1]


async def test_superseded_entries_are_found_while_their_diary_is_public(storage: Storage, public: Diary) -> None:
    successor = an_entry(diary=public.id)
    old = [
        an_entry(diary=public.id, superseded_by=successor.id, at=NOON - timedelta(hours=hours)) for hours in (1, 2, 3)
    ]
    await written(storage, successor, *old)
    async with storage.snapshot() as work:
        found = await work.feed.superseded_by(successor.id, 2)
        assert await work.feed.superseded_by(old[0].id, 9) == []
    assert [item.entry.id for item in found] == [old[0].id, old[1].id]
    await shown_to(storage, public, Visibility.MOLTNET)
    async with storage.snapshot() as work:
        assert await work.feed.superseded_by(successor.id, 9) == []
