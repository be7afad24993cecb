import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.postgres.terms import (
    POSITION_MAX,
    POSITIONS_MAX,
    TERM_BYTES_MAX,
    TERMS_MAX,
    any_run,
    dimension_of,
    every_run,
    stored_form,
    stored_terms,
)
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import term_weight


def run(*index_terms: str) -> tuple[Term, ...]:
    return tuple(map(Term, index_terms))


def test_words_are_quoted_and_placed():
    stored = stored_terms({Term("it's"): [1, 3], Term("back\\slash"): [2]})
    assert stored.words == r"'it''s':1,3 'back\\slash':2"


def test_weights_are_those_of_the_ranking_over_all_occurrences():
    stored = stored_terms({Term("ant"): [1, 3], Term("bee"): [2]})
    assert stored.terms.weights == {
        dimension_of("ant"): pytest.approx(term_weight(2, 3)),
        dimension_of("bee"): pytest.approx(term_weight(1, 3)),
    }


def test_terms_to_count_stand_in_the_order_of_the_database():
    assert stored_terms({Term(term): [1] for term in ("ž", "b", "A", "a")}).index_terms == ["A", "a", "b", "ž"]


def test_positions_stop_where_postgresql_stops():
    placed = stored_terms({Term("ant"): [POSITION_MAX + 7], Term("bee"): range(1, POSITIONS_MAX + 9)}).words
    ant, bee = placed.split()
    assert ant == f"'ant':{POSITION_MAX}"
    assert bee.endswith(f",{POSITIONS_MAX}")


def test_of_too_many_the_most_frequent_are_used_then_the_first():
    rare = {Term(f"{number:05}"): [1] for number in range(TERMS_MAX + 5)}
    stored = stored_terms({**rare, Term("often"): [1, 2]})
    assert len(stored.index_terms) == len(stored.terms.weights) == TERMS_MAX
    assert "often" in stored.index_terms
    assert f"{TERMS_MAX - 2:05}" in stored.index_terms
    assert f"{TERMS_MAX - 1:05}" not in stored.index_terms


@pytest.mark.parametrize("term", ["x" * TERM_BYTES_MAX, "ж" * (TERM_BYTES_MAX // 2)])
def test_a_term_that_fits_is_stored_as_it_is(term: str):
    assert stored_form(Term(term)) == term


def test_longer_terms_are_stored_by_different_hashes():
    forms = {stored_form(Term(letter * (TERM_BYTES_MAX + 1))) for letter in "xyz"}
    assert len(forms) == 3
    assert all(len(form) == 64 for form in forms)


def test_a_place_never_changes():
    # Stored vectors hold it. From the definition: BLAKE2b-64 of the text, big-endian, modulo 10^9 - 1, plus 1.
    assert [dimension_of("ant"), dimension_of("ž")] == [440097697, 120774166]


@given(st.text())
def test_a_place_is_one_of_a_sparse_vectors(term: str):
    assert 1 <= dimension_of(term.encode("utf-8", "replace").decode()) < 10**9


def test_runs_are_phrases_of_quoted_terms():
    assert every_run([run("new", "york"), run("it's")]) == "('new' <-> 'york') & ('it''s')"
    assert any_run([run("new", "york"), run("it's")]) == "('new' <-> 'york') | ('it''s')"


@pytest.mark.parametrize("runs", [[], [run()], [run(), run()]])
def test_runs_of_nothing_ask_for_nothing(runs: list[tuple[Term, ...]]):
    assert every_run(runs) is None
    assert any_run(runs) is None
