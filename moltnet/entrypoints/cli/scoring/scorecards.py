"""How good rankings are: each measure with its definition, means over questions with intervals, and comparisons.

`relevant` maps relevant ids to grades above 0; it is never empty. Rankings have the best id first.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean

import attrs

from moltnet.entrypoints.cli.scoring.rankings import DEPTH, Ranked

RESAMPLES, SEED = 1000, 7
LOW, HIGH = 0.025, 0.975


@attrs.frozen
class Interval:
    """A mean over questions, and the bounds of 95 % of its bootstrap resamples."""

    mean: float
    low: float
    high: float


def recall(ranking: Sequence[str], relevant: Mapping[str, float], depth: int) -> float:
    """The share of the relevant ids that are among the first `depth`."""
    return len(relevant.keys() & set(ranking[:depth])) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, float]) -> float:
    """1 divided by the rank of the first relevant id; 0 without one."""
    return next((1 / rank for rank, ranked in enumerate(ranking, start=1) if ranked in relevant), 0.0)


def ndcg(ranking: Sequence[str], relevant: Mapping[str, float], depth: int) -> float:
    """Discounted cumulative gain, gain / log2(1 + rank), as a share of the best order's (Järvelin, Kekäläinen, 2002).

    1 when the first `depth` are the most relevant ones in order.
    """
    best = _gain(sorted(relevant.values(), reverse=True)[:depth])
    return _gain([relevant.get(ranked, 0.0) for ranked in ranking[:depth]]) / best


def interval(values: Sequence[float]) -> Interval:
    """The mean of the questions' values, at least one, with its percentile bootstrap interval; deterministic.

    All sequences of one length are resampled alike, so the difference of two is the interval of the differences.
    """
    chosen = random.Random(SEED)  # noqa: S311  # not for secrets: the seed makes the figure repeatable
    means = sorted(fmean(chosen.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Interval(fmean(values), percentile(means, LOW), percentile(means, HIGH))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value at a share, from 0 to 1, of an ascending sequence that is not empty; interpolated between two."""
    rank = share * (len(ordered) - 1)
    below, above = math.floor(rank), math.ceil(rank)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


MOLTNET = "moltnet"
MEASURES: Mapping[str, Callable[[Sequence[str], Mapping[str, float]], float]] = {
    "recall@5": partial(recall, depth=5),
    "recall@10": partial(recall, depth=DEPTH),
    "mrr@10": reciprocal_rank,
    "ndcg@10": partial(ndcg, depth=DEPTH),
}


@attrs.frozen(kw_only=True)
class Scorecard:
    """The figures of a set.

    `figures` is by ranking and measure; `ahead` is the network's own minus each other, question by question;
    `kinds` has, for each kind of question, their number and recall@10 by ranking.
    """

    entries: int
    questions: int
    unscored: int
    figures: Mapping[str, Mapping[str, Interval]]
    ahead: Mapping[str, Mapping[str, Interval]]
    kinds: Mapping[str, tuple[int, Mapping[str, float]]]
    p50_ms: float
    p95_ms: float
    memory_mb: float


def scorecard(entries: int, asked: Sequence[Ranked], memory_mb: float) -> Scorecard:
    """The figures of questions of which at least one has a relevant entry."""
    scored = [each for each in asked if each.question.relevant]
    rankings = list(scored[0].answers)
    values = {
        ranking: {name: [_value(each, ranking, name) for each in scored] for name in MEASURES} for ranking in rankings
    }
    times = sorted(each.seconds * 1000 for each in asked)
    return Scorecard(
        entries=entries,
        questions=len(scored),
        unscored=len(asked) - len(scored),
        figures={ranking: {name: interval(each) for name, each in of.items()} for ranking, of in values.items()},
        ahead={
            ranking: {name: interval(_differences(values[MOLTNET][name], each)) for name, each in of.items()}
            for ranking, of in values.items()
            if ranking != MOLTNET
        },
        kinds=_by_kind(scored, rankings),
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        memory_mb=memory_mb,
    )


def _value(each: Ranked, ranking: str, measure: str) -> float:
    return MEASURES[measure](each.answers[ranking], each.question.relevant)


def _differences(ours: Sequence[float], other: Sequence[float]) -> list[float]:
    return [mine - theirs for mine, theirs in zip(ours, other, strict=True)]


def _by_kind(scored: Sequence[Ranked], rankings: Sequence[str]) -> dict[str, tuple[int, Mapping[str, float]]]:
    kinds = sorted({each.question.kind for each in scored if each.question.kind})
    members = {kind: [each for each in scored if each.question.kind == kind] for kind in kinds}
    return {
        kind: (
            len(of),
            {ranking: sum(_value(each, ranking, "recall@10") for each in of) / len(of) for ranking in rankings},
        )
        for kind, of in members.items()
    }


def _gain(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, start=1))
