"""Finding the best entries for a query: what to ask the store, and how its candidates are ranked."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import Ranked, best_first, is_confident, is_exact, rank
from moltnet.domain.search import Candidates, EmbedderUnavailable, Filters, Query, Question, Vector, Weights
from moltnet.domain.services.models import Models
from moltnet.domain.time_expressions import time_ranges
from moltnet.ports.search import Embedder, TextAnalyzer
from moltnet.ports.storage import UnitOfWork
from moltnet.ports.system import Clock

# How many candidates of each side are fetched for every entry of the answer. Enough in nearly every case; where it
# is not, the ranking notices and more are fetched.
DEPTH_PER_RESULT, DEPTH_GROWTH = 4, 8
SLICE = 500  # candidates, ranked in a few milliseconds


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
        vector = await _vector(embedder, query.scored, asker)
        return Question(
            vector=vector,
            model=embedder.model if embedder and vector else None,
            words_weight=embedder.words_weight if embedder else 1.0,
            words=self.index_terms.of_query(query),
            time_ranges=time_ranges(query.scored, self.clock.now()),
            filters=filters,
        )

    async def best(
        self, work: UnitOfWork, question: Question, within: Collection[DiaryId], weights: Weights, limit: int
    ) -> list[Ranked]:
        """The best `limit` entries of these diaries, best first; raises ServingModelChanged."""
        return await self._best(lambda depth: work.candidates.best(question, within, depth), question, weights, limit)

    async def best_public(self, work: UnitOfWork, question: Question, limit: int) -> list[Ranked]:
        """The best `limit` entries of all public diaries, best first; raises ServingModelChanged."""
        return await self._best(lambda depth: work.candidates.best_public(question, depth), question, Weights(), limit)

    def is_confident(self, ranked: Sequence[Ranked], question: Question) -> bool:
        """Whether an answer is likely to be one."""
        return is_confident(ranked, _terms_weight(question))

    async def _best(
        self, fetch: Callable[[int], Awaitable[Candidates]], question: Question, weights: Weights, limit: int
    ) -> list[Ranked]:
        now, words_weight = self.clock.now(), _terms_weight(question)
        depth = limit * DEPTH_PER_RESULT
        while True:
            candidates = await fetch(depth)
            ranked = await _ranked(candidates, weights, words_weight, now)
            if is_exact(ranked, limit, candidates, weights, words_weight):
                return ranked[:limit]
            depth *= DEPTH_GROWTH


async def _ranked(candidates: Candidates, weights: Weights, words_weight: float | None, now: datetime) -> list[Ranked]:
    """All candidates, best first; while many are ranked, the event loop continues between two slices."""
    found, ranked = candidates.found, list[Ranked]()
    for at in range(0, len(found), SLICE):
        if at:
            await asyncio.sleep(0)
        ranked += rank(attrs.evolve(candidates, found=found[at : at + SLICE]), weights, words_weight, now)
    return sorted(ranked, key=best_first)


def _terms_weight(question: Question) -> float | None:
    return question.words_weight if question.vector else None


async def _vector(embedder: Embedder | None, text: str, asker: str | None) -> Vector | None:
    if embedder is None or not text:
        return None
    try:
        return await embedder.embed_query(text, asker)
    except EmbedderUnavailable:
        return None
