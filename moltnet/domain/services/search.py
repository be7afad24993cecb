"""Search and reflection: which diaries to look in, and what of them to tell."""

import attrs

from moltnet.domain.caller import Anonymous, Caller, known
from moltnet.domain.digest import Digest, Reflection, digest
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import Relation
from moltnet.domain.search import Filters, Hit, Question, Search, SearchResult, SearchType
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.accesses import Accesses
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
    accesses: Accesses
    clock: Clock

    @property
    def embedding_model(self) -> str | None:
        """What texts are compared by; None when their words alone are."""
        embedder = self.retrieval.models.serving
        return embedder.model if embedder else None

    async def search(self, caller: Caller | Anonymous, search: Search) -> SearchResult:
        """The best entries for a query, or the newest without one; raises DiaryNotFound and Unauthenticated."""
        return await self.retrieval.models.steadily(lambda: self._search(caller, search))

    async def _search(self, caller: Caller | Anonymous, search: Search) -> SearchResult:
        async with self.storage.reading() as work:
            within = await self._scope(work, caller, search)
            if search.query is None:
                page = Page(search.limit, search.offset)
                entries, _ = await work.entries.newest(within, search.filters, page)
                entries = await self._still_readable(work, caller, search, entries)
                return _answer([Hit(entry=entry) for entry in entries], SearchType.LIST)
        question = await self.retrieval.question(search.query, search.filters)
        async with self.storage.reading() as work:
            ranked = await self.retrieval.best(work, question, within, search.weights, search.limit)
            entries = await work.entries.find_many([each.entry_id for each in ranked])
            entries = await self._still_readable(work, caller, search, entries)
        scores = {each.entry_id: each.score for each in ranked}
        hits = [Hit(entry=entry, score=scores[entry.id]) for entry in entries]
        self.accesses.note(hit.entry.id for hit in hits)
        return _answer(hits, _search_type(question))

    async def reflect(self, caller: Caller | Anonymous, diary_id: DiaryId, reflection: Reflection) -> Digest:
        """The latest of one diary; raises DiaryNotFound and Unauthenticated."""
        now = self.clock.now()
        filters = Filters(entry_types=reflection.entry_types, since=reflection.since(now))
        async with self.storage.reading() as work:
            page = Page(reflection.max_entries)
            entries, _ = await self.access.looking(
                work, caller, diary_id, lambda: work.entries.newest([diary_id], filters, page)
            )
        return digest(entries, reflection, now)

    async def _scope(self, work: UnitOfWork, caller: Caller | Anonymous, search: Search) -> list[DiaryId]:
        if search.diary_id is not None:
            return [(await self.access.readable(work, caller, search.diary_id)).id]
        mine = await self.permissions.readable(work, known(caller).agent_id)
        return [diary for diary, relations in mine.items() if search.with_shared or Relation.OWNER in relations]

    async def _still_readable(
        self, work: UnitOfWork, caller: Caller | Anonymous, search: Search, entries: list[Entry]
    ) -> list[Entry]:
        # As in `access.looking`: an entry may have been written after its diary was closed to the caller.
        within = frozenset(await self._scope(work, caller, search))
        return [entry for entry in entries if entry.diary_id in within]


def _answer(hits: list[Hit], search_type: SearchType) -> SearchResult:
    return SearchResult(hits=tuple(hits), total=len(hits), search_type=search_type)


def _search_type(question: Question) -> SearchType:
    if question.vector is None:
        return SearchType.FULLTEXT
    return SearchType.HYBRID if question.words.wanted else SearchType.SEMANTIC
