"""How scores add up, and when an answer from candidates is the true one."""

import math
from datetime import timedelta
from itertools import pairwise

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import Expansion, Term
from moltnet.domain.ranking import (
    SPREAD_USUAL,
    TIME_BOOST,
    WORDS_ALONE,
    Balance,
    Candidate,
    Candidates,
    Question,
    Ranked,
    Spread,
    inverse_frequency,
    is_confident,
    is_exact,
    looked_up,
    rank,
    recency,
    relevance,
    score_by,
    score_share,
    shares,
    term_weight,
    worth,
)
from moltnet.domain.search import LexicalQuery, Weights
from tests.support.builders import NOON, a_vector, an_id

COUNTS = st.integers(0, 1000)
# Few values, so that ties are common; and thirds, so that rounding is.
PARTS = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 2 / 3, 1.0]) | st.floats(0, 1)
COSINES = st.none() | PARTS | PARTS.map(lambda part: -part)
WEIGHTS = st.builds(Weights, relevance=PARTS, recency=PARTS, importance=PARTS)
LAMBDAS = st.sampled_from([0.0, 0.3, 1.0, 2.5])
ONE_TO_ONE = Balance(words=1.0)
MODELS = st.builds(Balance, words=LAMBDAS, expansion=LAMBDAS)
BALANCES = st.just(WORDS_ALONE) | MODELS
CANDIDATES = st.builds(
    lambda cosine, words, expansion, importance, hours, timely: a_candidate(
        cosine=cosine,
        words=words,
        expansion=expansion,
        importance=importance,
        age=timedelta(hours=hours),
        timely=timely,
    ),
    COSINES,
    PARTS,
    PARTS,
    st.integers(1, 10),
    st.integers(0, 400),
    st.booleans(),
)


def a_candidate(
    *,
    cosine: float | None = None,
    words: float = 0.0,
    expansion: float = 0.0,
    spread: Spread | None = None,
    importance: int = 5,
    age: timedelta = timedelta(),
    timely: bool = False,
) -> Candidate:
    return Candidate(
        entry_id=EntryId(an_id()),
        cosine=cosine,
        words=words,
        expansion=expansion,
        spread=spread,
        importance=importance,
        accessed_at=NOON - age,
        timely=timely,
    )


# BM25


@given(occurrences=st.integers(1, 1000), length=COUNTS)
def test_a_word_counts_more_the_more_often_it_stands_but_below_a_limit(occurrences: int, length: int) -> None:
    assert 0 < term_weight(occurrences, length) <= term_weight(occurrences + 1, length) < 2.2


@given(occurrences=st.integers(1, 100), length=COUNTS)
def test_a_word_counts_no_more_in_a_longer_entry(occurrences: int, length: int) -> None:
    assert term_weight(occurrences, length) >= term_weight(occurrences, length + 1)
    assert term_weight(occurrences, 20) > term_weight(occurrences, 100)
    assert term_weight(occurrences, 150) == term_weight(occurrences, 150 + length)


def test_the_formula_is_okapis_with_a_fixed_average_length() -> None:
    # tf · 2.2 / (tf + 1.2 · (.25 + .75 · length / 100))
    assert term_weight(1, 100) == 1
    assert term_weight(3, 140) == pytest.approx(3 * 2.2 / (3 + 1.2 * 1.3), abs=1e-9)
    assert inverse_frequency(10, 3) == pytest.approx(math.log(1 + 7.5 / 3.5))


@given(entries=st.integers(1, 1000), data=st.data())
def test_a_rarer_word_weighs_more(entries: int, data: st.DataObject) -> None:
    holding = data.draw(st.integers(1, entries))
    assert inverse_frequency(entries, holding - 1) > inverse_frequency(entries, holding) > 0


TELLING = st.lists(st.integers(0, 1000).map(lambda holding: inverse_frequency(1000, holding)), min_size=1, max_size=99)


@given(telling=TELLING)
def test_every_word_of_a_query_has_a_share_and_the_more_telling_the_greater(telling: list[float]) -> None:
    each = dict(zip(telling, shares(telling), strict=True))
    assert min(each.values()) > 0
    assert [each[word] for word in sorted(each)] == sorted(each.values())
    assert sum(shares(telling)) == pytest.approx(1 / 2.2, abs=1e-9)


# Scores


@given(candidate=CANDIDATES, balance=MODELS)
def test_relevance_is_a_weighed_mean_of_all_sides(candidate: Candidate, balance: Balance) -> None:
    cosine = candidate.cosine or 0
    added = cosine + balance.expansion * max(cosine, 0) * candidate.expansion + balance.words * candidate.words
    assert relevance(candidate, balance) == pytest.approx(added / (1 + balance.words + balance.expansion))
    assert relevance(candidate, WORDS_ALONE) == candidate.words  # nothing but words was asked for


def test_the_balance_is_that_of_the_model_a_question_was_made_with() -> None:
    question = Question(vector=a_vector(1), expansion=Expansion({1: 2.0}), words_weight=0.7, expansion_weight=0.4)
    assert Balance.of(question) == Balance(words=0.7, expansion=0.4)
    assert Balance.of(attrs.evolve(question, expansion=None)) == Balance(words=0.7)
    assert Balance.of(attrs.evolve(question, vector=None)) == WORDS_ALONE


def test_words_weigh_more_the_more_of_a_question_is_to_the_letter() -> None:
    def balance(exact: float, unread: float = 0.0) -> Balance:
        expansion, words = Expansion({1: 1.0}), LexicalQuery(exact=exact)
        return Balance.of(
            Question(vector=a_vector(0), expansion=expansion, expansion_weight=1.0, unread=unread, words=words)
        )

    assert balance(0) == Balance(words=1.0, expansion=1.0)
    assert balance(0.5) == balance(0.2, unread=0.5) == Balance(words=2.0, expansion=0.5, cosine=0.5)
    assert balance(1) == Balance(words=2.5, expansion=0.25, cosine=0.25)  # what words leave open the model orders


def test_a_number_is_looked_up_as_it_is_written_only_where_no_entry_has_its_value() -> None:
    date, day, month = map(Term, ("2024-07-14", "14", "juli"))
    query = LexicalQuery(scored=frozenset({Term("at")}), forms=(((date,), (day, month)), ((Term("atnoon"),), ())))
    assert looked_up(query, {date: 1, day: 5}).scored == {"at", "2024-07-14"}
    assert looked_up(query, {day: 5, Term("atnoon"): 1}).scored == {"at", "14", "atnoon"}
    assert len(looked_up(query, {}).scored) == 2  # one word of the number, which none holds


@given(candidate=CANDIDATES, weights=WEIGHTS, balance=BALANCES)
def test_a_returned_score_is_0_to_1_and_keeps_the_order(
    candidate: Candidate, weights: Weights, balance: Balance
) -> None:
    score = worth(candidate, score_by(weights, balance, NOON))
    told = score_share(score, weights)
    assert 0 <= told <= 1
    assert score_share(score + 0.1, weights) >= told


@given(candidate=CANDIDATES, weights=WEIGHTS)
def test_what_happened_then_is_lifted_a_little(candidate: Candidate, weights: Weights) -> None:
    score = score_by(weights, ONE_TO_ONE, NOON)
    scores = [worth(attrs.evolve(candidate, timely=then), score) for then in (False, True)]
    lifted = scores[1] - scores[0]
    assert lifted == pytest.approx(weights.relevance * TIME_BOOST)


@pytest.mark.parametrize(
    ("cosine", "words", "confident"),
    [(0.6, 0.0, True), (0.59, 0.0, False), (0.4, 0.2, True), (None, 0.49, False), (None, 0.5, True)],
)
def test_an_answer_is_as_confident_as_its_best_is_relevant(
    cosine: float | None, words: float, *, confident: bool
) -> None:
    answer = [Ranked(a_candidate(), 1.0), Ranked(a_candidate(cosine=cosine, words=words), 0.0)]
    assert is_confident(answer, Question(vector=a_vector(0))) is confident
    assert not is_confident([], Question(vector=a_vector(0)))


@pytest.mark.parametrize(
    ("strength", "tokens", "spread", "confident"),
    [(40, 8, 0.06, True), (400, 8, 0.06, True), (40, 60, 0.06, False), (20, 8, 0.06, False), (40, 8, 0.01, False)],
)
def test_an_answer_is_likely_whose_question_is_understood(
    strength: float, tokens: int, spread: float, *, confident: bool
) -> None:
    question = Question(vector=a_vector(0), expansion=Expansion({1: strength**0.5}, tokens), expansion_weight=0.75)
    best = a_candidate(cosine=0.2, expansion=0.5, spread=Spread(spread, 1000))
    assert is_confident([Ranked(best, 0)], question) is confident
    assert not is_confident([Ranked(best, 0)], attrs.evolve(question, expansion=None))


def test_few_entries_hardly_change_the_usual_spread() -> None:
    assert Spread(0.0, 0).expected == pytest.approx(SPREAD_USUAL)
    assert SPREAD_USUAL > Spread(0.0, 1).expected > 0.9 * SPREAD_USUAL
    assert Spread(0.1, 100_000).expected == pytest.approx(0.1, abs=1e-4)


def test_a_question_to_the_letter_is_judged_by_what_the_sides_say_themselves() -> None:
    gibberish = Question(vector=a_vector(0), words_weight=1.0, words=LexicalQuery(exact=1.0))
    assert not is_confident([Ranked(a_candidate(cosine=0.1, words=0.45), 0)], gibberish)


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(), 1), (timedelta(hours=1), 0.99), (timedelta(days=1), 0.99**24), (-timedelta(hours=1), 1)],
)
def test_recency_fades_by_a_percent_an_hour(age: timedelta, expected: float) -> None:
    assert recency(NOON - age, NOON) == pytest.approx(expected)


@given(candidate=CANDIDATES, balance=MODELS)
def test_a_score_adds_what_the_caller_weighs(candidate: Candidate, balance: Balance) -> None:
    relevant = relevance(candidate, balance) + TIME_BOOST * candidate.timely
    assert worth(candidate, score_by(Weights(), balance, NOON)) == pytest.approx(relevant)
    assert worth(candidate, score_by(Weights(relevance=0), balance, NOON)) == 0
    recent = score_by(Weights(relevance=0, recency=1), balance, NOON)
    assert worth(candidate, recent) == recency(candidate.accessed_at, NOON)
    important = score_by(Weights(relevance=0, importance=0.5), balance, NOON)
    assert worth(candidate, important) == pytest.approx(candidate.importance / 20)


@given(candidate=CANDIDATES, weights=WEIGHTS, balance=MODELS)
def test_a_candidate_that_is_better_in_a_part_is_never_worth_less(
    candidate: Candidate, weights: Weights, balance: Balance
) -> None:
    score = score_by(weights, balance, NOON)
    better = (
        {"cosine": 1.0},
        {"words": 1.0},
        {"expansion": 1.0},
        {"importance": 10},
        {"accessed_at": NOON},
    )
    for part in better:
        assert worth(attrs.evolve(candidate, **part), score) >= worth(candidate, score)


# Rank


@given(found=st.lists(CANDIDATES, max_size=8), weights=WEIGHTS, balance=MODELS)
def test_the_best_come_first_and_of_equals_the_newest(
    found: list[Candidate], weights: Weights, balance: Balance
) -> None:
    score = score_by(weights, balance, NOON)
    ranked = rank(Candidates(found=tuple(found)), score)
    assert {each.entry_id for each in ranked} == {each.entry_id for each in found}
    assert {each.entry_id: each.score for each in ranked} == {each.entry_id: worth(each, score) for each in found}
    for earlier, later in pairwise(ranked):
        assert (earlier.score, earlier.entry_id) > (later.score, later.entry_id)


# Exactness


def offered(stored: list[Candidate], depth: int) -> Candidates:
    """What a store offers: the best `depth` of each side, by the definition in the port."""
    stored = [each for each in stored if each.cosine is not None or each.words > 0]
    expanding = sorted(
        (each for each in stored if each.expansion > 0), key=lambda each: (each.expansion, each.entry_id)
    )
    then = sorted(
        (each for each in stored if each.timely),
        key=lambda each: (-2 if each.cosine is None else each.cosine, each.entry_id),
    )
    near = sorted((each for each in stored if each.cosine is not None), key=lambda each: (each.cosine, each.entry_id))
    matching = sorted((each for each in stored if each.words > 0), key=lambda each: (each.words, each.entry_id))
    nearest, best, called_up = near[-depth:], matching[-depth:], expanding[-depth:]
    return Candidates(
        found=tuple({each.entry_id: each for each in (*nearest, *best, *called_up, *then[-depth:])}.values()),
        cosine_beyond=nearest[0].cosine if len(near) > depth else None,
        words_beyond=best[0].words if len(matching) > depth else None,
        expansion_beyond=called_up[0].expansion if len(expanding) > depth else None,
        timely_beyond=len(then) > depth,
    )


@given(
    stored=st.lists(CANDIDATES, max_size=14),
    depth=st.integers(1, 8),
    limit=st.integers(1, 5),
    weights=WEIGHTS,
    balance=MODELS,
)
def test_an_answer_called_exact_is_the_true_one(
    stored: list[Candidate], depth: int, limit: int, weights: Weights, balance: Balance
) -> None:
    candidates, score = offered(stored, depth), score_by(weights, balance, NOON)
    ranked = rank(candidates, score)
    everyone = Candidates(found=tuple(each for each in stored if each.cosine is not None or each.words > 0))
    if is_exact(ranked, limit, candidates, score):
        assert ranked[:limit] == rank(everyone, score)[:limit]


@given(stored=st.lists(CANDIDATES, max_size=10), weights=WEIGHTS, balance=MODELS, limit=st.integers(1, 20))
def test_with_everything_offered_an_answer_is_exact(
    stored: list[Candidate], weights: Weights, balance: Balance, limit: int
) -> None:
    candidates, score = offered(stored, 10), score_by(weights, balance, NOON)
    assert is_exact(rank(candidates, score), limit, candidates, score)


@given(weights=WEIGHTS)
@example(Weights(relevance=0, importance=0.2122897679684116))  # times 10 and divided by 10, it is a little more
def test_an_answer_that_something_beyond_could_equal_is_not_called_exact(weights: Weights) -> None:
    best = a_candidate(cosine=1.0, words=1.0, expansion=1.0, importance=10)
    candidates = Candidates(found=(best,), cosine_beyond=1.0, words_beyond=1.0, expansion_beyond=1.0)
    score = score_by(weights, Balance(0.75, 0.75), NOON)
    assert not is_exact(rank(candidates, score), 1, candidates, score)


def test_an_answer_that_beats_everything_beyond_is_exact() -> None:
    candidates = Candidates(found=(a_candidate(cosine=0.9, words=0.9),), cosine_beyond=0.8, words_beyond=0.9)
    score = score_by(Weights(), ONE_TO_ONE, NOON)
    ranked = rank(candidates, score)
    assert is_exact(ranked, 1, candidates, score)
    assert not is_exact(ranked, 2, candidates, score)
    assert not is_exact(ranked, 1, candidates, score_by(Weights(recency=0.1), ONE_TO_ONE, NOON))


def test_what_lies_beyond_may_have_no_vector_at_all() -> None:
    found = (a_candidate(cosine=-0.2, words=0.1),)
    candidates = Candidates(found=found, cosine_beyond=-0.5, words_beyond=0.1)
    ranked = [Ranked(found[0], relevance(found[0], ONE_TO_ONE))]
    assert not is_exact(ranked, 1, candidates, score_by(Weights(), ONE_TO_ONE, NOON))
