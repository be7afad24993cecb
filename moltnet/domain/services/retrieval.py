"""Finding the best entries for a query: what to ask the store, how its candidates are ranked, and why they were found.

Nothing is computed again of an entry's text to explain it: where its passages and words stand is stored.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EmbedderUnavailable, Expansion, Span, Term, Vector
from moltnet.domain.ranking import (
    Balance,
    Candidates,
    Question,
    Ranked,
    Shortlist,
    is_confident,
    is_exact,
    rank,
    score_by,
    score_share,
)
from moltnet.domain.search import Explanation, Filters, LeftOut, LexicalQuery, Query, Reason, Search, Weights
from moltnet.domain.services.models import Models, both
from moltnet.domain.time_expressions import time_ranges
from moltnet.ports.search import Embedder, TextAnalyzer
from moltnet.ports.storage import UnitOfWork
from moltnet.ports.system import Clock

# How many candidates of each side are fetched for every entry of the answer. Enough in nearly every case; where it
# is not, the ranking notices and more are fetched.
DEPTH_PER_RESULT, DEPTH_GROWTH = 4, 8


@attrs.frozen(kw_only=True)
class Retrieval:
    """Looks in the diaries it is given, for any caller. Without a model, or while it fails, words alone decide."""

    models: Models
    index_terms: TextAnalyzer
    clock: Clock

    async def question(self, text: str, filters: Filters, asker: str | None = None) -> Question:
        """What a query asks of a store. Costly: no unit of work is to be held meanwhile.

        Raises AllowanceUsedUp when too many queries of the asker are waiting.
        """
        query = Query.parse(text)
        embedder = self.models.serving  # held on to: another may serve when the vector is there
        vector, expansion = await _read(embedder, query.scored, asker)
        return Question(
            vector=vector,
            expansion=expansion,
            model=embedder.model if embedder and vector else None,
            words_weight=embedder.words_weight if embedder else 1.0,
            expansion_weight=embedder.expansion_weight if embedder else 0.0,
            unread=_unread(query.scored, embedder.legible(query.scored)) if embedder else 0.0,
            words=self.index_terms.of_query(query),
            time_ranges=time_ranges(query.scored, self.clock.now()),
            filters=filters,
        )

    async def best(  # noqa: PLR0913  # what is asked, where, and how much of the answer
        self,
        work: UnitOfWork,
        question: Question,
        within: Collection[DiaryId],
        weights: Weights,
        limit: int,
        *,
        ranks: bool = False,
    ) -> list[Ranked]:
        """The best `limit` entries of these diaries, best first (`Shortlist`); raises ServingModelChanged."""

        async def fetch(depth: int, shortlist: Shortlist) -> Candidates:
            return await work.candidates.best(question, within, depth, shortlist)

        return await self._best(fetch, question, weights, limit, ranks=ranks)

    async def best_public(self, work: UnitOfWork, question: Question, limit: int) -> list[Ranked]:
        """The best `limit` entries of all public diaries, best first; raises ServingModelChanged."""

        async def fetch(depth: int, shortlist: Shortlist) -> Candidates:
            return await work.candidates.best_public(question, depth, shortlist)

        return await self._best(fetch, question, Weights(), limit)

    def is_confident(self, ranked: Sequence[Ranked], question: Question) -> bool:
        """Whether an answer is likely to be one."""
        return is_confident(ranked, question)

    async def _best(
        self,
        fetch: Callable[[int, Shortlist], Awaitable[Candidates]],
        question: Question,
        weights: Weights,
        limit: int,
        *,
        ranks: bool = False,
    ) -> list[Ranked]:
        score = score_by(weights, Balance.of(question), self.clock.now())
        depth, shortlist = limit * DEPTH_PER_RESULT, Shortlist(score=score, limit=limit, ranks=ranks)
        while True:
            candidates = await fetch(depth, shortlist)
            ranked = rank(candidates, score)
            if is_exact(ranked, limit, candidates, score):
                return ranked
            depth *= DEPTH_GROWTH


def _unread(text: str, legible: str) -> float:
    letters = sum(map(str.isalnum, text))
    return 1 - sum(map(str.isalnum, legible)) / letters if letters else 0.0


async def _read(embedder: Embedder | None, text: str, asker: str | None) -> tuple[Vector | None, Expansion | None]:
    """What a model makes of a query, both together; neither while it fails. What calls up nothing asks for nothing."""
    text = embedder.legible(text).strip() if embedder else ""
    if embedder is None or not text:
        return None, None  # where the model reads nothing, words alone are asked for
    try:
        vector, expansion = await both(embedder.embed_query(text, asker), embedder.expand_query(text, asker))
    except EmbedderUnavailable:
        return None, None
    return vector, expansion if expansion and expansion.weights else None


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
        matches = await work.candidates.matched_runs([_single(query.terms) for query in words.values()], ids)
        return {
            entry.id: _explained(
                question, ranked, entry, passages.get(entry.id), _matched(list(words), matches.get(entry.id))
            )
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
        open_query = LexicalQuery(scored=question.words.scored, forms=question.words.forms)
        unbound, weights = attrs.evolve(question, words=open_query, filters=Filters()), search.weights
        ranked = await self.retrieval.best(work, unbound, within, weights, search.limit)
        missing = {each.entry_id: each for each in ranked} | {each.entry_id: each for each in returned}
        refused = await _refused(work, question.words, list(missing))
        scores = {each: score_share(ranked.score, weights) for each, ranked in missing.items()}
        found = [
            LeftOut(entry_id=each, diary_id=ranked.entry.diary_id, score=scores[each], reason=reason)
            for each, ranked in missing.items()
            if (reason := _reason(ranked.entry, question, search, scores[each], refused.get(each)))
        ]
        return tuple(sorted(found, key=lambda each: (-each.score, -each.entry_id.int))[: search.limit])

    async def hidden(
        self,
        work: UnitOfWork,
        search: Search,
        question: Question,
        within: Collection[DiaryId],
        returned: Sequence[Ranked],
    ) -> tuple[LeftOut, ...]:
        """What an excluded word hid, if it is better than all that is returned."""
        if not any(question.words.excluded):
            return ()
        open_question = attrs.evolve(question, words=attrs.evolve(question.words, excluded=()))
        ranked = await self.retrieval.best(work, open_question, within, search.weights, 1)
        ids = {each.entry_id for each in returned}
        least = max(search.min_score, score_share(returned[0].score, search.weights) if returned else 0.0)
        scores = [(each, score_share(each.score, search.weights)) for each in ranked if each.entry_id not in ids]
        return tuple(
            LeftOut(entry_id=each.entry_id, diary_id=each.entry.diary_id, score=score, reason=Reason.EXCLUDED)
            for each, score in scores
            if score >= least
        )

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


def _explained(
    question: Question, ranked: Ranked, entry: Entry, passage: Span | None, matched: tuple[str, ...]
) -> Explanation:
    candidate = ranked.candidate
    return Explanation(
        cosine=candidate.cosine,
        cosine_rank=candidate.cosine_rank,
        words=candidate.words,
        words_rank=candidate.words_rank,
        expansion=candidate.expansion if question.expansion else None,
        expansion_rank=candidate.expansion_rank,
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
