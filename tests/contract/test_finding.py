"""What finding asks of a store beside candidates: times, repeats, near-repeats, passages, and all that is public."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import EntryIndex, IndexedPassage, ModelName, Span, Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from moltnet.domain.text import SIMILAR_AMONG, SIMILAR_MAX
from moltnet.domain.time_expressions import TimeRange
from moltnet.ports.storage import Storage
from tests.support.builders import MODEL, NOON, a_vector, an_entry, an_id, an_index
from tests.support.stored import found, newest, opened, written

DAY = timedelta(days=1)
NEAR, CLOSE, FAR = a_vector(1, 0), a_vector(0.96, 0.28), a_vector(0, 1)


# Times


async def test_when_it_happened_is_stored_and_can_be_changed(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, occurred_at=NOON - timedelta(days=900, microseconds=1))
    await written(storage, entry)
    assert await found(storage, entry) == entry
    edited = attrs.evolve(entry, occurred_at=NOON - DAY)
    for index in (None, an_index("word")):
        async with storage.transaction() as work:
            assert await work.entries.replace(edited, index, unless_changed_since=entry.updated_at)
        assert await found(storage, entry) == edited
        edited = attrs.evolve(edited, occurred_at=NOON - 2 * DAY)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(since=NOON), {"today", "told today"}),
        (Filters(until=NOON), {"yesterday"}),
        (Filters(since=NOON - DAY, until=NOON + timedelta(microseconds=1)), {"yesterday", "today", "told today"}),
        (Filters(happened_since=NOON - DAY), {"yesterday", "today"}),
        (Filters(happened_until=NOON - DAY), {"told today"}),
        (Filters(happened_since=NOON - 9 * DAY, happened_until=NOON), {"yesterday", "told today"}),
    ],
)
async def test_filters_by_time_are_half_open(
    storage: Storage, diary: Diary, filters: Filters, expected: set[str]
) -> None:
    entries = {
        "yesterday": an_entry(diary=diary.id, at=NOON - DAY),
        "today": an_entry(diary=diary.id),
        "told today": an_entry(diary=diary.id, occurred_at=NOON - 9 * DAY),
    }
    await written(storage, *entries.values(), index=an_index("a"))
    ids = {entries[name].id for name in expected}
    assert {entry.id for entry in await newest(storage, diary, filters)} == ids
    async with storage.snapshot() as work:
        question = Question(words=LexicalQuery(scored=frozenset({Term("a")})), filters=filters)
        assert {each.entry_id for each in (await work.candidates.best(question, [diary.id], 9)).found} == ids


async def test_the_nearest_of_a_time_are_offered_even_where_others_are_nearer(storage: Storage, diary: Diary) -> None:
    near = an_entry(diary=diary.id)
    then = [an_entry(diary=diary.id, occurred_at=NOON - 9 * DAY) for _ in range(2)]
    await written(storage, near, index=an_index(vectors=(NEAR,)))
    for entry, vector in zip(then, (CLOSE, FAR), strict=True):
        await written(storage, entry, index=an_index(vectors=(vector,)))
    time_range = TimeRange(NOON - 9 * DAY, NOON - 8 * DAY)
    async with storage.snapshot() as work:
        question = Question(vector=NEAR, model=MODEL, time_ranges=(time_range,))
        answer = await work.candidates.best(question, [diary.id], 1)
        assert {each.entry_id: each.timely for each in answer.found} == {near.id: False, then[0].id: True}
        assert answer.timely_beyond
        assert not (await work.candidates.best(question, [diary.id], 2)).timely_beyond


# The newest without some words


async def test_the_newest_are_listed_by_what_they_hold(storage: Storage, diary: Diary) -> None:
    ants, bees, both = (an_entry(diary=diary.id) for _ in range(3))
    for entry, words in ((ants, "ant"), (bees, "bee"), (both, "ant bee")):
        await written(storage, entry, index=an_index(*words.split()))

    async def listed(words: LexicalQuery) -> list[Entry]:
        async with storage.snapshot() as work:
            entries, total = await work.entries.newest([diary.id], Filters(), Page(9), words)
        assert total == len(entries)
        return entries

    ant, bee = (Term("ant"),), (Term("bee"),)
    assert await listed(LexicalQuery(excluded=(ant,))) == [bees]
    assert await listed(LexicalQuery(required=(ant,))) == [both, ants]
    assert await listed(LexicalQuery(required=(ant,), excluded=(bee, ()))) == [ants]
    assert await listed(LexicalQuery(scored=frozenset({Term("ant")}))) == [both, bees, ants]


# Repeats


async def test_the_first_that_says_the_same_is_found(storage: Storage, agent: Agent, diary: Diary) -> None:
    later = an_entry(diary=diary.id, content="say it", at=NOON + DAY)
    first = an_entry(diary=diary.id, content="Say it!")
    elsewhere = an_entry(diary=(await opened(storage, agent)).id, content="say it", at=NOON - DAY)
    dated = an_entry(diary=diary.id, content="say it", occurred_at=NOON, at=NOON - DAY)
    await written(storage, later, first, elsewhere, dated)
    async with storage.transaction() as work:
        assert await work.entries.first_like(an_entry(diary=diary.id, content="SAY   it")) == first
        assert await work.entries.first_like(an_entry(diary=diary.id, content="say that")) is None
        assert await work.entries.remove(diary.id, first.id)
        assert await work.entries.first_like(an_entry(diary=diary.id, content="say it")) == later
        edited = attrs.evolve(later, content="say that")
        assert await work.entries.replace(edited, None, unless_changed_since=later.updated_at)
        assert await work.entries.first_like(an_entry(diary=diary.id, content="say it")) is None


async def test_of_many_at_once_one_is_the_first(storage: Storage, diary: Diary) -> None:
    async def keep() -> Entry:
        entry = an_entry(diary=diary.id, content="once")
        async with storage.transaction() as work:
            first = await work.entries.first_like(entry)
            if first is None:
                await work.entries.add(entry, an_index("once"))
            return first or entry

    kept = await asyncio.gather(*(keep() for _ in range(8)))
    assert len({entry.id for entry in kept}) == 1
    assert len(await newest(storage, diary, Filters())) == 1


async def test_what_begins_almost_alike_is_reported_nearest_first(storage: Storage, agent: Agent, diary: Diary) -> None:
    same, close, far, other_model = (an_entry(diary=diary.id) for _ in range(4))
    elsewhere = an_entry(diary=(await opened(storage, agent)).id)
    for entry, vectors in ((same, (NEAR, FAR)), (close, (CLOSE,)), (far, (FAR, NEAR)), (elsewhere, (NEAR,))):
        await written(storage, entry, index=an_index(vectors=vectors))
    await written(storage, other_model, index=an_index(vectors=(NEAR,), model=ModelName("another")))
    async with storage.snapshot() as work:
        similar = await work.candidates.similar(NEAR, MODEL, diary.id)
        assert [each.entry_id for each in similar] == [same.id, close.id]
        assert similar[0].cosine == 1
    await written(storage, *(an_entry(diary=diary.id) for _ in range(SIMILAR_MAX)), index=an_index(vectors=(NEAR,)))
    async with storage.snapshot() as work:
        assert len(await work.candidates.similar(NEAR, MODEL, diary.id)) == SIMILAR_MAX < SIMILAR_AMONG


# Passages


async def test_the_nearest_passage_is_reported_by_its_position(storage: Storage, diary: Diary) -> None:
    first, second, none, another = (an_entry(diary=diary.id) for _ in range(4))
    await written(storage, first, index=an_index(vectors=(NEAR, FAR, NEAR)))
    await written(storage, second, index=an_index(vectors=(FAR, CLOSE)))
    await written(storage, none, index=an_index("word"))
    await written(storage, another, index=an_index(vectors=(NEAR,), model=ModelName("another")))
    async with storage.snapshot() as work:
        ids = [each.id for each in (first, second, none, another)]
        assert await work.candidates.nearest_passages(NEAR, MODEL, ids) == {first.id: Span(0, 1), second.id: Span(1, 2)}
        assert await work.candidates.nearest_passages(NEAR, MODEL, []) == {}


async def test_a_passage_keeps_its_position_when_its_text_is_replaced(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(vectors=(NEAR,)))
    edited = attrs.evolve(entry, content="another", updated_at=entry.updated_at + timedelta(seconds=1))
    index = EntryIndex(model=MODEL, passages=(IndexedPassage(0, 3, 7, NEAR), IndexedPassage(1, 5, 9, FAR)))
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, index, unless_changed_since=entry.updated_at)
        assert await work.candidates.nearest_passages(NEAR, MODEL, [entry.id]) == {entry.id: Span(3, 7)}
        assert await work.candidates.nearest_passages(FAR, MODEL, [entry.id]) == {entry.id: Span(5, 9)}


# Words


async def test_which_words_and_runs_stand_in_an_entry_is_reported_by_their_positions(
    storage: Storage, diary: Diary
) -> None:
    one, other, none = (an_entry(diary=diary.id) for _ in range(3))
    await written(storage, one, index=an_index("a", "b", "c"))
    await written(storage, other, index=an_index("b", "a", "it's"))
    await written(storage, none, index=an_index("z"))
    runs = [[("a",), ("z2",)], [("a", "b")], [("b", "a"), ("c", "x")], [], [()], [("it's",)], [("a", "c")]]
    asked = [[tuple(map(Term, run)) for run in any_of] for any_of in runs]
    ids = [one.id, other.id, none.id, EntryId(an_id())]
    async with storage.snapshot() as work:
        assert await work.candidates.matched_runs(asked, ids) == {one.id: {0, 1}, other.id: {0, 2, 5}}
        assert await work.candidates.matched_runs(asked, []) == {}
        assert await work.candidates.matched_runs([], ids) == {}


async def test_a_long_term_stands_where_it_was_stored(storage: Storage, diary: Diary) -> None:
    entry, long = an_entry(diary=diary.id), "記" * 200
    await written(storage, entry, index=an_index(long))
    async with storage.snapshot() as work:
        assert await work.candidates.matched_runs([[(Term(long),)]], [entry.id]) == {entry.id: {0}}


# Everything public


async def test_all_that_is_public_and_nothing_else_is_searched(storage: Storage, agent: Agent) -> None:
    diaries = {visibility: await opened(storage, agent, visibility) for visibility in Visibility}
    entries = {visibility: an_entry(diary=diary.id) for visibility, diary in diaries.items()}
    await written(storage, *entries.values(), index=an_index("a", vectors=(NEAR,)))
    question = Question(vector=NEAR, model=MODEL, words=LexicalQuery(scored=frozenset({Term("a")})))

    async def offered() -> set[object]:
        async with storage.snapshot() as work:
            answer = await work.candidates.best_public(question, 9)
            within = [diary.id for diary in diaries.values() if diary.visibility is Visibility.PUBLIC]
            assert answer == await work.candidates.best(question, within, 9)
        return {each.entry_id for each in answer.found}

    assert await offered() == {entries[Visibility.PUBLIC].id}
    public = diaries[Visibility.PUBLIC]
    hidden = attrs.evolve(public, visibility=Visibility.PRIVATE, updated_at=NOON + DAY)
    async with storage.transaction() as work:
        assert await work.diaries.replace(hidden, unless_changed_since=public.updated_at)
    diaries[Visibility.PUBLIC] = hidden
    assert await offered() == set()
