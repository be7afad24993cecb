"""The port `CandidateSearch`."""

import math
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.ids import DiaryId
from moltnet.domain.indexing import Expansion, ModelName, Term, Vector
from moltnet.domain.ranking import (
    WORDS_LOOKED_UP,
    Balance,
    Candidate,
    Candidates,
    Question,
    Shortlist,
    Spread,
    inverse_frequency,
    is_exact,
    rank,
    score_by,
    shares,
    term_weight,
)
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery, Weights
from moltnet.ports.storage import Storage
from tests.support.builders import MODEL, NOON, a_vector, an_entry, an_id, an_index
from tests.support.stored import opened, written

NEAR, MIDDLE, FAR, OPPOSITE = a_vector(1, 0), a_vector(0.6, 0.8), a_vector(0, 1), a_vector(-1, 0)
ASKED = NEAR
CALLED_UP = Expansion({1: 2.0, 2: 1.0, 30_521: 0.5})


def words(*scored: str, required: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> LexicalQuery:
    """A query; runs are told by blanks."""
    return LexicalQuery(
        scored=frozenset(map(Term, scored)),
        required=tuple(tuple(map(Term, run.split())) for run in required),
        excluded=tuple(tuple(map(Term, run.split())) for run in excluded),
    )


def by_vector(vector: Vector = ASKED, model: ModelName = MODEL, query: LexicalQuery = ANY_TERMS) -> Question:
    return Question(vector=vector, model=model, words=query)


async def best(storage: Storage, question: Question, *within: Diary, depth: int = 10) -> Candidates:
    async with storage.snapshot() as work:
        return await work.candidates.best(question, [diary.id for diary in within], depth)


async def found(storage: Storage, question: Question, *within: Diary, depth: int = 10) -> dict[object, Candidate]:
    return {each.entry_id: each for each in (await best(storage, question, *within, depth=depth)).found}


async def with_words(storage: Storage, diary: Diary, text: str) -> Entry:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(*text.split()))
    return entry


async def with_vectors(storage: Storage, diary: Diary, *vectors: Vector, model: ModelName = MODEL) -> Entry:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(vectors=vectors, model=model))
    return entry


def share_of_best(entries: int, holding: int, occurrences: int, length: int, *absent: int) -> float:
    """The word score of one matched word; `absent` are the holders of the other words asked for."""
    frequency = inverse_frequency(entries, holding)
    others = [inverse_frequency(entries, count) for count in absent]
    return shares([frequency, *others])[0] * term_weight(occurrences, length)


# What is asked


async def test_asking_nothing_finds_nothing(storage: Storage, diary: Diary) -> None:
    await with_words(storage, diary, "a b")
    await with_vectors(storage, diary, NEAR)
    for question in (Question(), Question(words=words(required=("a",), excluded=("c",)))):
        assert await best(storage, question, diary) == Candidates(found=())


async def test_no_diaries_means_none(storage: Storage, diary: Diary) -> None:
    await with_vectors(storage, diary, NEAR)
    assert await best(storage, by_vector()) == Candidates(found=())
    async with storage.snapshot() as work:
        assert await work.candidates.best(by_vector(), [DiaryId(an_id())], 10) == Candidates(found=())


async def test_only_the_diaries_asked_for_are_compared(storage: Storage, agent: Agent, diary: Diary) -> None:
    other, third = await opened(storage, agent), await opened(storage, agent)
    mine, others = await with_vectors(storage, diary, NEAR), await with_vectors(storage, other, NEAR)
    await with_vectors(storage, third, NEAR)
    assert set(await found(storage, by_vector(), diary)) == {mine.id}
    assert set(await found(storage, by_vector(), diary, diary, other)) == {mine.id, others.id}


async def test_a_candidate_carries_what_ranking_needs(storage: Storage, diary: Diary) -> None:
    accessed_at = NOON + timedelta(hours=1, microseconds=1)
    unseen, seen = an_entry(diary=diary.id, importance=1), an_entry(diary=diary.id, importance=10)
    await written(storage, unseen, seen, index=an_index("a", vectors=(NEAR,)))
    async with storage.transaction() as work:
        await work.entries.record_views({seen.id: 1}, accessed_at)
    candidates = await found(storage, by_vector(query=words("a")), diary)
    assert {each.entry_id: (each.importance, each.accessed_at) for each in candidates.values()} == {
        unseen.id: (1, NOON),
        seen.id: (10, accessed_at),
    }


# Vectors


@pytest.mark.parametrize(("vector", "cosine"), [(NEAR, 1.0), (MIDDLE, 0.6), (FAR, 0.0), (OPPOSITE, -1.0)])
async def test_the_cosine_is_that_of_the_angle(storage: Storage, diary: Diary, vector: Vector, cosine: float) -> None:
    entry = await with_vectors(storage, diary, vector)
    candidates = await found(storage, by_vector(), diary)
    assert candidates[entry.id].cosine == pytest.approx(cosine, abs=1e-3)
    assert candidates[entry.id].words == 0


async def test_an_entry_is_as_near_as_its_nearest_passage(storage: Storage, diary: Diary) -> None:
    entry = await with_vectors(storage, diary, FAR, MIDDLE, OPPOSITE)
    await with_vectors(storage, diary, FAR)
    assert (await found(storage, by_vector(), diary, depth=1)).keys() == {entry.id}
    assert (await found(storage, by_vector(), diary))[entry.id].cosine == pytest.approx(0.6, abs=1e-3)


async def test_an_entry_with_many_near_passages_takes_one_rank(storage: Storage, diary: Diary) -> None:
    entry, other = await with_vectors(storage, diary, *[NEAR] * 5), await with_vectors(storage, diary, FAR)
    candidates = await best(storage, by_vector(), diary, depth=2)
    assert {each.entry_id for each in candidates.found} == {entry.id, other.id}
    assert candidates.complete


async def test_another_models_vectors_are_not_compared(storage: Storage, diary: Diary) -> None:
    await with_vectors(storage, diary, NEAR, model=ModelName("another"))
    without = await with_words(storage, diary, "a")
    assert await best(storage, by_vector(), diary) == Candidates(found=())
    other_models = an_entry(diary=diary.id)
    await written(storage, other_models, index=an_index("a", vectors=(NEAR,), model=ModelName("another")))
    candidates = await found(storage, by_vector(query=words("a")), diary)
    assert [candidate.cosine for candidate in candidates.values()] == [None, None]
    assert candidates.keys() == {without.id, other_models.id}


async def test_words_alone_know_no_cosine(storage: Storage, diary: Diary) -> None:
    await written(storage, an_entry(diary=diary.id), index=an_index("a", vectors=(NEAR,)))
    (candidate,) = (await best(storage, Question(words=words("a")), diary)).found
    assert candidate.cosine is None


# Words


async def test_words_score_as_a_share_of_the_best_possible(storage: Storage, diary: Diary) -> None:
    once, often = await with_words(storage, diary, "a b c"), await with_words(storage, diary, "a a d")
    await with_words(storage, diary, "c d")
    candidates = await found(storage, Question(words=words("a", "z")), diary)
    assert {each: candidate.words for each, candidate in candidates.items()} == {
        once.id: pytest.approx(share_of_best(3, 2, 1, 3, 0), abs=1e-6),
        often.id: pytest.approx(share_of_best(3, 2, 2, 3, 0), abs=1e-6),
    }


async def test_all_matched_words_count(storage: Storage, diary: Diary) -> None:
    both = await with_words(storage, diary, "a b")
    await with_words(storage, diary, "a c")
    candidates = await found(storage, Question(words=words("a", "b")), diary)
    expected = share_of_best(2, 2, 1, 2, 1) + share_of_best(2, 1, 1, 2, 2)
    assert candidates[both.id].words == pytest.approx(expected, abs=1e-6)


async def test_a_word_is_as_telling_as_it_is_rare_in_its_own_diary(
    storage: Storage, agent: Agent, diary: Diary
) -> None:
    other = await opened(storage, agent)
    here, there = await with_words(storage, diary, "a"), await with_words(storage, other, "a")
    for text in ("b", "c", "a b"):
        await with_words(storage, other, text)
    candidates = await found(storage, Question(words=words("a", "b")), diary, other)
    assert candidates[here.id].words == pytest.approx(share_of_best(1, 1, 1, 1, 0), abs=1e-6)
    assert candidates[there.id].words == pytest.approx(share_of_best(4, 2, 1, 1, 2), abs=1e-6)


async def test_how_telling_a_word_is_does_not_depend_on_the_filters(storage: Storage, diary: Diary) -> None:
    tagged = an_entry(diary=diary.id, tags=("x",))
    await written(storage, tagged, index=an_index("a"))
    for text in ("a", "b", "c"):
        await with_words(storage, diary, text)
    question = Question(words=words("a", excluded=("b",)), filters=Filters(tags=("x",)))
    candidates = await found(storage, question, diary)
    assert {each: candidate.words for each, candidate in candidates.items()} == {
        tagged.id: pytest.approx(share_of_best(4, 2, 1, 1), abs=1e-6)
    }


async def test_edited_and_removed_entries_no_longer_count(storage: Storage, diary: Diary) -> None:
    kept = await with_words(storage, diary, "a")
    edited, removed = await with_words(storage, diary, "a b"), await with_words(storage, diary, "a")
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, an_index("c"), unless_changed_since=edited.updated_at)
        assert await work.entries.remove(diary.id, removed.id)
    candidates = await found(storage, Question(words=words("a", "b")), diary)
    assert {each: candidate.words for each, candidate in candidates.items()} == {
        kept.id: pytest.approx(share_of_best(2, 1, 1, 1, 0), abs=1e-6)
    }


async def test_a_prepared_index_is_stored_as_it_would_be_without(storage: Storage, diary: Diary) -> None:
    plain, prepared = an_entry(diary=diary.id), an_entry(diary=diary.id)
    index = an_index("a", "b", "a")
    await written(storage, plain, index=index)
    await written(storage, prepared, index=storage.prepared(storage.prepared(index)))
    question = Question(words=words("a", required=("b", "a")))
    candidates = await found(storage, question, diary)
    assert candidates.keys() == {plain.id, prepared.id}
    assert len({candidate.words for candidate in candidates.values()}) == 1


async def test_an_entry_that_matches_no_word_is_no_candidate_of_words(storage: Storage, diary: Diary) -> None:
    await with_words(storage, diary, "a b")
    assert await best(storage, Question(words=words("z")), diary) == Candidates(found=())


async def public(storage: Storage, question: Question) -> set[object]:
    async with storage.snapshot() as work:
        return {each.entry_id for each in (await work.candidates.best_public(question, 200)).found}


async def of_many_words(storage: Storage, diary: Diary) -> tuple[Question, set[object]]:
    """A question of words that one, two and no entry hold, and the entries that the rarest 64 find."""
    common = [f"common{number:02}" for number in range(WORDS_LOOKED_UP)]
    rare = [await with_words(storage, diary, f"rare{number}") for number in range(2)]
    for _ in range(2):
        pairs = [await with_words(storage, diary, word) for word in common]
        rare.extend(pairs[: WORDS_LOOKED_UP - 2])
    absent = [f"absent{number}" for number in range(WORDS_LOOKED_UP)]
    return Question(words=words("rare0", "rare1", *common, *absent)), {entry.id for entry in rare}


async def test_of_many_words_the_rarest_are_looked_up(storage: Storage, agent: Agent, diary: Diary) -> None:
    for _ in range(3):
        await opened(storage, agent)
    question, expected = await of_many_words(storage, diary)
    assert (await found(storage, question, diary, depth=200)).keys() == expected


async def test_of_many_words_the_rarest_are_looked_up_in_public(storage: Storage, agent: Agent, diary: Diary) -> None:
    scored = [f"word{number:02}" for number in range(WORDS_LOOKED_UP + 1)]
    shown = await opened(storage, agent, visibility=Visibility.PUBLIC)
    entries = [await with_words(storage, shown, word) for word in scored]
    await with_words(storage, shown, scored[7])
    for _ in range(2):  # What is private does not say what is rare among what is public.
        await with_words(storage, diary, scored[8])
    assert await public(storage, Question(words=words(*scored))) == {each.id for each in entries} - {entries[7].id}


# Runs


@pytest.mark.parametrize(
    ("run", "matches"),
    [
        ("a", True),
        ("a b", True),
        ("b c", True),
        ("a b c", True),
        ("c a", True),
        ("b a", False),
        ("a c", False),
        ("a b c a b", False),
        ("c c", False),
        ("z", False),
        ("a z", False),
    ],
)
async def test_a_run_stands_in_a_text_without_a_gap(storage: Storage, diary: Diary, run: str, *, matches: bool) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("a", "b", "c", "a", vectors=(NEAR,)))
    required = await found(storage, by_vector(query=words(required=(run,))), diary)
    excluded = await found(storage, by_vector(query=words(excluded=(run,))), diary)
    assert list(required) == [entry.id] * matches
    assert list(excluded) == [entry.id] * (not matches)


async def test_all_required_runs_stand_and_no_excluded_one(storage: Storage, diary: Diary) -> None:
    both = await with_words(storage, diary, "a b q c d")
    await with_words(storage, diary, "a b q")
    await with_words(storage, diary, "a b c d e")
    query = words("a", required=("a b", "c d"), excluded=("e", "b a"))
    assert (await found(storage, Question(words=query), diary)).keys() == {both.id}


async def test_runs_hold_for_both_sides(storage: Storage, diary: Diary) -> None:
    good, bad = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, good, index=an_index("a", "b", vectors=(FAR,)))
    await written(storage, bad, index=an_index("a", "c", vectors=(NEAR,)))
    await with_vectors(storage, diary, NEAR)
    candidates = await best(storage, by_vector(query=words("a", required=("b",))), diary, depth=1)
    assert [each.entry_id for each in candidates.found] == [good.id]
    assert candidates.complete


async def test_a_run_of_no_word_asks_for_nothing(storage: Storage, diary: Diary) -> None:
    entry = await with_words(storage, diary, "a")
    query = words("a", required=("",), excluded=("",))
    assert (await found(storage, Question(words=query), diary)).keys() == {entry.id}


# Filters


async def test_filters_hold_for_both_sides(storage: Storage, diary: Diary) -> None:
    scored = an_entry(diary=diary.id, tags=("x", "y"), entry_type=EntryType.SOUL, at=NOON)
    unwanted = (
        an_entry(diary=diary.id, tags=("x",), entry_type=EntryType.SOUL),
        an_entry(diary=diary.id, tags=("x", "y")),
        an_entry(diary=diary.id, tags=("x", "y"), entry_type=EntryType.SOUL, at=NOON - timedelta(microseconds=1)),
        an_entry(diary=diary.id, tags=("x", "y"), entry_type=EntryType.SOUL, superseded_by=scored.id),
    )
    await written(storage, scored, *unwanted, index=an_index("a", vectors=(NEAR,)))
    filters = Filters(tags=("y", "x"), entry_types=frozenset({EntryType.SOUL}), exclude_superseded=True, since=NOON)
    question = Question(vector=ASKED, model=MODEL, words=words("a"), filters=filters)
    candidates = await best(storage, question, diary, depth=1)
    assert [each.entry_id for each in candidates.found] == [scored.id]
    assert candidates.complete


# Expansions


def expanding(model: ModelName = MODEL) -> Question:
    return attrs.evolve(by_vector(model=model), expansion=CALLED_UP)


async def with_expansion(
    storage: Storage, diary: Diary, expansion: Expansion | None, model: ModelName = MODEL
) -> Entry:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(vectors=(FAR,), expansion=expansion, model=model))
    return entry


async def test_an_expansion_counts_by_how_much_of_the_query_it_covers(storage: Storage, diary: Diary) -> None:
    same = await with_expansion(storage, diary, CALLED_UP)
    half = await with_expansion(storage, diary, Expansion({1: 1.0, 7: 9.0}))
    heavier = await with_expansion(storage, diary, Expansion({1: 5.0}))
    other = await with_expansion(storage, diary, Expansion({3: 1.0}))
    none = await with_expansion(storage, diary, None)
    candidates = await found(storage, expanding(), diary)
    expected = {same.id: 1.0, half.id: 2 / 5.25, heavier.id: 1.0, other.id: 0.0, none.id: 0.0}
    assert {key: each.expansion for key, each in candidates.items()} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("ranks", [True, False])
async def test_the_spread_is_that_of_all_that_was_compared(storage: Storage, diary: Diary, *, ranks: bool) -> None:
    for called_up in (CALLED_UP, Expansion({3: 1.0}), None):
        await with_expansion(storage, diary, called_up)
    shortlist = Shortlist(score=score_by(Weights(), Balance(words=1.0), NOON), limit=1, ranks=ranks)
    async with storage.snapshot() as work:
        for asked in (shortlist, None):
            for each in (await work.candidates.best(expanding(), [diary.id], 1, asked)).found:
                assert each.spread == Spread(pytest.approx(2**0.5 / 3, abs=1e-5), 3)
            without = await work.candidates.best(by_vector(), [diary.id], 1, asked)
            assert [each.spread for each in without.found] == [None]


async def test_a_question_without_an_expansion_counts_none(storage: Storage, diary: Diary) -> None:
    await with_expansion(storage, diary, CALLED_UP)
    candidates = await best(storage, by_vector(), diary)
    assert [(each.expansion, each.expansion_rank) for each in candidates.found] == [(0.0, None)]
    assert candidates.expansion_beyond is None


async def test_what_another_model_called_up_counts_for_nothing(storage: Storage, diary: Diary) -> None:
    await with_expansion(storage, diary, CALLED_UP, ModelName("another"))
    entry = await with_words(storage, diary, "a")
    await with_expansion(storage, diary, CALLED_UP, ModelName("another"))
    question = attrs.evolve(expanding(), words=words("a"))
    assert {key: each.expansion for key, each in (await found(storage, question, diary)).items()} == {entry.id: 0.0}


async def test_the_best_expanding_are_offered_and_the_worst_of_them_reported(storage: Storage, diary: Diary) -> None:
    for weight in (0.5, 1.5, 1.0):
        await with_expansion(storage, diary, Expansion({1: weight}))
    nearest = await with_vectors(storage, diary, NEAR)
    candidates = await best(storage, expanding(), diary, depth=1)
    (first,) = [each for each in candidates.found if each.expansion_rank == 1]
    assert first.expansion == pytest.approx(2 * 1.5 / 5.25, abs=1e-5) == candidates.expansion_beyond
    assert {each.entry_id for each in candidates.found} == {first.entry_id, nearest.id}
    assert not candidates.complete


# Depth


async def test_the_nearest_are_offered_and_the_worst_of_them_reported(storage: Storage, diary: Diary) -> None:
    near, middle = await with_vectors(storage, diary, NEAR), await with_vectors(storage, diary, MIDDLE)
    await with_vectors(storage, diary, FAR)
    candidates = await best(storage, by_vector(), diary, depth=2)
    assert {each.entry_id for each in candidates.found} == {near.id, middle.id}
    assert candidates.cosine_beyond == pytest.approx(0.6, abs=1e-3)
    assert candidates.words_beyond is None


async def test_the_best_matching_are_offered_and_the_worst_of_them_reported(storage: Storage, diary: Diary) -> None:
    often = await with_words(storage, diary, "a a a")
    await with_words(storage, diary, "a b c")
    candidates = await best(storage, Question(words=words("a")), diary, depth=1)
    assert [each.entry_id for each in candidates.found] == [often.id]
    assert candidates.words_beyond == pytest.approx(share_of_best(2, 2, 3, 3), abs=1e-6)
    assert candidates.cosine_beyond is None


async def test_a_side_with_exactly_as_many_has_no_more(storage: Storage, diary: Diary) -> None:
    for vector in (NEAR, FAR, OPPOSITE):
        await with_vectors(storage, diary, vector)
    assert (await best(storage, by_vector(), diary, depth=3)).complete
    assert not (await best(storage, by_vector(), diary, depth=2)).complete


async def test_the_best_of_both_sides_are_one_set_with_both_scores(storage: Storage, diary: Diary) -> None:
    nearest, matching, both = (an_entry(diary=diary.id) for _ in range(3))
    await written(storage, nearest, index=an_index("b", vectors=(NEAR,)))
    await written(storage, matching, index=an_index("a", "a", vectors=(OPPOSITE,)))
    await written(storage, both, index=an_index("a", "b", vectors=(MIDDLE,)))
    question = by_vector(query=words("a"))
    candidates = await found(storage, question, diary, depth=2)
    assert candidates.keys() == {nearest.id, matching.id, both.id}
    assert candidates[nearest.id].words == 0
    assert candidates[matching.id].cosine == pytest.approx(-1, abs=1e-6)
    assert candidates[both.id].words == pytest.approx(share_of_best(3, 2, 1, 2), abs=1e-6)
    (one_of_each, other) = (await best(storage, question, diary, depth=1)).found
    assert {one_of_each.entry_id, other.entry_id} == {nearest.id, matching.id}


@pytest.mark.parametrize("weights", [Weights(), Weights(recency=1), Weights(relevance=0.2, importance=1)])
async def test_a_shortlist_is_the_best_of_the_candidates(storage: Storage, diary: Diary, weights: Weights) -> None:
    for number in range(12):
        vector = a_vector(math.cos(number / 6), math.sin(number / 6))
        at = NOON - timedelta(hours=7 * number % 12)
        entry = attrs.evolve(an_entry(diary=diary.id), importance=number % 10 + 1, created_at=at, updated_at=at)
        expansion = Expansion(dict.fromkeys(range(1, number % 5), 1.0))
        index = an_index(*("a", "b", "c")[: number % 4], vectors=(vector,), expansion=expansion)
        await written(storage, entry, index=index)
    score = score_by(weights, Balance(words=1.0, expansion=0.5), NOON)
    question = attrs.evolve(by_vector(query=words("a", "c")), expansion=CALLED_UP)
    for depth in (2, 12):
        everyone = await best(storage, question, diary, depth=depth)
        async with storage.snapshot() as work:
            shortlist = Shortlist(score=score, limit=3, ranks=True)
            answer = await work.candidates.best(question, [diary.id], depth, shortlist)
            expected = [each.candidate for each in rank(everyone, score)[:3]]
            stored = await work.entries.find_many([each.entry_id for each in expected])
            unranked = await work.candidates.best(question, [diary.id], depth, attrs.evolve(shortlist, ranks=False))
        whole = [attrs.evolve(each, entry=entry) for each, entry in zip(expected, stored, strict=True)]
        assert set(answer.found) == set(whole)
        assert attrs.evolve(answer, found=()) == attrs.evolve(everyone, found=())
        if is_exact(rank(unranked, score), 3, unranked, score):
            best_of_all = rank(await best(storage, question, diary, depth=12), score)[:3]
            assert [each.entry.id for each in rank(unranked, score)] == [each.entry_id for each in best_of_all]
            assert [each.score for each in rank(unranked, score)] == [each.score for each in best_of_all]
