"""The questions of a set, asked of a network in this process: by its own ranking, and by each of its signals."""

import asyncio
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import Candidate, EmbedderUnavailable, Filters, Search
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.scoring.memory_sets import Memory, MemoryQuestion, MemorySet

DEPTH = 10
FUSED_DEPTH, FUSED_K = 100, 60
WRITERS = 4


@attrs.frozen
class Ranked:
    """The ids of the file in each ranking of a question, and the seconds that the network's own took."""

    question: MemoryQuestion
    answers: Mapping[str, Sequence[str]]
    seconds: float


@attrs.frozen(kw_only=True)
class Asker:
    """An agent with a diary of memories, who asks."""

    services: Services
    caller: Caller
    diary: DiaryId
    ids: Mapping[EntryId, str]

    @classmethod
    async def prepared(
        cls, services: Services, caller: Caller, memories: MemorySet, on_step: Callable[[], object]
    ) -> "Asker":
        """Writes the entries into a new diary, and calls `on_step` after each; raises EmbedderUnavailable."""
        if services.models.serving is None:
            raise EmbedderUnavailable("Nothing can be measured without the embedding model: see `moltnet doctor`")
        diary = await services.diaries.create(caller, name="AgentEntries")
        ids: dict[EntryId, str] = {}
        waiting = iter(memories.entries)

        async def write() -> None:
            for memory in waiting:
                ids[await _stored(services, caller, diary.id, memory)] = memory.id
                on_step()

        await asyncio.gather(*(write() for _ in range(WRITERS)))
        return cls(services=services, caller=caller, diary=diary.id, ids=ids)

    async def ask(self, question: MemoryQuestion) -> Ranked:
        """The rankings of a question; the network's own is a search with default options."""
        started = time.perf_counter()
        search = Search(diary_id=self.diary, query=question.query, limit=DEPTH)
        answer = await self.services.search.search(self.caller, search)
        seconds = time.perf_counter() - started
        vectors, words = await self._sides(question.query)
        answers = {
            "moltnet": [self.ids[hit.entry.id] for hit in answer.hits],
            "vectors": vectors[:DEPTH],
            "words": words[:DEPTH],
            "rrf": fused([vectors[:FUSED_DEPTH], words[:FUSED_DEPTH]], FUSED_K)[:DEPTH],
        }
        return Ranked(question, answers, seconds)

    async def _sides(self, query: str) -> tuple[list[str], list[str]]:
        """All entries by their vectors alone, and the entries with a word of the query by their words alone."""
        retrieval = self.services.search.retrieval
        question = await retrieval.question(query, Filters())
        async with self.services.search.storage.autocommit() as work:
            found = (await work.candidates.best(question, [self.diary], len(self.ids))).found
        by_vector = [(each.cosine, each) for each in found if each.cosine is not None]
        by_terms = [(each.words, each) for each in found if each.words]
        return self._in_order(by_vector), self._in_order(by_terms)

    def _in_order(self, scored: Sequence[tuple[float, Candidate]]) -> list[str]:
        def sort_key(each: tuple[float, Candidate]) -> tuple[float, UUID]:
            return each[0], each[1].entry_id

        return [self.ids[candidate.entry_id] for _, candidate in sorted(scored, key=sort_key, reverse=True)]


def fused(rankings: Sequence[Sequence[str]], k: int) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): by the sum of 1 / (k + rank), then input order."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, ranked in enumerate(ranking, start=1):
            scores[ranked] = scores.get(ranked, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda ranked: -scores[ranked])


def peak_memory_mb() -> float:
    """The peak memory of this process, in MB (10^6 bytes): with the model, without the database."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


async def _stored(services: Services, caller: Caller, diary: DiaryId, memory: Memory) -> EntryId:
    return (await services.entries.create(caller, diary, memory.new)).id
