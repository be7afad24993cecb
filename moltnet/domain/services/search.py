"""Search and reflection: which diaries to look in, and what of them to tell."""

import attrs

from moltnet.domain.caller import Anonymous, Caller, known
from moltnet.domain.digest import Digest, Reflection, digest
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import Relation
from moltnet.domain.ranking import told_score
from moltnet.domain.search import Filters, Hit, Query, Question, Search, SearchResult, SearchType
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.accesses import Accesses
from moltnet.domain.services.explaining import Explaining
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.clock import Clock
from moltnet.ports.permissions import Permissions
from moltnet.ports.repositories import Page
from moltnet.ports.storage import Storage, UnitOfWork


@attrs.frozen(kw_only=True)
class SearchService:
    """Finds the right memory."""

    storage: Storage
    access: DiaryAccess
    permissions: Permissions
    retrieval: Retrieval
    explaining: Explaining
    accesses: Accesses
    clock: Clock

    @property
    def embedding_model(self) -> str | None:
        """What texts are compared by; None when their words alone are."""
        embedder = self.retrieval.embedder
        return embedder.model if embedder else None

    async def search(self, caller: Caller | Anonymous, search: Search) -> SearchResult:
        """The best entries for a query, or the newest without one; raises DiaryNotFound and Unauthenticated.

        A query that only excludes words ranks nothing either: it answers the newest entries without them.
        """
        query = Query.parse(search.query or "")
        async with self.storage.reading() as work:
            within = await self._scope(work, caller, search)
            if not query.wanted:
                return await self._newest(work, search, query, within)
        question = await self.retrieval.question(search.query or "", search.filters)
        async with self.storage.reading() as work:
            result = await self._ranked(work, search, question, within)
        self.accesses.note(hit.entry.id for hit in result.hits)
        return result

    async def reflect(self, caller: Caller | Anonymous, diary_id: DiaryId, reflection: Reflection) -> Digest:
        """The latest of one diary; raises DiaryNotFound and Unauthenticated."""
        now = self.clock.now()
        filters = Filters(entry_types=reflection.entry_types, since=reflection.since(now))
        async with self.storage.reading() as work:
            await self.access.readable(work, caller, diary_id)
            entries, _ = await work.entries.newest([diary_id], filters, Page(reflection.max_entries))
        return digest(entries, reflection, now)

    async def _newest(self, work: UnitOfWork, search: Search, query: Query, within: list[DiaryId]) -> SearchResult:
        # With a query, an offset is ignored (rest.md §7.1).
        page = Page(search.limit, search.offset if search.query is None else 0)
        words = self.retrieval.lexemes.of_query(query)
        entries, _ = await work.entries.newest(within, search.filters, page, words)
        return _answer([Hit(entry=entry) for entry in entries], SearchType.LIST)

    async def _ranked(
        self, work: UnitOfWork, search: Search, question: Question, within: list[DiaryId]
    ) -> SearchResult:
        ranked = await self.retrieval.best(work, question, within, search.weights, search.limit)
        scores = {each.entry_id: told_score(each.score, search.weights) for each in ranked}
        told = [each for each in ranked if scores[each.entry_id] >= search.min_score]
        entries = await work.entries.find_many([each.entry_id for each in told])
        result = _answer([Hit(entry=each, score=scores[each.id]) for each in entries], _search_type(question))
        result = attrs.evolve(result, confident=self.retrieval.is_confident(ranked, question))
        if not search.explain:
            return result
        by_id = {each.entry_id: each for each in told}
        hits = [(by_id[entry.id], entry) for entry in entries]
        why = await self.explaining.of(work, search.query or "", question, hits)
        return attrs.evolve(
            result,
            hits=tuple(attrs.evolve(hit, explanation=why[hit.entry.id]) for hit in result.hits),
            left_out=await self.explaining.left_out(work, search, question, within, ranked),
        )

    async def _scope(self, work: UnitOfWork, caller: Caller | Anonymous, search: Search) -> list[DiaryId]:
        if search.diary_id is not None:
            return [(await self.access.readable(work, caller, search.diary_id)).id]
        mine = await self.permissions.readable(work, known(caller).agent_id)
        return [diary for diary, relations in mine.items() if search.with_shared or Relation.OWNER in relations]


def _answer(hits: list[Hit], search_type: SearchType) -> SearchResult:
    return SearchResult(hits=tuple(hits), total=len(hits), search_type=search_type)


def _search_type(question: Question) -> SearchType:
    if question.vector is None:
        return SearchType.FULLTEXT
    return SearchType.HYBRID if question.words.wanted else SearchType.SEMANTIC
