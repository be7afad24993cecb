"""Finding the best entries for a query: what to ask the store, and how its candidates are ranked."""

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import Ranked, is_exact, rank
from moltnet.domain.search import EmbedderUnavailable, Filters, Query, Question, Vector, Weights
from moltnet.domain.services.models import Models
from moltnet.ports.clock import Clock
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes
from moltnet.ports.storage import UnitOfWork

# How many candidates of each side are fetched for every entry of the answer. Enough in nearly every case; where it
# is not, the ranking notices and more are fetched.
DEPTH_PER_RESULT, DEPTH_GROWTH = 4, 8


@attrs.frozen(kw_only=True)
class Retrieval:
    """Looks in the diaries it is given, whoever asks. Without a model, or while it fails, words alone decide."""

    models: Models
    lexemes: Lexemes
    clock: Clock

    async def question(self, text: str, filters: Filters) -> Question:
        """What a query asks of a store. Costly: no unit of work is to be held meanwhile."""
        query = Query.parse(text)
        embedder = self.models.serving  # held on to: another may serve when the vector is there
        vector = await _vector(embedder, query.wanted)
        return Question(
            vector=vector,
            model=embedder.model if embedder and vector else None,
            words_weight=embedder.words_weight if embedder else 1.0,
            words=self.lexemes.of_query(query),
            filters=filters,
        )

    async def best(
        self, work: UnitOfWork, question: Question, within: list[DiaryId], weights: Weights, limit: int
    ) -> list[Ranked]:
        """The best `limit` entries of these diaries, best first; raises ServingModelChanged."""
        now = self.clock.now()
        words_weight = question.words_weight
        depth = limit * DEPTH_PER_RESULT
        while True:
            candidates = await work.candidates.best(question, within, depth)
            ranked = rank(candidates, weights, words_weight, now)
            if is_exact(ranked, limit, candidates, weights, words_weight):
                return ranked[:limit]
            depth *= DEPTH_GROWTH


async def _vector(embedder: Embedder | None, text: str) -> Vector | None:
    if embedder is None or not text:
        return None
    try:
        return await embedder.embed_query(text)
    except EmbedderUnavailable:
        return None
