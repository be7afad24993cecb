"""A model of candidate search that takes every definition literally and is in no hurry."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from statistics import pstdev

import attrs
import pytest

from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex, Term
from moltnet.domain.ranking import Candidate, Candidates, Question, inverse_frequency, shares, term_weight
from moltnet.domain.search import Filters

EPSILON = 1e-5  # of the port `CandidateSearch`


@attrs.frozen
class ReferenceEntry:
    """An entry and what it is found by."""

    entry: Entry
    index: EntryIndex


def text_of(index: EntryIndex) -> list[Term]:
    """The lexemes of a text in their order."""
    return [term for _, term in sorted((at, term) for term, places in index.index_terms.items() for at in places)]


def passes(entry: Entry, filters: Filters) -> bool:
    """Whether an entry is what the filters ask for."""
    happened_at = entry.created_at if entry.occurred_at is None else entry.occurred_at
    return (
        all(tag in (entry.tags or ()) for tag in filters.tags)
        and (entry.entry_type in filters.entry_types or not filters.entry_types)
        and (entry.superseded_by is None or not filters.exclude_superseded)
        and not (entry.injection_risk and filters.exclude_flagged)
        and (filters.since is None or filters.since <= entry.created_at)
        and (filters.until is None or entry.created_at < filters.until)
        and (filters.happened_since is None or filters.happened_since <= happened_at)
        and (filters.happened_until is None or happened_at < filters.happened_until)
    )


def admitted(stored: ReferenceEntry, question: Question) -> bool:
    """Whether an entry passes the filters, the required and the excluded runs."""
    text = text_of(stored.index)

    def stands(run: tuple[Term, ...]) -> bool:
        return any(tuple(text[at : at + len(run)]) == run for at in range(len(text) - len(run) + 1))

    return (
        passes(stored.entry, question.filters)
        and all(stands(run) for run in question.words.required)
        and not any(stands(run) for run in question.words.excluded)
    )


def all_candidates(
    kept: Collection[ReferenceEntry], question: Question, within: Collection[DiaryId]
) -> list[Candidate]:
    """Every entry that may be offered, with its scores."""
    searched = [each for each in kept if each.entry.diary_id in within]
    return [
        Candidate(
            entry_id=stored.entry.id,
            cosine=_cosine(stored.index, question),
            words=_words(stored, searched, question),
            expansion=_expansion(stored.index, question),
            importance=stored.entry.importance,
            accessed_at=stored.entry.last_accessed_at or stored.entry.created_at,
            timely=any(
                time_range.start <= (stored.entry.occurred_at or stored.entry.created_at) < time_range.end
                for time_range in question.time_ranges
            ),
        )
        for stored in kept
        if stored.entry.diary_id in within and admitted(stored, question)
    ]


def check(answer: Candidates, possible: list[Candidate], depth: int) -> None:
    """Asserts that an answer offers the best `depth` of each side of all that is possible, and nothing else.

    Scores may differ by EPSILON, and entries whose scores are closer than that may stand in either order.
    """
    possible = [each for each in possible if each.cosine is not None or each.words > 0]
    scores = {each.entry_id: each for each in possible}
    offered = {each.entry_id: each for each in answer.found}
    assert len(offered) == len(answer.found)
    deviation = pytest.approx(pstdev(each.expansion for each in possible) if possible else 0.0, abs=EPSILON)
    for entry_id, each in offered.items():
        expected = scores[entry_id]
        assert each.words == pytest.approx(expected.words, abs=EPSILON)
        assert each.expansion == pytest.approx(expected.expansion, abs=EPSILON)
        assert each.cosine == (None if expected.cosine is None else pytest.approx(expected.cosine, abs=EPSILON))
        assert _unscored(each) == _unscored(expected)
        assert each.spread is None or each.spread.among == len(possible)
        assert each.spread is None or each.spread.deviation == deviation
    by_cosine = {each.entry_id: each.cosine for each in possible if each.cosine is not None}
    by_words = {each.entry_id: each.words for each in possible if each.words > 0}
    by_expansion = {each.entry_id: each.expansion for each in possible if each.expansion > 0}
    by_time = {each.entry_id: -2.0 if each.cosine is None else each.cosine for each in possible if each.timely}
    nearest = _ranked({each.entry_id: (each.cosine_rank, each.cosine) for each in answer.found}, by_cosine, depth)
    matching = _ranked({each.entry_id: (each.words_rank, each.words) for each in answer.found}, by_words, depth)
    expanding = _ranked(
        {each.entry_id: (each.expansion_rank, each.expansion) for each in answer.found}, by_expansion, depth
    )
    timely = offered.keys() - nearest - matching - expanding
    least = sorted(by_time.values(), reverse=True)[:depth][-1:] or [0.0]
    assert all(by_time[each] >= least[0] - EPSILON for each in timely)
    assert all(each in offered for each, score in by_time.items() if score > least[0] + EPSILON)
    assert len([each for each in offered if each in by_time]) >= min(depth, len(by_time))
    assert answer.cosine_beyond == _beyond(by_cosine, depth)
    assert answer.words_beyond == _beyond(by_words, depth)
    assert answer.expansion_beyond == _beyond(by_expansion, depth)
    assert answer.timely_beyond == (len(by_time) > depth)


def _unscored(candidate: Candidate) -> Candidate:
    unscored = attrs.evolve(candidate, cosine=None, words=0.0, expansion=0.0, spread=None)
    return attrs.evolve(unscored, cosine_rank=None, words_rank=None, expansion_rank=None)


def _ranked(
    offered: Mapping[EntryId, tuple[int | None, float | None]], scores: Mapping[EntryId, float], depth: int
) -> set[EntryId]:
    """The entries that have a rank, once it is seen that they are the best, in their order; equal ones by their ids."""
    ranked = sorted((rank, entry_id, score) for entry_id, (rank, score) in offered.items() if rank is not None)
    best = sorted(scores.values(), reverse=True)[:depth]
    assert [rank for rank, _, _ in ranked] == list(range(1, len(best) + 1))
    assert [scores[entry_id] for _, entry_id, _ in ranked] == pytest.approx(best, abs=EPSILON)
    assert all(one[2] != next_[2] or one[1] > next_[1] for one, next_ in pairwise(ranked))
    return {entry_id for _, entry_id, _ in ranked}


def _beyond(scores: Mapping[EntryId, float], depth: int) -> object:
    best = sorted(scores.values(), reverse=True)
    return pytest.approx(best[depth - 1], abs=EPSILON) if len(best) > depth else None


def _cosine(index: EntryIndex, question: Question) -> float | None:
    if question.vector is None or index.model != question.model or not index.passages:
        return None
    return max(question.vector.cosine(passage.vector) for passage in index.passages)


def _expansion(index: EntryIndex, question: Question) -> float:
    if question.expansion is None or index.model != question.model or index.expansion is None:
        return 0.0
    return index.expansion.covers(question.expansion.shares())


def _form(alternatives: Sequence[Sequence[Term]], held: Collection[Term]) -> Sequence[Term]:
    for terms in alternatives:
        if any(term in held for term in terms):
            return [term for term in terms if term in held]
    return alternatives[-1][:1]


def _words(stored: ReferenceEntry, searched: Collection[ReferenceEntry], question: Question) -> float:
    texts = [text_of(other.index) for other in searched if other.entry.diary_id == stored.entry.diary_id]
    mine = text_of(stored.index)
    length = len({at for places in stored.index.index_terms.values() for at in places})
    held = {term for other in searched for term in text_of(other.index)}  # of a form, wherever it is searched
    scored = sorted(question.words.scored.union(*(_form(each, held) for each in question.words.forms)))
    telling = shares([inverse_frequency(len(texts), sum(term in text for text in texts)) for term in scored])
    reached = sum(
        share * term_weight(mine.count(term), length)
        for term, share in zip(scored, telling, strict=True)
        if term in mine
    )
    return min(1.0, reached)
