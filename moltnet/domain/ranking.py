"""What a store is asked for, the candidates it offers, and how the sides of one add up, the same for every store.

Relevance is `(cosine · (1 + δ · expansion) + λ · words) / (1 + λ + δ)`, where λ and δ belong to the embedding model; of
a question about names and numbers to the letter, words weigh more (`Balance.of`).
Recency and importance are added only as far as the caller weighs them (docs/reference/search.md, "Ranking").
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from moltnet.domain.entries import IMPORTANCE_MAX, Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import Expansion, ModelName, Term, Vector
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery, Weights
from moltnet.domain.time_expressions import TimeRange

RECENCY_PER_HOUR = 0.99
# Okapi BM25: saturation of a repeated word, weight of length, and a fixed average length, so that a score does not
# move when other entries come and go.
BM25_K1, BM25_B, BM25_LENGTH = 1.2, 0.75, 100
BM25_MOST = BM25_K1 + 1  # what no term weight exceeds
# An entry is read in passages, and a longer one is not less about a word: beyond so many terms length plays no part.
# Without it a name in the last sentence of ten thousand characters counts a tenth of one in a note.
BM25_LENGTH_MAX = 150
# Of a longer query so many words are looked up, the rarest; how rare each is, so many diaries tell.
WORDS_LOOKED_UP, DIARIES_COUNTED = 64, 50
# Added to the relevance of what happened when the question says. Measured on dated memories (ADR-17).
TIME_BOOST = 0.10
# An answer whose best is less relevant than this is noise, or foreign to what was searched: for λ = 1.
CONFIDENT_FROM = 0.30
# Where texts are expanded, the best must be as likely as this: near, the question understood, that is, it calls up much
# for its length, and its expansion one that tells entries apart. So strong an expansion is enough.
LIKELY_FROM, UNDERSTOOD_ADDS, UNDERSTOOD_BY, LENGTH_TAKES, SPREAD_ADDS = 0.80, 0.90, 40, 0.20, 6.0
# A few entries hardly say how far expansions lie apart: it is as if so many more were as far apart as is usual.
SPREAD_USUAL, SPREAD_ADDED = 0.05, 20
# An entry that reaches half of the best possible by words is likely, whatever the model says; without a vector, as of a
# script that the model does not know, no other is.
WORDS_CONFIDENT_FROM = 0.5


@attrs.frozen(kw_only=True)
class Question:
    """What a store is asked for candidates with: a vector and an expansion of one model, terms, and filters.

    Without a vector, words alone answer; without wanted terms, the model alone. An expansion comes with a vector, of
    models that expand. `words_weight` and `expansion_weight` are the model's (`Embedder`): they go where the vector
    goes, since another model may serve by then. `unread` is the share of its letters that the model does not know, 0 to
    1. `time_ranges` are the times it names.
    """

    vector: Vector | None = None
    expansion: Expansion | None = None
    model: ModelName | None = None
    words_weight: float = 1.0
    expansion_weight: float = 0.0
    unread: float = 0.0
    words: LexicalQuery = ANY_TERMS
    time_ranges: tuple[TimeRange, ...] = ()
    filters: Filters = attrs.field(factory=Filters)


@attrs.frozen
class Spread:
    """How far the expansions of `among` entries lie apart: their standard deviation, 0 to 1/2."""

    deviation: float
    among: int

    @property
    def expected(self) -> float:
        """The same for any number of entries like these."""
        squares = self.among * self.deviation**2 + SPREAD_ADDED * SPREAD_USUAL**2
        return math.sqrt(squares / (self.among + SPREAD_ADDED))


@attrs.frozen(kw_only=True)
class Candidate:
    """An entry a store offers, with the raw scores of all sides.

    `cosine` is of its nearest passage, in [-1, 1], None without a vector of the question's model. `words` is BM25 as a
    share of the best that any entry could reach for this question, in [0, 1]. `expansion` is how much of what the
    question calls up it calls up too (`Expansion.covers`), in [0, 1], 0 without an expansion of the question's
    model; `spread` is that of all that were compared, None without. `timely` says that it happened in one of the
    question's periods. The ranks count from 1, None where a side offered another instead. `entry` is the entry itself,
    of a shortlist.
    """

    entry_id: EntryId
    cosine: float | None
    words: float
    expansion: float = 0.0
    spread: Spread | None = None
    importance: int
    accessed_at: datetime
    timely: bool = False
    cosine_rank: int | None = None
    words_rank: int | None = None
    expansion_rank: int | None = None
    entry: Entry | None = None


@attrs.frozen(kw_only=True)
class Score:
    """What a candidate is worth: how much each of its parts adds for one of its units, at a time.

    A sum of products, so that a store can sort by it, too. What is called up confirms what is near: its part is for one
    unit of it at a cosine of 1. None of the factors is negative.
    """

    cosine: float
    words: float
    expansion: float
    timely: float
    recency: float
    importance: float
    at: datetime


@attrs.frozen(kw_only=True)
class Shortlist:
    """That of the candidates of all sides only the best `limit` by a score are wanted, with their entries.

    With `ranks`, each with its rank on every side, too; without, a store may leave them out.
    """

    score: Score
    limit: int
    ranks: bool = False


@attrs.frozen(kw_only=True)
class Candidates:
    """The best of all sides, and how good an entry that is *not* among them could still be.

    Where the question names times, the nearest of those times are offered too. Of a shortlist, `found` holds those
    that it asks for; what could lie beyond is told as without.
    """

    found: tuple[Candidate, ...]
    cosine_beyond: float | None = None
    words_beyond: float | None = None
    expansion_beyond: float | None = None
    timely_beyond: bool = False

    @property
    def complete(self) -> bool:
        """Whether every entry that could be ranked is among them."""
        return self.cosine_beyond is self.words_beyond is self.expansion_beyond is None


@attrs.frozen
class Ranked:
    """A candidate and what it is worth to the caller."""

    candidate: Candidate
    score: float

    @property
    def entry_id(self) -> EntryId:
        """The entry's."""
        return self.candidate.entry_id

    @property
    def entry(self) -> Entry:
        """The entry of a candidate from a shortlist, as the state that was ranked has it."""
        if self.candidate.entry is None:
            raise RuntimeError("only a shortlist's candidates come with their entries")
        return self.candidate.entry


def term_weight(occurrences: int, length: int) -> float:
    """How much a word that occurs so often counts in an entry of `length` terms; below 2.2 (BM25's tf part)."""
    damping = BM25_K1 * (1 - BM25_B + BM25_B * min(length, BM25_LENGTH_MAX) / BM25_LENGTH)
    return occurrences * BM25_MOST / (occurrences + damping)


def inverse_frequency(entries: int, holding: int) -> float:
    """How distinctive a word is that `holding` of a diary's `entries` hold (BM25's idf part); above 0."""
    return math.log(1 + (entries - holding + 0.5) / (holding + 0.5))


def shares(inverse_frequencies: Sequence[float]) -> list[float]:
    """How much of the best possible BM25 each word of a query adds for a unit of its weight; above 0.

    The best possible is every word at a weight of 2.2, whether any entry holds it or not.
    """
    best_possible = BM25_MOST * sum(inverse_frequencies)
    return [each / best_possible for each in inverse_frequencies]


def text_length(index_terms: Mapping[Term, Sequence[int]]) -> int:
    """The length of a text for BM25: how many of its places hold a term, whatever other forms stand there."""
    return len(set().union(*index_terms.values()))


def needs_no_count(query: LexicalQuery) -> bool:
    """Whether all of a query is looked up, so that nobody has to count which of it is held."""
    return not query.forms and len(query.scored) <= WORDS_LOOKED_UP


def looked_up(query: LexicalQuery, holding: Mapping[Term, int]) -> LexicalQuery:
    """The query with the words that are looked up, of all with how many entries hold each.

    Of a word of several forms it has those held of the first alternative of which any is; where none is held, one of
    the last, which finds nothing and counts as a word not found.
    """
    scored = query.scored.union(*(_asked_for(alternatives, holding) for alternatives in query.forms))
    if len(scored) > WORDS_LOOKED_UP:
        scored = rarest({term: holding.get(term, 0) for term in scored})
    return attrs.evolve(query, scored=scored, forms=())


def _asked_for(alternatives: Sequence[Sequence[Term]], holding: Mapping[Term, int]) -> Sequence[Term]:
    there = ([term for term in terms if holding.get(term)] for terms in alternatives)
    return next(filter(None, there), None) or alternatives[-1][:1]


def rarest(holding: Mapping[Term, int]) -> frozenset[Term]:
    """The words of a query that are looked up, of all with how many entries hold each: those that fewest hold.

    A word that none holds finds nothing, so it comes last.
    """
    by_rarity = sorted(holding, key=lambda term: (not holding[term], holding[term], term))
    return frozenset(by_rarity[:WORDS_LOOKED_UP])


# Of what is asked for to the letter a model hardly tells anything: it reads digits and parts of names one by one, and
# calls up the like of them; of characters that it does not know, nothing. So far words take over, but for a quarter: it
# orders what is left.
EXACT_MOST = 0.75


@attrs.frozen
class Balance:
    """How much a model has its words and its expansion add to a cosine of 1: λ and δ.

    Without a model there is no vector to ask with, and words stand alone (WORDS_ALONE).
    """

    words: float
    expansion: float = 0.0
    cosine: float = 1.0

    @classmethod
    def of(cls, question: Question) -> "Balance":
        """That of the model a question was made with; an expansion it has not got adds nothing and takes nothing.

        As far as a question is exact, or the model cannot read it, what the model weighs goes over to the words.
        """
        if question.vector is None:
            return WORDS_ALONE
        expansion = question.expansion_weight if question.expansion else 0.0
        moved = min(max(question.words.exact, question.unread), EXACT_MOST)
        return cls(question.words_weight + moved * (1 + expansion), (1 - moved) * expansion, 1 - moved)

    @property
    def total(self) -> float:
        """What the best possible entry reaches."""
        return self.cosine + self.words + self.expansion


WORDS_ALONE = Balance(words=1.0, cosine=0.0)


def relevance(candidate: Candidate, balance: Balance) -> float:
    """One number from all sides, -1 to 1."""
    by_model = balance.cosine * (candidate.cosine or 0.0) + balance.expansion * confirmed(candidate)
    return (by_model + balance.words * candidate.words) / balance.total


def confirmed(candidate: Candidate) -> float:
    """How much of a cosine is confirmed by what is called up, 0 to 1.

    By itself what two texts call up says less than it seems: much of it is common to all texts of a kind.
    """
    return candidate.expansion * max(candidate.cosine or 0.0, 0.0)


def recency(accessed_at: datetime, now: datetime) -> float:
    """1 for what was seen just now, one percent less with every hour."""
    hours = max(now - accessed_at, timedelta()) / timedelta(hours=1)
    return float(RECENCY_PER_HOUR**hours)


def score_by(weights: Weights, balance: Balance, now: datetime) -> Score:
    """What a candidate is worth to a caller with these weights."""
    return Score(
        cosine=weights.relevance * balance.cosine / balance.total,
        words=weights.relevance * balance.words / balance.total,
        expansion=weights.relevance * balance.expansion / balance.total,
        timely=weights.relevance * TIME_BOOST,
        recency=weights.recency,
        importance=weights.importance / IMPORTANCE_MAX,
        at=now,
    )


def worth(candidate: Candidate, score: Score) -> float:
    """What a candidate is worth by a score. Every step rounds without turning an order around."""
    # Hardly anybody weighs recency, and its power costs as much as all the rest.
    recent = recency(candidate.accessed_at, score.at) if score.recency else 0.0
    relevant = score.cosine * (candidate.cosine or 0.0) + score.words * candidate.words
    relevant += score.expansion * confirmed(candidate)
    return _sum(score, relevant + score.timely * candidate.timely, recent, candidate.importance)


def rank(candidates: Candidates, score: Score) -> list[Ranked]:
    """All candidates, best first."""
    return sorted((Ranked(each, worth(each, score)) for each in candidates.found), key=best_first)


def best_first(ranked: Ranked) -> tuple[float, int]:
    """What an answer is sorted by; equal scores stand in the order of their ids, newest entry first."""
    return -ranked.score, -ranked.entry_id.int


def is_exact(ranked: list[Ranked], limit: int, candidates: Candidates, score: Score) -> bool:
    """Whether no entry beyond the candidates could belong among the best `limit`.

    An entry that no side offered is at most as good as the worst each side did offer; when the last of the
    answer beats even that, the answer is the true one (the threshold algorithm of Fagin, Lotem and Naor, 2001).
    """
    if candidates.complete:
        return True
    if len(ranked) < limit:
        return False
    # What lies beyond may have no vector at all, which counts as a cosine of 0.
    cosine = max(candidates.cosine_beyond or 0.0, 0.0)
    relevant = score.cosine * cosine + score.words * (candidates.words_beyond or 0.0)
    relevant += score.expansion * ((candidates.expansion_beyond or 0.0) * cosine)
    return ranked[limit - 1].score > _sum(
        score, relevant + score.timely * candidates.timely_beyond, 1.0, IMPORTANCE_MAX
    )


def best_possible(entry: Entry, weights: Weights) -> Ranked:
    """An entry that is asked for by its id."""
    candidate = Candidate(
        entry_id=entry.id,
        entry=entry,
        cosine=None,
        words=1.0,
        importance=entry.importance,
        accessed_at=entry.last_accessed_at or entry.created_at,
    )
    return Ranked(candidate, weights.relevance + weights.recency + weights.importance)


def score_share(worth: float, weights: Weights) -> float:
    """What a candidate is worth, as a share of what one could be: 0 to 1."""
    most = weights.relevance + weights.recency + weights.importance
    return max(0.0, min(1.0, worth / most)) if most else 0.0


def is_confident(ranked: Sequence[Ranked], question: Question) -> bool:
    """Whether the most relevant of an answer is likely to be one, whatever else the caller weighs (ADR-66)."""
    balance = Balance.of(question)
    best = max((each.candidate for each in ranked), key=lambda each: relevance(each, balance), default=None)
    return best is not None and _is_likely(best, question)


def _is_likely(best: Candidate, question: Question) -> bool:
    if best.words >= WORDS_CONFIDENT_FROM or question.vector is None:
        return best.words >= WORDS_CONFIDENT_FROM
    if not question.expansion_weight:
        return relevance(best, Balance(question.words_weight)) >= CONFIDENT_FROM
    if question.expansion is None or best.spread is None:
        return False  # the model makes nothing of the question
    understood = min(question.expansion.strength / UNDERSTOOD_BY, 1.0)
    likely = (best.cosine or 0.0) + UNDERSTOOD_ADDS * understood + SPREAD_ADDS * best.spread.expected
    return likely - LENGTH_TAKES * math.log(max(question.expansion.tokens, 1)) >= LIKELY_FROM


def _sum(score: Score, relevant: float, recent: float, importance: int) -> float:
    return relevant + score.recency * recent + score.importance * importance
