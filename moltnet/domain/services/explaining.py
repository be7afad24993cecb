"""Telling why entries are in an answer, and why others are not."""

from collections.abc import Collection, Sequence

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.explanations import Explanation, LeftOut, Reason
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.passages import Span
from moltnet.domain.ranking import Ranked, told_score
from moltnet.domain.search import Filters, LexicalQuery, Query, Question, Search
from moltnet.domain.services.indexing import Indexing
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.storage import UnitOfWork


@attrs.frozen(kw_only=True)
class Explaining:
    """Looks again at what was ranked, by the same steps."""

    retrieval: Retrieval
    indexing: Indexing

    async def of(
        self, work: UnitOfWork, text: str, question: Question, hits: Sequence[tuple[Ranked, Entry]]
    ) -> dict[EntryId, Explanation]:
        """Why each of these entries is in the answer to a query."""
        passages = await self._passages(work, question, [entry for _, entry in hits])
        told = self._words(text)
        return {entry.id: self._explained(ranked, entry, passages.get(entry.id), told) for ranked, entry in hits}

    async def left_out(
        self,
        work: UnitOfWork,
        search: Search,
        question: Question,
        within: Collection[DiaryId],
        told: Collection[Ranked],
    ) -> tuple[LeftOut, ...]:
        """What would have been among the answer, but for filters, required and excluded words, and the least score.

        Best first, and at most as many as the answer may hold.
        """
        open_words = LexicalQuery(wanted=question.words.wanted)
        unbound = attrs.evolve(question, words=open_words, filters=Filters())
        ranked = await self.retrieval.best(work, unbound, within, search.weights, search.limit)
        missing = {each.entry_id: each for each in ranked} | {each.entry_id: each for each in told}
        entries = await work.entries.find_many(list(missing))
        scores = {each.id: told_score(missing[each.id].score, search.weights) for each in entries}
        found = [
            LeftOut(entry_id=entry.id, diary_id=entry.diary_id, score=scores[entry.id], reason=reason)
            for entry in entries
            if (reason := self._reason(entry, question, search, scores[entry.id]))
        ]
        return tuple(sorted(found, key=lambda each: (-each.score, -each.entry_id.int))[: search.limit])

    async def _passages(
        self, work: UnitOfWork, question: Question, entries: Sequence[Entry]
    ) -> dict[EntryId, Span | None]:
        if not question.vector or not question.model:
            return {}
        ids = [entry.id for entry in entries]
        nearest = await work.candidates.nearest_passages(question.vector, question.model, ids)
        return {
            entry.id: self.indexing.passage(entry, nearest[entry.id], question.model)
            for entry in entries
            if entry.id in nearest
        }

    def _explained(
        self, ranked: Ranked, entry: Entry, passage: Span | None, told: Sequence[tuple[str, LexicalQuery]]
    ) -> Explanation:
        candidate, held = ranked.candidate, self.retrieval.lexemes.of_text(entry.text)
        return Explanation(
            cosine=candidate.cosine,
            cosine_rank=candidate.cosine_rank,
            words=candidate.words,
            words_rank=candidate.words_rank,
            matched=tuple(word for word, query in told if query.wanted & held.keys()),
            passage=passage,
            timely=candidate.timely,
        )

    def _words(self, text: str) -> list[tuple[str, LexicalQuery]]:
        words = dict.fromkeys(Query.parse(text).wanted.split())
        return [(word, self.retrieval.lexemes.of_query(Query(wanted=word))) for word in words]

    def _reason(self, entry: Entry, question: Question, search: Search, score: float) -> Reason | None:
        refusal = question.filters.refusal(entry)
        if refusal is None:
            refusal = question.words.refusal(self.retrieval.lexemes.of_text(entry.text))
        return refusal or (Reason.MIN_SCORE if score < search.min_score else None)
