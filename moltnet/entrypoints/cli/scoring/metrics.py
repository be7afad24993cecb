"""How good a ranking is, and how sure that is: pure functions, each with its definition.

`relevant` maps what should be found to how relevant it is, above 0; it is never empty. Rankings are best first.
"""

import math
import random
from collections.abc import Mapping, Sequence

import attrs

RESAMPLES, SEED = 1000, 7
LOW, HIGH = 0.025, 0.975


@attrs.frozen
class Interval:
    """A mean over questions, and where 95 % of its bootstrap resamples lie."""

    mean: float
    low: float
    high: float


def recall(ranking: Sequence[str], relevant: Mapping[str, float], depth: int) -> float:
    """The share of what is relevant that stands among the first `depth`."""
    return len(relevant.keys() & set(ranking[:depth])) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, float]) -> float:
    """1 divided by the place of the first relevant one; 0 without one."""
    return next((1 / rank for rank, ranked in enumerate(ranking, start=1) if ranked in relevant), 0.0)


def ndcg(ranking: Sequence[str], relevant: Mapping[str, float], depth: int) -> float:
    """Discounted cumulative gain, gain / log2(1 + place), as a share of the best order's (Järvelin, Kekäläinen, 2002).

    1 when the first `depth` are the most relevant ones in order.
    """
    best = _gain(sorted(relevant.values(), reverse=True)[:depth])
    return _gain([relevant.get(ranked, 0.0) for ranked in ranking[:depth]]) / best


def fused(rankings: Sequence[Sequence[str]], k: int) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): by the sum of 1 / (k + place), then as they came."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, ranked in enumerate(ranking, start=1):
            scores[ranked] = scores.get(ranked, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda ranked: -scores[ranked])


def interval(values: Sequence[float]) -> Interval:
    """The mean of one value for each question, at least one, with its percentile bootstrap interval; always the same.

    The same questions are drawn for every sequence of a length, so that the difference of two is the interval of the
    differences.
    """
    chosen = random.Random(SEED)  # noqa: S311  # nothing secret: a figure that can be repeated
    means = sorted(_mean(chosen.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Interval(_mean(values), percentile(means, LOW), percentile(means, HIGH))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value at a share of a sequence in ascending order, at least one long; between two, in proportion."""
    rank = share * (len(ordered) - 1)
    below, above = math.floor(rank), math.ceil(rank)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def _gain(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, start=1))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
