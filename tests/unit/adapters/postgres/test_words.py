import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.postgres.words import (
    LEXEME_BYTES_MAX,
    LEXEMES_MAX,
    POSITION_MAX,
    POSITIONS_MAX,
    any_run,
    every_run,
    place_of,
    stored_form,
    stored_words,
)
from moltnet.domain.ranking import term_weight
from moltnet.domain.search import Lexeme


def run(*lexemes: str) -> tuple[Lexeme, ...]:
    return tuple(map(Lexeme, lexemes))


def test_words_are_quoted_and_placed():
    stored = stored_words({Lexeme("it's"): [1, 3], Lexeme("back\\slash"): [2]})
    assert stored.words == r"'it''s':1,3 'back\\slash':2"


def test_weights_are_those_of_the_ranking_over_all_occurrences():
    stored = stored_words({Lexeme("ant"): [1, 3], Lexeme("bee"): [2]})
    assert stored.terms.weights == {
        place_of("ant"): pytest.approx(term_weight(2, 3)),
        place_of("bee"): pytest.approx(term_weight(1, 3)),
    }


def test_lexemes_to_count_stand_in_the_order_of_the_database():
    assert stored_words({Lexeme(lexeme): [1] for lexeme in ("ž", "b", "A", "a")}).lexemes == ["A", "a", "b", "ž"]


def test_positions_stop_where_postgresql_stops():
    placed = stored_words({Lexeme("ant"): [POSITION_MAX + 7], Lexeme("bee"): range(1, POSITIONS_MAX + 9)}).words
    ant, bee = placed.split()
    assert ant == f"'ant':{POSITION_MAX}"
    assert bee.endswith(f",{POSITIONS_MAX}")


def test_of_too_many_the_most_frequent_are_kept_then_the_first():
    rare = {Lexeme(f"{number:05}"): [1] for number in range(LEXEMES_MAX + 5)}
    stored = stored_words({**rare, Lexeme("often"): [1, 2]})
    assert len(stored.lexemes) == len(stored.terms.weights) == LEXEMES_MAX
    assert "often" in stored.lexemes
    assert f"{LEXEMES_MAX - 2:05}" in stored.lexemes
    assert f"{LEXEMES_MAX - 1:05}" not in stored.lexemes


@pytest.mark.parametrize("lexeme", ["x" * LEXEME_BYTES_MAX, "ж" * (LEXEME_BYTES_MAX // 2)])
def test_a_lexeme_that_fits_is_stored_as_it_is(lexeme: str):
    assert stored_form(Lexeme(lexeme)) == lexeme


def test_longer_lexemes_are_stored_by_different_hashes():
    forms = {stored_form(Lexeme(letter * (LEXEME_BYTES_MAX + 1))) for letter in "xyz"}
    assert len(forms) == 3
    assert all(len(form) == 64 for form in forms)


def test_a_place_never_changes():
    # Stored vectors hold it. From the definition: BLAKE2b-64 of the text, big-endian, modulo 10^9 - 1, plus 1.
    assert [place_of("ant"), place_of("ž")] == [440097697, 120774166]


@given(st.text())
def test_a_place_is_one_of_a_sparse_vectors(lexeme: str):
    assert 1 <= place_of(lexeme.encode("utf-8", "replace").decode()) < 10**9


def test_runs_are_phrases_of_quoted_lexemes():
    assert every_run([run("new", "york"), run("it's")]) == "('new' <-> 'york') & ('it''s')"
    assert any_run([run("new", "york"), run("it's")]) == "('new' <-> 'york') | ('it''s')"


@pytest.mark.parametrize("runs", [[], [run()], [run(), run()]])
def test_runs_of_nothing_ask_for_nothing(runs: list[tuple[Lexeme, ...]]):
    assert every_run(runs) is None
    assert any_run(runs) is None
