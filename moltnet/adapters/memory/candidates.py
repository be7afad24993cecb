"""Candidates for a question, by comparing every entry there is to compare."""

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain

import attrs

from moltnet.adapters.memory.repositories.references import require_serving
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.diaries import Visibility
from moltnet.domain.duplicates import SIMILAR_AMONG, SIMILAR_FROM, SIMILAR_MAX
from moltnet.domain.entries import Entry, Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.passages import Span
from moltnet.domain.ranking import (
    DIARIES_COUNTED,
    WORDS_LOOKED_UP,
    inverse_frequency,
    rarest,
    shares,
    term_weight,
)
from moltnet.domain.search import (
    Candidate,
    Candidates,
    EntryIndex,
    IndexedPassage,
    LexicalQuery,
    ModelName,
    Question,
    Term,
    Vector,
    stands,
)


class MemoryCandidates:
    """Looks at every entry of the diaries asked for; what it costs grows with their number."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def best(self, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        tables = await self._statements.read()
        require_serving(tables, question.model)
        return _best_of(tables, question, set(within), depth)

    async def best_public(self, question: Question, depth: int) -> Candidates:
        """The best `depth` entries of each side among all that is public, as one set."""
        tables = await self._statements.read()
        require_serving(tables, question.model)
        return _best_of(tables, question, set(tables.diaries.sharing("visibility", Visibility.PUBLIC)), depth)

    async def nearest_passages(
        self, vector: Vector, model: ModelName, entry_ids: Collection[EntryId]
    ) -> dict[EntryId, Span]:
        """For each of some entries, where its nearest passage stands."""
        tables = await self._statements.read()
        require_serving(tables, model)
        by_entry = {entry_id: _passages(tables, entry_id, model) or () for entry_id in entry_ids}
        nearest = {
            entry_id: min(passages, key=lambda each: (-vector.cosine(each.vector), each.ordinal))
            for entry_id, passages in by_entry.items()
            if passages
        }
        return {entry_id: Span(passage.start, passage.end) for entry_id, passage in nearest.items()}

    async def matched_runs(
        self, runs: Sequence[Collection[Sequence[Term]]], entry_ids: Collection[EntryId]
    ) -> dict[EntryId, frozenset[int]]:
        """For each of some entries, the places of the collections of which any run stands in it."""
        tables = await self._statements.read()
        indexes = {each: index for each in entry_ids if (index := tables.indexes.get(each))}
        found = {
            entry_id: frozenset(
                position
                for position, any_of in enumerate(runs)
                if any(stands(run, index.index_terms) for run in any_of if run)
            )
            for entry_id, index in indexes.items()
        }
        return {entry_id: positions for entry_id, positions in found.items() if positions}

    async def similar(self, vector: Vector, model: ModelName, diary_id: DiaryId) -> list[Similar]:
        """The newest entries of a diary that begin almost alike, nearest first."""
        tables = await self._statements.read()
        require_serving(tables, model)
        by_entry = {
            entry_id: passages
            for entry_id in tables.entries.sharing("diary", diary_id)
            if (passages := _passages(tables, entry_id, model)) is not None
        }
        newest = heapq.nlargest(
            SIMILAR_AMONG, by_entry, key=lambda each: (tables.entries.rows()[each].created_at, each)
        )
        compared = [(_beginning(vector, by_entry[entry_id]), entry_id) for entry_id in newest]
        best = heapq.nlargest(SIMILAR_MAX, [each for each in compared if each[0] >= SIMILAR_FROM])
        return [Similar(entry_id, cosine) for cosine, entry_id in best]


@attrs.frozen
class _TermWeights:
    """How much each word of a query adds in one diary."""

    shares: dict[Term, float]

    def score(self, index: EntryIndex) -> float:
        """BM25 of an entry as a share of the best possible."""
        matched = self.shares.keys() & index.index_terms.keys()
        length = sum(map(len, index.index_terms.values()))
        return min(1.0, sum(self.shares[term] * term_weight(len(index.index_terms[term]), length) for term in matched))


def _best_of(tables: Tables, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
    question = _looked_up(tables, question, within)
    compared = [*chain.from_iterable(_compared(tables, diary_id, question) for diary_id in within)]
    nearest, cosine_beyond = _best(compared, _by_cosine, depth)
    matching, words_beyond = _best(compared, _by_term_score, depth)
    timely, timely_beyond = _best([each for each in compared if each.timely], _by_time, depth)
    cosine_ranks = {each.entry_id: rank for rank, each in enumerate(nearest, start=1)}
    words_ranks = {each.entry_id: rank for rank, each in enumerate(matching, start=1)}
    found = {each.entry_id: each for each in (*nearest, *matching, *timely)}
    return Candidates(
        found=tuple(
            attrs.evolve(each, cosine_rank=cosine_ranks.get(entry_id), words_rank=words_ranks.get(entry_id))
            for entry_id, each in found.items()
        ),
        cosine_beyond=cosine_beyond,
        words_beyond=words_beyond,
        timely_beyond=timely_beyond is not None,
    )


def _looked_up(tables: Tables, question: Question, within: Collection[DiaryId]) -> Question:
    """The question with no more words than are looked up."""
    if len(question.words.scored) <= WORDS_LOOKED_UP:
        return question
    sampled = sorted(each for each in within if tables.entries.sharing("diary", each))[:DIARIES_COUNTED]
    term_sets = [
        _entry_terms(tables, entry_id) for diary_id in sampled for entry_id in tables.entries.sharing("diary", diary_id)
    ]
    counted = {term: sum(term in index_terms for index_terms in term_sets) for term in question.words.scored}
    return attrs.evolve(question, words=attrs.evolve(question.words, scored=rarest(counted)))


def _entry_terms(tables: Tables, entry_id: EntryId) -> Collection[Term]:
    return (tables.indexes.get(entry_id) or EntryIndex()).index_terms


def _compared(tables: Tables, diary_id: DiaryId, question: Question) -> Iterator[Candidate]:
    entries = tables.entries.sharing("diary", diary_id)
    indexes = {entry_id: tables.indexes.get(entry_id) or EntryIndex() for entry_id in entries}
    words = _term_weights(question.words, indexes.values())
    for entry_id, entry in entries.items():
        index = indexes[entry_id]
        if question.filters.refusal(entry) or question.words.refusal(index.index_terms):
            continue
        candidate = _candidate(question, entry, _cosine(question, index), words.score(index))
        if candidate.cosine is not None or candidate.words:
            yield candidate


def _term_weights(query: LexicalQuery, indexes: Collection[EntryIndex]) -> _TermWeights:
    scored = sorted(query.scored)
    holding = [sum(term in index.index_terms for index in indexes) for term in scored]
    telling = shares([inverse_frequency(len(indexes), count) for count in holding])
    return _TermWeights(dict(zip(scored, telling, strict=True)))


def _cosine(question: Question, index: EntryIndex) -> float | None:
    if question.vector is None or question.model is None:
        return None
    vector = question.vector
    return max((vector.cosine(passage.vector) for passage in index.under(question.model) or ()), default=None)


def _passages(tables: Tables, entry_id: EntryId, model: ModelName) -> tuple[IndexedPassage, ...] | None:
    index = tables.indexes.get(entry_id)
    return index.under(model) if index else None


def _beginning(vector: Vector, passages: Sequence[IndexedPassage]) -> float:
    return next((vector.cosine(each.vector) for each in passages if each.ordinal == 0), -1.0)


def _candidate(question: Question, entry: Entry, cosine: float | None, words: float) -> Candidate:
    return Candidate(
        entry_id=entry.id,
        cosine=cosine,
        words=words,
        importance=entry.importance,
        accessed_at=entry.last_accessed_at or entry.created_at,
        timely=any(time_range.contains(entry.happened_at) for time_range in question.time_ranges),
    )


def _best(
    compared: list[Candidate], side: Callable[[Candidate], float | None], depth: int
) -> tuple[list[Candidate], float | None]:
    offered = [(score, candidate) for candidate in compared if (score := side(candidate)) is not None]
    best = heapq.nlargest(depth, offered, key=lambda each: (each[0], each[1].entry_id))
    return [candidate for _, candidate in best], best[-1][0] if len(offered) > depth else None


def _by_cosine(candidate: Candidate) -> float | None:
    return candidate.cosine


def _by_term_score(candidate: Candidate) -> float | None:
    return candidate.words or None


def _by_time(candidate: Candidate) -> float:
    return -2.0 if candidate.cosine is None else candidate.cosine  # after every cosine
