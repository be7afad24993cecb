"""The port `TextAnalyzer`: what is stored is found by its own words and phrases, whatever the text."""

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.indexing import Term
from moltnet.domain.search import LexicalQuery, Query
from moltnet.ports.search import TextAnalyzer

WORDS = Path(__file__).parents[1].joinpath("support", "vectors", "words.txt").read_text("utf-8").split()
UNPRINTABLE = ["co\u00adop", "a\u200bb", "\ud800x", "x\udfff", "\x00y", "e\u0301te\u0301", "\u02bctis", "d\u2019accord"]
TOKENS = st.sampled_from(WORDS + UNPRINTABLE) | st.text(st.characters(exclude_characters='"'), min_size=1, max_size=12)
TEXTS = st.lists(TOKENS, min_size=1, max_size=12).map(" ".join)
# The port keeps nothing between two examples.
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(params=["snowball"])
def index_terms() -> TextAnalyzer:
    return SnowballAnalyzer()


def asked(index_terms: TextAnalyzer, text: str) -> LexicalQuery:
    return index_terms.of_query(Query.parse(text))


def finds(query: LexicalQuery, index: Mapping[Term, Sequence[int]]) -> bool:
    """Whether a text holds everything that a query asks for, in one form at least."""
    return query.scored <= index.keys() and all(
        not index.keys().isdisjoint(chain.from_iterable(each)) for each in query.forms if each[-1]
    )


def holds(index: Mapping[Term, Sequence[int]], run: tuple[Term, ...]) -> bool:
    """Whether a run stands in a text: one lexeme at each position, without a gap."""
    starts = index.get(run[0], ())
    return any(all(start + step in index.get(term, ()) for step, term in enumerate(run)) for start in starts)


@given(text=TEXTS)
@SHARED
def test_every_word_of_a_text_finds_the_text(index_terms: TextAnalyzer, text: str):
    index = index_terms.of_text(text)
    for word in text.split():
        assert finds(index_terms.of_query(Query(scored=word)), index)


@given(text=TEXTS)
@example(text="getUserById http2Server C++ 🎉 🇩🇪 v1.2.3 02.03.2025 +43 660 1234567 1,000 who_am_i")
@SHARED
def test_text_as_a_query_finds_the_text(index_terms: TextAnalyzer, text: str):
    assert finds(index_terms.of_query(Query(scored=text)), index_terms.of_text(text))


@given(words=st.lists(TOKENS, min_size=1, max_size=12), data=st.data())
@SHARED
def test_stored_phrase_is_found_and_excluded(index_terms: TextAnalyzer, words: list[str], data: st.DataObject):
    words = " ".join(words).split() or ["word"]
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    phrase = " ".join(words[first : last + 1])
    index = index_terms.of_text(" ".join(words))
    query = index_terms.of_query(Query(scored="", required=(phrase,), excluded=(phrase,)))
    assert all(holds(index, run) for run in query.required)
    assert all(holds(index, run) for run in query.excluded)
    assert bool(query.required) == bool(query.excluded) == bool(index_terms.of_text(phrase))


@given(text=TEXTS)
@example(text="x" * 10_000)
@example(text="e" + "\u0301" * 10_000)
@example(text="\ufdfa" * 300)
@example(text="'" * 1000 + "a'" * 1000)
@SHARED
def test_terms_are_short_texts_with_rising_positions(index_terms: TextAnalyzer, text: str):
    for term, positions in index_terms.of_text(text).items():
        assert 0 < len(term) <= 255
        assert "\x00" not in term
        term.encode("utf-8")
        assert positions[0] >= 1
        assert all(earlier < later for earlier, later in pairwise(positions))


@given(text=st.text())
@SHARED
def test_any_text_is_a_text_and_a_query(index_terms: TextAnalyzer, text: str):
    index_terms.of_text(text)
    query = asked(index_terms, text)
    assert all(query.required)
    assert all(query.excluded)


@given(text=TEXTS)
@example(text="\u0149")
@example(text="getUserById iPhone HTTPServer")
@example(text="d'iPhone")
@example(text="0'aA")
@example(text="aA#")
@example(text="my-iPhone")
@example(text="don'tGo")
@example(text="aN'd#")
@example(text="nDdDTbBBaBAdT'")
@SHARED
def test_text_is_found_without_its_capitals(index_terms: TextAnalyzer, text: str):
    assert finds(index_terms.of_query(Query(scored=text.casefold())), index_terms.of_text(text))


def test_left_out_words_are_counted(index_terms: TextAnalyzer):
    assert index_terms.of_text("the state of the art") == {"state": [2], "art": [5]}


def test_term_has_all_its_positions(index_terms: TextAnalyzer):
    assert index_terms.of_text("agents, an Agent: agent!") == {"agent": [1, 3, 4]}


@pytest.mark.parametrize("text", ["", " ", "the of and", "?!", "\ud800", "\x00", '""', "-", '+" "'])
def test_text_that_says_nothing_has_no_term(index_terms: TextAnalyzer, text: str):
    assert index_terms.of_text(text) == {}
    assert asked(index_terms, text) == LexicalQuery()


def test_operators_are_runs(index_terms: TextAnalyzer):
    query = asked(index_terms, 'deploying +server -staging "rolled back" -"broken builds"')
    assert query.scored | {each[0][0] for each in query.forms if each[-1]} == {"deploy", "server", "roll", "back"}
    assert query.required == (("server",), ("roll", "back"))
    assert query.excluded == (("stage",), ("broken", "build"))


def test_left_out_word_divides_a_required_phrase(index_terms: TextAnalyzer):
    assert asked(index_terms, '"state of the art server"').required == (("state",), ("art", "server"))


def test_longest_part_stands_for_an_excluded_phrase(index_terms: TextAnalyzer):
    assert asked(index_terms, 'x -"state of the art server"').excluded == (("art", "server"),)


def test_left_out_words_around_a_phrase_do_not_matter(index_terms: TextAnalyzer):
    assert asked(index_terms, 'on "the art" -"of memory"') == asked(index_terms, 'on "art" -memory')
