"""Search and reflection: which diaries to look in, and what of them to tell."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar

import attrs

from moltnet.domain.caller import Anonymous, Caller, require_caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import readable
from moltnet.domain.digest import Digest, Reflection, digest
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.permissions import Relation
from moltnet.domain.ranking import Question, Ranked, best_possible, score_share
from moltnet.domain.search import Explanation, Filters, Hit, LeftOut, Query, Search, SearchResult, SearchType
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.retrieval import Explaining, Retrieval
from moltnet.domain.services.statistics import ViewCounter
from moltnet.ports.permissions import Asked, Permissions
from moltnet.ports.storage import Replicas, Storage, UnitOfWork
from moltnet.ports.system import Clock, Workers

Snapshot = TypeVar("Snapshot")
ReadReplica: TypeAlias = Callable[[Callable[[UnitOfWork], Awaitable[list[Ranked]]]], Awaitable[list[Ranked] | None]]
Readable: TypeAlias = dict[DiaryId, frozenset[Relation]]


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
    replicas: Replicas | None = None

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
        filters = search.filters(require_caller(caller).agent_id if search.only_mine else None)
        return await self.retrieval.models.retry_on_model_change(lambda: self._search(caller, search, filters))

    async def _search(self, caller: Caller | Anonymous, search: Search, filters: Filters) -> SearchResult:
        query = Query.parse(search.query or "")
        if not query.scored:
            # With a query, an offset is ignored (docs/reference/search.md, "Search").
            page = Page(search.limit, search.offset if search.query is None else 0)
            words = self.retrieval.index_terms.of_query(query)
            entries = await self._read(
                caller,
                search,
                lambda work, within: work.entries.latest(within, filters, page, words),
                is_checked=False,
            )
            return _answer([Hit(entry=each) for each in entries], SearchType.LIST)
        # The cheap refusals come first. The model is asked while nothing is held.
        before = await self._checked(caller, search)
        read = await self._replica(search)
        question = await self.retrieval.question(search.query or "", filters, caller.asker)
        matches = await self._matches_of_replica(caller, search, question, read) if read else None
        if matches is None:
            matches = await self._read(
                caller, search, lambda work, within: self._matches(work, search, question, within), before=before
            )
        result = self._result(search, question, matches)
        self.view_counter.record(hit.entry.id for hit in result.hits)
        return result

    async def reflect(self, caller: Caller | Anonymous, diary_id: DiaryId, reflection: Reflection) -> Digest:
        """The latest of one diary; raises DiaryNotFound and Unauthenticated."""
        now = self.clock.now()
        filters = Filters(entry_types=reflection.entry_types, since=reflection.since(now))
        page = Page(reflection.max_entries)
        entries = await self.access.read_diary(
            caller, diary_id, lambda work: work.entries.latest([diary_id], filters, page)
        )
        return await self.workers.run(
            lambda: digest(entries, reflection, now), sum(len(entry.content) for entry in entries)
        )

    async def _matches(self, work: UnitOfWork, search: Search, question: Question, within: list[DiaryId]) -> "_Matches":
        asked = question, within, search.weights, search.limit
        ranked = await self.retrieval.best(work, *asked, ranks=search.explain)
        found = tuple((each, each.entry) for each in ranked)
        named = await self._named(work, search, question, within)
        if named is not None:
            found = (named, *(each for each in found if each[1].id != named[1].id))[: search.limit]
        if not search.explain:
            hidden = await self.explaining.hidden(work, search, question, within, ranked)
            return _Matches(found=found, left_out=hidden)
        return _Matches(
            found=found,
            why=await self.explaining.of(work, search.query or "", question, found),
            left_out=await self.explaining.left_out(work, search, question, within, ranked),
        )

    async def _replica(self, search: Search) -> ReadReplica | None:
        """How a replica ranks that has all that is stored by now; None where there is none to ask."""
        if self.replicas is None or search.explain or search.looks_twice:
            return None
        replicas, since = self.replicas, await self.replicas.committed()
        return lambda rank: replicas.read(since, rank)

    async def _matches_of_replica(
        self, caller: Caller | Anonymous, search: Search, question: Question, read: ReadReplica
    ) -> "_Matches | None":
        """The same, ranked by a replica; None where none is ready.

        Rights are asked for in the snapshot that the entries are from: what was taken away or removed is not shown.
        """
        within = await self._read(caller, search, _diaries)
        ranked = await read(lambda work: self.retrieval.best(work, question, within, search.weights, search.limit))
        if ranked is None:
            return None

        async def found(work: UnitOfWork, within: list[DiaryId]) -> _Matches:
            entries = {each.id: each for each in await work.entries.find_many([each.entry_id for each in ranked])}
            pairs = [(each, entries[each.entry_id]) for each in ranked if each.entry_id in entries]
            return _Matches(found=tuple(pair for pair in pairs if pair[1].diary_id in set(within)))

        return await self._read(caller, search, found)

    async def _named(
        self, work: UnitOfWork, search: Search, question: Question, within: list[DiaryId]
    ) -> tuple[Ranked, Entry] | None:
        """The entry whose id the query is, as the best that there could be."""
        entry_id = search.named_entry
        for entry in await work.entries.find_many([entry_id]) if entry_id else ():
            if entry.diary_id in within and question.filters.refusal(entry) is None:
                return best_possible(entry, search.weights), entry
        return None

    def _result(self, search: Search, question: Question, matches: "_Matches") -> SearchResult:
        weights = search.weights
        hits = [
            Hit(entry=entry, score=score, explanation=matches.why.get(entry.id))
            for ranked, entry in matches.found
            if (score := score_share(ranked.score, weights)) >= search.min_score
        ]
        return attrs.evolve(
            _answer(hits, _search_type(question)),
            confident=self.retrieval.is_confident([ranked for ranked, _ in matches.found], question),
            left_out=matches.left_out,
        )

    async def _read(
        self,
        caller: Caller | Anonymous,
        search: Search,
        matches: Callable[[UnitOfWork, list[DiaryId]], Awaitable[Snapshot]],
        *,
        is_checked: bool = True,
        before: Readable | None = None,
    ) -> Snapshot:
        """What `matches` sees of the diaries to look in, which the caller may read in the same snapshot.

        Where the right to one diary, or to those of `before`, was checked before, it is asked for beside what `matches`
        asks.
        """
        if search.diary_id is not None:
            within = [search.diary_id]
            read = self.access.read_checked_diary if is_checked else self.access.read_diary
            return await read(caller, search.diary_id, lambda work: matches(work, within))
        agent_id = require_caller(caller).agent_id

        async def ask(work: UnitOfWork) -> Asked[Readable]:
            return await self.permissions.readable(work, agent_id)

        async def query(work: UnitOfWork, related: Readable) -> Snapshot:
            shared = search.with_shared
            return await matches(work, [each for each in related if shared or Relation.OWNER in related[each]])

        if before is not None:
            return await self.access.read_expecting(before, ask, query)

        async def ask_first(work: UnitOfWork) -> tuple[None, Asked[Readable]]:
            return None, await ask(work)

        return await self.access.read_authorized(ask_first, lambda work, _, related: query(work, related))

    async def _checked(self, caller: Caller | Anonymous, search: Search) -> Readable | None:
        """Refuses who may not look there; of several diaries, which those are by now, where the data tell."""
        if search.diary_id is not None:
            await self.access.check_first(caller, search.diary_id, readable)
            return None
        agent_id = require_caller(caller).agent_id
        if self.permissions.live_elsewhere:
            return None
        async with self.storage.autocommit() as work:
            return await (await self.permissions.readable(work, agent_id)).answer()


@attrs.frozen(kw_only=True)
class _Matches:
    """What was found for a query, best first, and why."""

    found: tuple[tuple[Ranked, Entry], ...]
    why: Mapping[EntryId, Explanation] = attrs.field(factory=dict)
    left_out: tuple[LeftOut, ...] = ()


async def _diaries(_: UnitOfWork, within: list[DiaryId]) -> list[DiaryId]:
    return within


def _answer(hits: list[Hit], search_type: SearchType) -> SearchResult:
    return SearchResult(hits=tuple(hits), total=len(hits), search_type=search_type)


def _search_type(question: Question) -> SearchType:
    if question.vector is None:
        return SearchType.FULLTEXT
    return SearchType.HYBRID if question.words.terms else SearchType.SEMANTIC
