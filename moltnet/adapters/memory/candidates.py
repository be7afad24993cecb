"""Candidates for a question, by comparing every entry there is to compare."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import attrs

from moltnet.adapters.memory.repositories.references import require_serving, with_head
from moltnet.adapters.memory.statements import Repository, in_turns
from moltnet.adapters.memory.tables import StoredIndex, Tables
from moltnet.adapters.memory.vectors import cosines, deviation, near_ones, unit
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import Entry, Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex, IndexedPassage, ModelName, Span, Term, Vector
from moltnet.domain.ranking import (
    DIARIES_COUNTED,
    Candidate,
    Candidates,
    Question,
    Ranked,
    Shortlist,
    Spread,
    best_first,
    inverse_frequency,
    looked_up,
    needs_no_count,
    rank,
    shares,
    term_weight,
)
from moltnet.domain.search import LexicalQuery, stands
from moltnet.domain.text import SIMILAR_AMONG, SIMILAR_FROM, SIMILAR_MAX


class MemoryCandidates(Repository):
    """Looks at every entry of the diaries asked for; what it costs grows with their number."""

    async def best(
        self, question: Question, within: Collection[DiaryId], depth: int, shortlist: Shortlist | None = None
    ) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        tables = await self._statements.read()
        require_serving(tables, question.model)
        return await _shortened(tables, await _best_of(tables, question, set(within), depth), shortlist)

    async def best_public(self, question: Question, depth: int, shortlist: Shortlist | None = None) -> Candidates:
        """The best `depth` entries of each side among all that is public, as one set."""
        tables = await self._statements.read()
        require_serving(tables, question.model)
        public = set(tables.diaries.sharing("visibility", Visibility.PUBLIC))
        return await _shortened(tables, await _best_of(tables, question, public, depth), shortlist)

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

    async def index_large(self, limit: int) -> bool:  # noqa: ARG002  # the port's
        """Every entry is compared; there is nothing to do."""
        return False

    async def similar(self, vector: Vector, model: ModelName, diary_id: DiaryId) -> list[Similar]:
        """The newest entries of a diary that begin almost alike, nearest first."""
        tables = await self._statements.read()
        require_serving(tables, model)
        stored = tables.indexes.sharing("diary", diary_id)
        newest = list(islice((row for row in reversed(stored.values()) if model in row.beginnings), SIMILAR_AMONG))[
            ::-1
        ]
        beginnings = [row.beginnings[model] for row in newest]
        near = near_ones(unit(vector), beginnings, SIMILAR_FROM, len(stored) - len(newest))
        best = heapq.nlargest(SIMILAR_MAX, [(cosine, newest[at].entry_id) for at, cosine in near])
        return [Similar(entry_id, cosine) for cosine, entry_id in best]


@attrs.frozen
class _TermWeights:
    """How much each word of a query adds in one diary."""

    shares: dict[Term, float]

    def score(self, index: StoredIndex) -> float:
        """BM25 of an entry as a share of the best possible."""
        matched = self.shares.keys() & index.index_terms.keys()
        weights = (self.shares[term] * term_weight(len(index.index_terms[term]), index.length) for term in matched)
        return min(1.0, sum(weights))


_Rows: TypeAlias = Sequence[tuple[Entry, StoredIndex]]


async def _best_of(tables: Tables, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
    question = await _looked_up(tables, question, within)
    compared = [
        candidate for rows in [_rows(tables, each) for each in within] for candidate in await _compared(rows, question)
    ]
    spread = _spread(compared) if question.expansion else None
    nearest, cosine_beyond = _best(compared, _by_cosine, depth)
    await asyncio.sleep(0)  # of thousands of candidates, each side takes milliseconds
    matching, words_beyond = _best(compared, _by_term_score, depth)
    await asyncio.sleep(0)
    expanding, expansion_beyond = _best(compared, _by_expansion, depth)
    await asyncio.sleep(0)
    timely, timely_beyond = _best([each for each in compared if each.timely], _by_time, depth)
    cosine_ranks = {each.entry_id: rank for rank, each in enumerate(nearest, start=1)}
    words_ranks = {each.entry_id: rank for rank, each in enumerate(matching, start=1)}
    expansion_ranks = {each.entry_id: rank for rank, each in enumerate(expanding, start=1)}
    found = {each.entry_id: each for each in (*nearest, *matching, *expanding, *timely)}
    return Candidates(
        found=tuple(
            attrs.evolve(
                each,
                spread=spread,
                cosine_rank=cosine_ranks.get(entry_id),
                words_rank=words_ranks.get(entry_id),
                expansion_rank=expansion_ranks.get(entry_id),
            )
            for entry_id, each in found.items()
        ),
        cosine_beyond=cosine_beyond,
        words_beyond=words_beyond,
        expansion_beyond=expansion_beyond,
        timely_beyond=timely_beyond is not None,
    )


async def _shortened(tables: Tables, candidates: Candidates, shortlist: Shortlist | None) -> Candidates:
    if shortlist is None:
        return candidates
    ranked: list[Ranked] = []
    async for some in in_turns(candidates.found):
        ranked += rank(attrs.evolve(candidates, found=tuple(some)), shortlist.score)
    best = heapq.nsmallest(shortlist.limit, ranked, key=best_first)
    entries = ((each.candidate, tables.entries.get(each.entry_id)) for each in best)
    found = (attrs.evolve(candidate, entry=with_head(tables, entry)) for candidate, entry in entries)
    return attrs.evolve(candidates, found=tuple(found))


async def _looked_up(tables: Tables, question: Question, within: Collection[DiaryId]) -> Question:
    """The question with the words that are looked up."""
    if needs_no_count(question.words):
        return question
    sampled = sorted(each for each in within if tables.entries.sharing("diary", each))[:DIARIES_COUNTED]
    terms = question.words.terms
    holding = await _holding(terms, [row for diary_id in sampled for row in _rows(tables, diary_id)])
    return attrs.evolve(question, words=looked_up(question.words, holding))


async def _holding(terms: frozenset[Term], rows: _Rows) -> Counter[Term]:
    """In how many of the entries each term stands."""
    holding: Counter[Term] = Counter()
    async for some in in_turns(rows):
        for _, index in some:
            holding.update(terms & index.index_terms.keys())
    return holding


def _rows(tables: Tables, diary_id: DiaryId) -> _Rows:
    entries = tables.entries.sharing("diary", diary_id).items()
    return [(entry, tables.indexes.get(entry_id) or StoredIndex.of(entry, EntryIndex())) for entry_id, entry in entries]


async def _compared(rows: _Rows, question: Question) -> list[Candidate]:
    words = await _term_weights(question.words, rows)
    called_up = question.expansion.shares() if question.expansion else {}
    compared: list[Candidate] = []
    async for some in in_turns(rows):
        passed = [
            (entry, index)
            for entry, index in some
            if not (question.filters.refusal(entry) or question.words.refusal(index.index_terms))
        ]
        compared += [
            _candidate(question, entry, (cosine, score, _covered(called_up, question, index)))
            for (entry, index), cosine in zip(passed, _cosines(question, [index for _, index in passed]), strict=True)
            if (score := words.score(index)) or cosine is not None
        ]
    return compared


async def _term_weights(query: LexicalQuery, rows: _Rows) -> _TermWeights:
    holding = await _holding(query.scored, rows)
    scored = sorted(query.scored)
    telling = shares([inverse_frequency(len(rows), holding[term]) for term in scored])
    return _TermWeights(dict(zip(scored, telling, strict=True)))


def _cosines(question: Question, indexes: Iterable[EntryIndex]) -> Iterator[float | None]:
    """For each entry the cosine of its nearest passage; None without any."""
    vector, model = question.vector, question.model
    by_entry = [(index.under(model) or () if vector and model else ()) for index in indexes]
    near = iter(cosines(vector, [each.vector for passages in by_entry for each in passages]) if vector else ())
    return (max(islice(near, len(passages)), default=None) for passages in by_entry)


def _covered(called_up: Mapping[int, float], question: Question, index: EntryIndex) -> float:
    theirs = index.expansion_under(question.model) if called_up and question.model else None
    return theirs.covers(called_up) if theirs else 0.0


def _passages(tables: Tables, entry_id: EntryId, model: ModelName) -> tuple[IndexedPassage, ...] | None:
    index = tables.indexes.get(entry_id)
    return index.under(model) if index else None


def _candidate(question: Question, entry: Entry, scores: tuple[float | None, float, float]) -> Candidate:
    cosine, words, expansion = scores
    return Candidate(
        entry_id=entry.id,
        cosine=cosine,
        words=words,
        expansion=expansion,
        importance=entry.importance,
        accessed_at=entry.last_accessed_at or entry.created_at,
        timely=any(time_range.contains(entry.happened_at) for time_range in question.time_ranges),
    )


def _spread(compared: Sequence[Candidate]) -> Spread:
    return Spread(deviation([each.expansion for each in compared]), len(compared))


def _best(
    compared: list[Candidate], side: Callable[[Candidate], float | None], depth: int
) -> tuple[list[Candidate], float | None]:
    offered = [
        (score, candidate.entry_id, candidate) for candidate in compared if (score := side(candidate)) is not None
    ]
    best = heapq.nlargest(depth, offered)
    return [candidate for *_, candidate in best], best[-1][0] if len(offered) > depth else None


def _by_cosine(candidate: Candidate) -> float | None:
    return candidate.cosine


def _by_term_score(candidate: Candidate) -> float | None:
    return candidate.words or None


def _by_expansion(candidate: Candidate) -> float | None:
    return candidate.expansion or None


def _by_time(candidate: Candidate) -> float:
    return -2.0 if candidate.cosine is None else candidate.cosine  # after every cosine
