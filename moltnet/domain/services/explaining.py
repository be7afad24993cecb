"""Explaining why entries are in an answer, and why others are not.

Nothing is computed again of an entry's text: where its passages and words stand is stored.
"""

from collections.abc import Collection, Sequence

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.explanations import Explanation, LeftOut, Reason
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.passages import Span
from moltnet.domain.ranking import Ranked, score_share
from moltnet.domain.search import Filters, LexicalQuery, Query, Question, Search, Term
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.storage import UnitOfWork


@attrs.frozen(kw_only=True)
class Explaining:
    """Looks again at what was ranked, by the same steps."""

    retrieval: Retrieval

    async def of(
        self, work: UnitOfWork, text: str, question: Question, hits: Sequence[tuple[Ranked, Entry]]
    ) -> dict[EntryId, Explanation]:
        """Why each of these entries is in the answer to a query."""
        ids = [entry.id for _, entry in hits]
        passages, words = await _passages(work, question, ids), self._queries_by_term(text)
        matches = await work.candidates.matched_runs([_single(query.scored) for query in words.values()], ids)
        return {
            entry.id: _explained(ranked, entry, passages.get(entry.id), _matched(list(words), matches.get(entry.id)))
            for ranked, entry in hits
        }

    async def left_out(
        self,
        work: UnitOfWork,
        search: Search,
        question: Question,
        within: Collection[DiaryId],
        returned: Collection[Ranked],
    ) -> tuple[LeftOut, ...]:
        """What would have been among the answer, but for filters, required and excluded words, and the least score.

        Best first, and at most as many as the answer may hold.
        """
        open_query = LexicalQuery(scored=question.words.scored)
        unbound = attrs.evolve(question, words=open_query, filters=Filters())
        ranked = await self.retrieval.best(work, unbound, within, search.weights, search.limit)
        missing = {each.entry_id: each for each in ranked} | {each.entry_id: each for each in returned}
        entries = await work.entries.find_many(list(missing))
        refused = await _refused(work, question.words, list(missing))
        scores = {each.id: score_share(missing[each.id].score, search.weights) for each in entries}
        found = [
            LeftOut(entry_id=entry.id, diary_id=entry.diary_id, score=scores[entry.id], reason=reason)
            for entry in entries
            if (reason := _reason(entry, question, search, scores[entry.id], refused.get(entry.id)))
        ]
        return tuple(sorted(found, key=lambda each: (-each.score, -each.entry_id.int))[: search.limit])

    def _queries_by_term(self, text: str) -> dict[str, LexicalQuery]:
        words = dict.fromkeys(Query.parse(text).scored.split())
        return {word: self.retrieval.index_terms.of_query(Query(scored=word)) for word in words}


async def _passages(work: UnitOfWork, question: Question, ids: Sequence[EntryId]) -> dict[EntryId, Span]:
    if not question.vector or not question.model:
        return {}
    return await work.candidates.nearest_passages(question.vector, question.model, ids)


async def _refused(work: UnitOfWork, words: LexicalQuery, ids: Sequence[EntryId]) -> dict[EntryId, Reason]:
    """Why the words keep entries out, of those that they keep out."""
    required = [[run] for run in words.required if run]
    excluded = [run for run in words.excluded if run]
    matched_runs = await work.candidates.matched_runs([*required, excluded], ids)
    refused: dict[EntryId, Reason] = {}
    for entry_id in ids:
        indexes = matched_runs.get(entry_id, frozenset())
        if not indexes.issuperset(range(len(required))):
            refused[entry_id] = Reason.REQUIRED
        elif len(required) in indexes:
            refused[entry_id] = Reason.EXCLUDED
    return refused


def _single(index_terms: Collection[Term]) -> list[tuple[Term, ...]]:
    return [(term,) for term in index_terms]


def _matched(words: Sequence[str], indexes: frozenset[int] | None) -> tuple[str, ...]:
    return tuple(words[index] for index in sorted(indexes or ()))


def _explained(ranked: Ranked, entry: Entry, passage: Span | None, matched: tuple[str, ...]) -> Explanation:
    candidate = ranked.candidate
    return Explanation(
        cosine=candidate.cosine,
        cosine_rank=candidate.cosine_rank,
        words=candidate.words,
        words_rank=candidate.words_rank,
        matched=matched,
        passage=None if passage is None else _in_content(entry, passage),
        timely=candidate.timely,
    )


def _in_content(entry: Entry, passage: Span) -> Span:
    """The part of a passage of an entry's text that its content holds."""
    before = len(entry.heading) + 1 if entry.heading else 0
    start, end = (min(max(at - before, 0), len(entry.content)) for at in (passage.start, passage.end))
    return Span(start, end)


def _reason(entry: Entry, question: Question, search: Search, score: float, words: Reason | None) -> Reason | None:
    return question.filters.refusal(entry) or words or (Reason.MIN_SCORE if score < search.min_score else None)
