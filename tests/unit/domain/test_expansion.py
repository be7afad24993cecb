"""What a text calls up: which weights are stored, and how much of a question another text covers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.indexing import EXPANSION_LEAST, EXPANSION_MOST, EntryIndex, Expansion, ModelName, ModelPassages

WEIGHTS = st.dictionaries(st.integers(0, 40_000), st.floats(EXPANSION_LEAST, 5), min_size=1, max_size=40)


def test_of_many_weights_the_heaviest_are_stored() -> None:
    weights = {piece: 1 + piece / 1000 for piece in range(EXPANSION_MOST + 50)}
    assert Expansion.of(weights.items()).weights == {piece: weights[piece] for piece in range(50, EXPANSION_MOST + 50)}
    equal = Expansion.of((piece, 1.0) for piece in reversed(range(EXPANSION_MOST + 1)))
    assert equal.weights.keys() == set(range(EXPANSION_MOST))


def test_what_weighs_next_to_nothing_is_not_stored() -> None:
    assert Expansion.of([(1, EXPANSION_LEAST), (2, EXPANSION_LEAST / 2), (3, 0.0), (4, -1.0)]).weights.keys() == {1}


@pytest.mark.parametrize(
    "weights", [dict.fromkeys(range(EXPANSION_MOST + 1), 1.0), {1: 0.0}, {1: -0.5}, {1: math.inf}, {1: math.nan}]
)
def test_no_other_weights_make_an_expansion(weights: dict[int, float]) -> None:
    with pytest.raises(ValueError, match="at most"):
        Expansion(weights)


@given(asked=WEIGHTS, held=WEIGHTS)
def test_what_is_covered_is_0_to_1_and_all_of_it_by_itself(asked: dict[int, float], held: dict[int, float]) -> None:
    question, text = Expansion(asked), Expansion(held)
    assert question.covers(question.shares()) == pytest.approx(1)
    assert 0 <= text.covers(question.shares()) <= 1
    assert bool(text.covers(question.shares())) == bool(asked.keys() & held.keys())


@given(asked=WEIGHTS, held=WEIGHTS)
def test_more_of_what_is_asked_for_never_covers_less(asked: dict[int, float], held: dict[int, float]) -> None:
    question = Expansion(asked)
    more = Expansion(held | {piece: weight + held.get(piece, 0.0) for piece, weight in asked.items()})
    assert more.covers(question.shares()) >= Expansion(held).covers(question.shares())


def test_nothing_asked_for_is_covered_by_nothing() -> None:
    assert Expansion({1: 1.0}).covers(Expansion().shares()) == 0


def test_an_index_has_the_expansion_of_each_model_it_was_embedded_by() -> None:
    old, new, other = (ModelName(name) for name in ("old", "new", "other"))
    upcoming = ModelPassages(model=new, passages=(), expansion=Expansion({2: 1.0}))
    index = EntryIndex(model=old, expansion=Expansion({1: 1.0}), upcoming=upcoming)
    assert index.expansion_under(old) == Expansion({1: 1.0})
    assert index.expansion_under(new) == Expansion({2: 1.0})
    assert index.expansion_under(other) is None
