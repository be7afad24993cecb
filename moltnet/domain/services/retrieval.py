"""Finding the best entries for a query: what to ask the store, and how its candidates are ranked."""

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import Ranked, is_exact, rank
from moltnet.domain.search import EmbedderUnavailable, Filters, Query, Question, Vector, Weights
from moltnet.ports.clock import Clock
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes
from moltnet.ports.storage import UnitOfWork

# How many candidates of each side are fetched for every entry of the answer. Enough in nearly every case; where it
# is not, the ranking notices and more are fetched.
DEPTH_PER_RESULT, DEPTH_GROWTH = 4, 8


@attrs.frozen(kw_only=True)
class Retrieval:
    """Looks in the diaries it is given, whoever asks. Without an embedder, or while it fails, words alone decide."""

    embedder: Embedder | None
    lexemes: Lexemes
    clock: Clock

    async def question(self, text: str, filters: Filters) -> Question:
        """What a query asks of a store. Costly: no unit of work is to be held meanwhile."""
        query = Query.parse(text)
        vector = await self._vector(query.wanted)
        return Question(
            vector=vector,
            model=self.embedder.model if self.embedder and vector else None,
            words=self.lexemes.of_query(query),
            filters=filters,
        )

    async def best(
        self, work: UnitOfWork, question: Question, within: list[DiaryId], weights: Weights, limit: int
    ) -> list[Ranked]:
        """The best `limit` entries of these diaries, best first."""
        now = self.clock.now()
        words_weight = self.embedder.words_weight if self.embedder else 1.0
        depth = limit * DEPTH_PER_RESULT
        while True:
            candidates = await work.candidates.best(question, within, depth)
            ranked = rank(candidates, weights, words_weight, now)
            if is_exact(ranked, limit, candidates, weights, words_weight):
                return ranked[:limit]
            depth *= DEPTH_GROWTH

    async def _vector(self, text: str) -> Vector | None:
        if self.embedder is None or not text:
            return None
        try:
            return await self.embedder.embed_query(text)
        except EmbedderUnavailable:
            return None
