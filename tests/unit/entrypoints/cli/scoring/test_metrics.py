"""Figures held against examples worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.cli.scoring.rankings import fused
from moltnet.entrypoints.cli.scoring.scorecards import Interval, interval, ndcg, percentile, recall, reciprocal_rank

IDS = st.lists(st.sampled_from("abcdefghij"), unique=True)
GRADES = st.dictionaries(st.sampled_from("abcdefghij"), st.floats(0.5, 8), min_size=1)


@pytest.mark.parametrize(
    ("ranking", "depth", "expected"),
    [
        ("abcde", 5, 1.0),  # b, d and e are relevant
        ("abcde", 4, 2 / 3),
        ("abcde", 1, 0.0),
        ("", 5, 0.0),
        ("bxyzw", 10, 1 / 3),
    ],
)
def test_recall_is_the_share_of_what_is_relevant(ranking: str, depth: int, expected: float) -> None:
    assert recall(list(ranking), dict.fromkeys("bde", 1.0), depth) == pytest.approx(expected)


@pytest.mark.parametrize(("ranking", "expected"), [("bac", 1), ("xyb", 1 / 3), ("xb d", 1 / 2), ("xyz", 0), ("", 0)])
def test_the_reciprocal_rank_is_of_the_first_relevant_one(ranking: str, expected: float) -> None:
    assert reciprocal_rank(list(ranking), dict.fromkeys("bd", 1.0)) == pytest.approx(expected)


def test_ndcg_weighs_grades_by_rank() -> None:
    # Grades 3, 0, 1 at places 1 to 3: 3/1 + 0 + 1/2 = 3.5. At best 3, 2, 1: 3/1 + 2/log2(3) + 1/2 = 4.7619.
    relevant = {"a": 3.0, "c": 1.0, "d": 2.0}
    assert ndcg(["a", "b", "c"], relevant, 3) == pytest.approx(3.5 / (3 + 2 / math.log2(3) + 0.5))
    # Depth 1 holds the best one: as good as it gets.
    assert ndcg(["a", "b", "c"], relevant, 1) == 1


def test_ndcg_of_single_answers() -> None:
    assert ndcg(["x", "a"], {"a": 1.0}, 10) == pytest.approx(1 / math.log2(3))
    assert ndcg(["x"], {"a": 1.0}, 10) == 0


@given(ranking=IDS, relevant=GRADES, depth=st.integers(1, 12))
def test_figures_stay_between_0_and_1(ranking: list[str], relevant: dict[str, float], depth: int) -> None:
    best = sorted(relevant, key=lambda each: -relevant[each])
    for figure in (
        recall(ranking, relevant, depth),
        reciprocal_rank(ranking, relevant),
        ndcg(ranking, relevant, depth),
    ):
        assert 0 <= figure <= 1 + 1e-12
    assert ndcg(best, relevant, depth) == pytest.approx(1)


def test_fusion_adds_reciprocal_ranks() -> None:
    # With k = 1: a 1/2 + 1/4, b 1/3 + 1/2, c 1/4, d 1/3.
    assert fused(["abc", "bda"], 1) == ["b", "a", "d", "c"]
    assert fused(["ab", "cd"], 60) == ["a", "c", "b", "d"]  # equally good: as they came


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2.5), (1, 4), (0.25, 1.75)])
def test_percentiles_lie_between_values(share: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4], share) == expected
    assert percentile([7], share) == 7


def test_an_interval_holds_its_mean_and_is_the_same_each_time() -> None:
    values = [0.0, 1.0] * 50
    first = interval(values)
    assert first == interval(values)
    assert first.mean == 0.5
    # The mean of 100 throws of a coin: standard deviation 0.05, so 95 % within 0.5 ± 0.098.
    assert first.low == pytest.approx(0.402, abs=0.015)
    assert first.high == pytest.approx(0.598, abs=0.015)
    assert interval([0.25]) == Interval(0.25, 0.25, 0.25)


def test_the_same_questions_are_drawn_for_every_ranking() -> None:
    own, other = [0.5, 1.0, 0.0, 0.75], [0.25, 0.75, -0.25, 0.5]
    difference = interval([mine - theirs for mine, theirs in zip(own, other, strict=True)])
    assert difference == Interval(0.25, 0.25, 0.25)
    assert interval(own).low - interval(other).low == pytest.approx(0.25)
