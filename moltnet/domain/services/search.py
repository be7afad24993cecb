"""Search and reflection: which diaries to look in, and what of them to tell."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs

from moltnet.domain.caller import Anonymous, Caller, require_caller
from moltnet.domain.digest import Digest, Reflection, digest
from moltnet.domain.entries import Entry
from moltnet.domain.explanations import Explanation, LeftOut
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.permissions import Relation
from moltnet.domain.ranking import Ranked, score_share
from moltnet.domain.search import Filters, Hit, Query, Question, Search, SearchResult, SearchType
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.explaining import Explaining
from moltnet.domain.services.retrieval import Retrieval
from moltnet.domain.services.view_counter import ViewCounter
from moltnet.ports.clock import Clock
from moltnet.ports.permissions import Permissions
from moltnet.ports.repositories import Page
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.workers import Workers

Scope: TypeAlias = Callable[[], Awaitable[list[DiaryId]]]


@attrs.frozen(kw_only=True)
class SearchService:
    """Finds the right memory."""

    storage: Storage
    access: DiaryAccess
    permissions: Permissions
    retrieval: Retrieval
    explaining: Explaining
    view_counter: ViewCounter
    clock: Clock
    workers: Workers

    @property
    def embedding_model(self) -> str | None:
        """What texts are compared by; None when their words alone are."""
        embedder = self.retrieval.models.serving
        return embedder.model if embedder else None

    async def search(self, caller: Caller | Anonymous, search: Search) -> SearchResult:
        """The best entries for a query, or the newest without one; raises DiaryNotFound and Unauthenticated.

        A query that only excludes words ranks nothing either: it answers the newest entries without them. What an
        explanation costs is counted with an agent, so it is not for anonymous callers.
        """
        if search.explain:
            require_caller(caller)
        asked = _of_author(search, require_caller(caller)) if search.only_mine else search
        return await self.retrieval.models.retry_on_model_change(lambda: self._search(caller, asked))

    async def _search(self, caller: Caller | Anonymous, search: Search) -> SearchResult:
        query = Query.parse(search.query or "")
        async with self.storage.autocommit() as work:
            scope = await self._scope(work, caller, search)
        within = await scope()
        if not query.scored:
            async with self.storage.autocommit() as work:
                entries = await self._newest(work, search, query, within)
                scope = await self._scope(work, caller, search)
            readable = frozenset(await scope())
            return _answer([Hit(entry=each) for each in entries if each.diary_id in readable], SearchType.LIST)
        question = await self.retrieval.question(search.query or "", search.filters, caller.asker)
        async with self.storage.autocommit() as work:
            matches = await self._read_matches(work, search, question, within)
            scope = await self._scope(work, caller, search)
        result = self._result(search, question, matches.within(frozenset(await scope())))
        self.view_counter.record(hit.entry.id for hit in result.hits)
        return result

    async def reflect(self, caller: Caller | Anonymous, diary_id: DiaryId, reflection: Reflection) -> Digest:
        """The latest of one diary; raises DiaryNotFound and Unauthenticated."""
        now = self.clock.now()
        filters = Filters(entry_types=reflection.entry_types, since=reflection.since(now))
        page = Page(reflection.max_entries)
        entries, _ = await self.access.read_authorized(
            caller, diary_id, lambda work: work.entries.newest([diary_id], filters, page)
        )
        return await self.workers.run(
            lambda: digest(entries, reflection, now), sum(len(entry.content) for entry in entries)
        )

    async def _newest(self, work: UnitOfWork, search: Search, query: Query, within: list[DiaryId]) -> list[Entry]:
        # With a query, an offset is ignored (docs/reference/search.md, "Search").
        page = Page(search.limit, search.offset if search.query is None else 0)
        words = self.retrieval.index_terms.of_query(query)
        entries, _ = await work.entries.newest(within, search.filters, page, words)
        return entries

    async def _read_matches(
        self, work: UnitOfWork, search: Search, question: Question, within: list[DiaryId]
    ) -> "_Matches":
        ranked = await self.retrieval.best(work, question, within, search.weights, search.limit)
        entries = {each.id: each for each in await work.entries.find_many([each.entry_id for each in ranked])}
        found = tuple((each, entries[each.entry_id]) for each in ranked if each.entry_id in entries)
        if not search.explain:
            return _Matches(found=found)
        return _Matches(
            found=found,
            why=await self.explaining.of(work, search.query or "", question, found),
            left_out=await self.explaining.left_out(work, search, question, within, ranked),
        )

    def _result(self, search: Search, question: Question, matches: "_Matches") -> SearchResult:
        hits = [
            Hit(entry=entry, score=score, explanation=matches.why.get(entry.id))
            for ranked, entry in matches.found
            if (score := score_share(ranked.score, search.weights)) >= search.min_score
        ]
        return attrs.evolve(
            _answer(hits, _search_type(question)),
            confident=self.retrieval.is_confident([ranked for ranked, _ in matches.found], question),
            left_out=matches.left_out,
        )

    async def _scope(self, work: UnitOfWork, caller: Caller | Anonymous, search: Search) -> Scope:
        """Where to look, as far as this unit of work knows: called once it is closed, since others may be asked."""
        if search.diary_id is not None:
            check = await self.access.check(work, caller, search.diary_id)

            async def one() -> list[DiaryId]:
                return [(await check.readable()).id]

            return one
        asked = await self.permissions.readable(work, require_caller(caller).agent_id)

        async def own_diaries() -> list[DiaryId]:
            mine = await asked.answer()
            return [diary for diary, relations in mine.items() if search.with_shared or Relation.OWNER in relations]

        return own_diaries


@attrs.frozen(kw_only=True)
class _Matches:
    """What was seen for a query, best first: all of it comes from looks that a check of rights follows."""

    found: tuple[tuple[Ranked, Entry], ...]
    why: Mapping[EntryId, Explanation] = attrs.field(factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    def within(self, readable: frozenset[DiaryId]) -> "_Matches":
        """What of it may be told to one who may still read these diaries.

        As in `access.read_authorized`: an entry may have been written after its diary was closed to the caller.
        """
        return attrs.evolve(
            self,
            found=tuple(each for each in self.found if each[1].diary_id in readable),
            left_out=tuple(each for each in self.left_out if each.diary_id in readable),
        )


def _of_author(search: Search, caller: Caller) -> Search:
    return attrs.evolve(search, filters=attrs.evolve(search.filters, written_by=caller.agent_id))


def _answer(hits: list[Hit], search_type: SearchType) -> SearchResult:
    return SearchResult(hits=tuple(hits), total=len(hits), search_type=search_type)


def _search_type(question: Question) -> SearchType:
    if question.vector is None:
        return SearchType.FULLTEXT
    return SearchType.HYBRID if question.words.scored else SearchType.SEMANTIC
