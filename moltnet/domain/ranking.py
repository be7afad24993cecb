"""How a candidate's sides add up: pure functions on numbers, the same for every store.

Relevance is `(cosine + λ · words) / (1 + λ)`, 0 to 1, where λ belongs to the embedding model. Recency and importance
are added only as far as the caller weighs them (rest.md §7.1).
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from moltnet.domain.entries import IMPORTANCE_MAX
from moltnet.domain.ids import EntryId
from moltnet.domain.search import Candidate, Candidates, Weights

RECENCY_PER_HOUR = 0.99
# Okapi BM25: saturation of a repeated word, weight of length, and a fixed average length, so that a score does not
# move when other entries come and go.
BM25_K1, BM25_B, BM25_LENGTH = 1.2, 0.75, 100


@attrs.frozen
class Ranked:
    """An entry and its score, 0 to 1 with default weights."""

    entry_id: EntryId
    score: float


def term_weight(occurrences: int, length: int) -> float:
    """How much a word that occurs so often counts in an entry of `length` lexemes; below 2.2 (BM25's tf part)."""
    damping = BM25_K1 * (1 - BM25_B + BM25_B * length / BM25_LENGTH)
    return occurrences * (BM25_K1 + 1) / (occurrences + damping)


def inverse_frequency(entries: int, holding: int) -> float:
    """How telling a word is that `holding` of a diary's `entries` hold (BM25's idf part); above 0."""
    return math.log(1 + (entries - holding + 0.5) / (holding + 0.5))


def best_possible(inverse_frequencies: Iterable[float]) -> float:
    """The BM25 that no entry can exceed for a query whose words are so telling."""
    return (BM25_K1 + 1) * sum(inverse_frequencies)


def relevance(cosine: float | None, words: float, words_weight: float) -> float:
    """One number from both sides, at most 1; without a vector the words stand alone."""
    return ((cosine or 0.0) + words_weight * words) / (1 + words_weight)


def recency(seen_at: datetime, now: datetime) -> float:
    """1 for what was seen just now, one percent less with every hour (rest.md §7.1, step 4)."""
    hours = max(now - seen_at, timedelta()) / timedelta(hours=1)
    return float(RECENCY_PER_HOUR**hours)


def score(candidate: Candidate, weights: Weights, words_weight: float, now: datetime) -> float:
    """What a candidate is worth to a caller with these weights."""
    relevant = relevance(candidate.cosine, candidate.words, words_weight)
    # Hardly anybody weighs recency, and its power costs as much as all the rest.
    recent = recency(candidate.seen_at, now) if weights.recency else 0.0
    return _weighed(weights, relevant, recent, candidate.importance)


def rank(candidates: Candidates, weights: Weights, words_weight: float, now: datetime) -> list[Ranked]:
    """All candidates, best first; equal scores stand in the order of their ids, newest entry first."""
    ranked = [Ranked(each.entry_id, score(each, weights, words_weight, now)) for each in candidates.found]
    return sorted(ranked, key=lambda each: (-each.score, -each.entry_id.int))


def is_exact(ranked: list[Ranked], limit: int, candidates: Candidates, weights: Weights, words_weight: float) -> bool:
    """Whether no entry beyond the candidates could belong among the best `limit`.

    An entry that neither side offered is at most as good as the worst each side did offer; when the last of the
    answer beats even that, the answer is the true one (the threshold algorithm of Fagin, Lotem and Naor, 2001).
    """
    if candidates.complete:
        return True
    if len(ranked) < limit:
        return False
    # What lies beyond may have no vector at all, which counts as a cosine of 0.
    beyond = relevance(max(candidates.cosine_beyond or 0.0, 0.0), candidates.words_beyond or 0.0, words_weight)
    return ranked[limit - 1].score > _weighed(weights, beyond, 1.0, IMPORTANCE_MAX)


def _weighed(weights: Weights, relevant: float, recent: float, importance: int) -> float:
    # Every step rounds without turning an order around, so no entry can exceed one that is better in each part.
    return weights.relevance * relevant + weights.recency * recent + weights.importance * importance / IMPORTANCE_MAX
