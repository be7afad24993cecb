"""Figures of rankings: means over questions with intervals, and how the network's own compares to the others."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import attrs

from moltnet.entrypoints.cli.scoring.metrics import Interval, interval, ndcg, percentile, recall, reciprocal_rank
from moltnet.entrypoints.cli.scoring.rankings import DEPTH, Ranked

MOLTNET = "moltnet"
MEASURES: Mapping[str, Callable[[Sequence[str], Mapping[str, float]], float]] = {
    "recall@5": partial(recall, depth=5),
    "recall@10": partial(recall, depth=DEPTH),
    "mrr@10": reciprocal_rank,
    "ndcg@10": partial(ndcg, depth=DEPTH),
}


@attrs.frozen(kw_only=True)
class Scorecard:
    """What came of a set.

    `figures` is by ranking and measure; `ahead` is the network's own minus each other, question by question;
    `kinds` holds, for each kind of question, how many there are and recall@10 by ranking.
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
    """The figures of at least one question that something answers."""
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
