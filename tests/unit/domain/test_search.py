"""Questions to the memory: vectors, the query language, limits."""

import math
import struct

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from moltnet.domain.indexing import DIMENSIONS, Vector
from moltnet.domain.ranking import Candidates
from moltnet.domain.search import QUERY_MAX, RESULTS_MAX, Query, Search, SearchOutOfLimits, Weights
from tests.support.builders import a_vector

NUMBERS = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=6)
BLANKS = st.sampled_from([" ", "\t", "\n ", "\u3000"])
WORDS = st.text("ab\u00e9-+", min_size=1, max_size=4).filter(lambda word: word[0] not in "-+")
# A term of a query, as a caller writes it: its sign, its text, and what quotes it.
TERMS = st.one_of(
    st.tuples(st.sampled_from(["", "-", "+"]), st.text("ab\u00e9", min_size=2, max_size=4), st.just("")),
    st.tuples(st.sampled_from(["", "-", "+"]), st.lists(WORDS, min_size=1, max_size=3).map(" ".join), st.just('"')),
)


# Vectors


@given(numbers=NUMBERS)
def test_a_vector_has_its_numbers_in_half_precision(numbers: list[float]) -> None:
    vector = a_vector(*numbers)
    assert vector.numbers()[: len(numbers)] == pytest.approx(numbers, rel=2**-11, abs=2**-25)
    assert Vector(vector.data) == vector == Vector.of(vector.numbers())


@pytest.mark.parametrize("count", [0, DIMENSIONS - 1, DIMENSIONS + 1])
def test_a_vector_has_384_numbers(count: int) -> None:
    with pytest.raises(ValueError, match="384 float16"):
        Vector.of([0.0] * count)
    with pytest.raises(ValueError, match="384 float16"):
        Vector(bytes(count * 2))


def test_numbers_lie_in_little_endian_order() -> None:
    assert a_vector(1.0).data[:4] == struct.pack("<2e", 1.0, 0.0)


@given(left=NUMBERS, right=NUMBERS)
@example([9, 1, 1, 1], [0.9, 0.1, 0.1, 0.1])  # computed, a little more than 1
def test_a_cosine_is_never_beyond_one_and_the_same_from_both_sides(left: list[float], right: list[float]) -> None:
    one, other = a_vector(*left), a_vector(*right)
    assert -1 <= one.cosine(other) <= 1
    assert one.cosine(other) == other.cosine(one)


@given(numbers=st.lists(st.integers(-9, 9), min_size=2, max_size=6), factor=st.integers(1, 9))
def test_length_plays_no_part(numbers: list[int], factor: int) -> None:
    assume(any(numbers))
    longer = a_vector(*(factor * number for number in numbers))
    opposite = a_vector(*(-number for number in numbers))
    assert a_vector(*numbers).cosine(longer) == pytest.approx(1)
    assert opposite.cosine(longer) == pytest.approx(-1)


@pytest.mark.parametrize(("degrees", "cosine"), [(0, 1), (60, 0.5), (90, 0), (120, -0.5)])
def test_a_cosine_is_that_of_the_angle(degrees: int, cosine: float) -> None:
    turned = a_vector(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    assert a_vector(1).cosine(turned) == pytest.approx(cosine, abs=1e-3)


def test_beside_a_vector_without_length_it_is_zero() -> None:
    assert a_vector().cosine(a_vector(1)) == a_vector().cosine(a_vector()) == 0


# The query language (docs/reference/search.md, "Query language")


@pytest.mark.parametrize(
    ("text", "scored", "required", "excluded"),
    [
        ("deploy staging", "deploy staging", (), ()),
        ("deploy -staging", "deploy", (), ("staging",)),
        ('"blue green" deploy', "blue green deploy", ("blue green",), ()),
        ("deploy +staging", "deploy staging", ("staging",), ()),
        ('+"blue green" -"black box"', "blue green", ("blue green",), ("black box",)),
        ('"a phrase" +word', "a phrase word", ("word", "a phrase"), ()),
        ("-staging", "", (), ("staging",)),
        ("well-known a+b c-", "well-known a+b c-", (), ()),
        ("- + -- ++", "- + -- ++", (), ()),
        ('an "open quote', 'an "open quote', (), ()),
        ('say "blue green", please', "say blue green please", ("blue green",), ()),
        ('"blue"green', "blue green", ("blue",), ()),
        ('-"blue"green', "green", (), ("blue",)),
        ('-"blue green".', "", (), ("blue green",)),
        ('"blue"-green', "blue -green", ("blue",), ()),
        ('5"x7" print', '5"x7" print', (), ()),
        ('"" +"" -" "', "", (), ()),
        ("\u3000-staging\u3000deploy", "deploy", (), ("staging",)),
        ("", "", (), ()),
        (" \n", "", (), ()),
    ],
)
def test_a_query_is_taken_apart(text: str, scored: str, required: tuple[str, ...], excluded: tuple[str, ...]) -> None:
    assert Query.parse(text) == Query(scored=scored, required=required, excluded=excluded)


@pytest.mark.parametrize(
    "text",
    [
        "git push --force",
        "--force",
        "alarm at -18 degrees",
        "tar -xzf backup",
        "how do I unpack with tar -xzf",
        "rm -rf build",
        "find . -name notes",
        "ls -la",
        "sort -nr",
        "go test -run Names",
        "docker run -it alpine",
        "java -jar app.jar",
        "kubectl get pods -n staging",
        "-1",
        "between -3 and +5",
        "-x",
        "-O2",
        "-std=c++20",
        "+1 for tabs",
        "+43 660 1234567",
        "+436601234567",
    ],
)
def test_flags_and_numbers_are_words(text: str) -> None:
    assert Query.parse(text) == Query(scored=text)


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("deploy -staging", "staging"),
        ("deploy -staging, please", "staging"),
        ("find recipes -chicken", "chicken"),
        ("make plans -berlin", "berlin"),
        ("notes -déjà", "déjà"),
        ("メモ -会議", "会議"),
        ("names -O'Brien", "O'Brien"),
        ('tar -"backup"', "backup"),
        ('cold -"18"', "18"),
    ],
)
def test_words_are_excluded(text: str, excluded: str) -> None:
    assert Query.parse(text).excluded == (excluded,)


@given(terms=st.lists(TERMS, max_size=6), blanks=BLANKS)
def test_every_term_is_where_its_sign_puts_it(terms: list[tuple[str, str, str]], blanks: str) -> None:
    text = blanks.join(f"{sign}{quote}{term}{quote}" for sign, term, quote in terms)
    query = Query.parse(text)
    assert query.scored == " ".join(term for sign, term, _ in terms if sign != "-")
    assert query.excluded == tuple(term for sign, term, _ in terms if sign == "-")
    required = [term for sign, term, quote in terms if sign == "+" or (quote and sign != "-")]
    assert sorted(query.required) == sorted(required)


@given(text=st.text(st.characters() | st.sampled_from('"-+ '), max_size=40))
@example('"' * 5)
@example("\ud800 -\ud800")
def test_any_text_is_a_query_and_no_word_is_lost(text: str) -> None:
    query = Query.parse(text)
    assert all(term.strip() for term in (*query.required, *query.excluded))
    letters = [letter for letter in text if letter.isalnum()]
    kept = [letter for part in (query.scored, *query.excluded) for letter in part if letter.isalnum()]
    assert sorted(kept) == sorted(letters)


@given(text=st.text('ab"-+ ', max_size=20))
def test_what_is_required_is_wanted_too(text: str) -> None:
    query = Query.parse(text)
    assert all(term in query.scored for term in query.required)


# Limits


@pytest.mark.parametrize("weight", ["relevance", "recency", "importance"])
@pytest.mark.parametrize(("value", "fits"), [(0, True), (1, True), (-0.01, False), (1.01, False), (math.nan, False)])
def test_a_weight_is_0_to_1(weight: str, value: float, *, fits: bool) -> None:
    if fits:
        assert getattr(Weights(**{weight: value}), weight) == value
        return
    with pytest.raises(SearchOutOfLimits, match="a weight is 0 to 1"):
        Weights(**{weight: value})


def test_relevance_alone_counts_by_default() -> None:
    assert Weights() == Weights(relevance=1, recency=0, importance=0)


@pytest.mark.parametrize(
    "within", [{"limit": 1}, {"limit": RESULTS_MAX}, {"offset": 0}, {"query": "q"}, {"query": "q" * QUERY_MAX}]
)
def test_a_search_can_be_as_large_as_its_limits(within: dict[str, object]) -> None:
    assert Search(**within)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "beyond",
    [{"limit": 0}, {"limit": RESULTS_MAX + 1}, {"offset": -1}, {"query": ""}, {"query": "q" * (QUERY_MAX + 1)}],
)
def test_no_search_is_larger(beyond: dict[str, object]) -> None:
    with pytest.raises(SearchOutOfLimits):
        Search(**beyond)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "asked", "shared"),
    [("q", None, True), (None, None, False), ("q", False, False), (None, True, True), ("q", True, True)],
)
def test_shared_diaries_are_searched_for_a_query_or_on_demand(
    query: str | None, *, asked: bool | None, shared: bool
) -> None:
    assert Search(query=query, include_shared=asked).with_shared is shared


@pytest.mark.parametrize(
    ("cosine_beyond", "words_beyond", "complete"),
    [(None, None, True), (0.0, None, False), (None, 0.0, False), (-1.0, 0.5, False)],
)
def test_candidates_are_complete_when_neither_side_has_more(
    cosine_beyond: float | None, words_beyond: float | None, *, complete: bool
) -> None:
    candidates = Candidates(found=(), cosine_beyond=cosine_beyond, words_beyond=words_beyond)
    assert candidates.complete is complete
