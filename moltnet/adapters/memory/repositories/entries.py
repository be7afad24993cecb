"""Entries and the public feed in memory."""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice

import attrs

from moltnet.adapters.memory.repositories.references import (
    diary_with_head,
    public_entry,
    referenced_author,
    referenced_diary,
    require_serving,
    with_head,
)
from moltnet.adapters.memory.statements import Repository, in_turns
from moltnet.adapters.memory.tables import StoredIndex, Tables
from moltnet.domain.caller import Usage
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.digest import Listing
from moltnet.domain.entries import Entry, UnknownSuccessor
from moltnet.domain.feed import Cursor, Figures, Position, PublicEntry, Stretch
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex, Term
from moltnet.domain.permissions import Relation
from moltnet.domain.records import EntryIdUsed
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery


class MemoryEntries(Repository):
    """Entries and what they are found by."""

    async def add(self, entry: Entry, index: EntryIndex) -> None:
        async with self._statements.change() as tables:
            diary = referenced_diary(tables, entry.diary_id)
            author = referenced_author(tables, entry.writer)
            require_serving(tables, index.model)
            _check_successor(tables, entry)
            if tables.entries.get(entry.id) is not None:
                raise EntryIdUsed
            tables.entries.add(entry.id, attrs.evolve(entry, author=author))
            tables.indexes.add(entry.id, StoredIndex.of(entry, index))
            if diary.visibility is Visibility.PUBLIC:
                _append_to_feed(tables, entry)

    async def find(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        tables = await self._statements.read()
        return with_head(tables, _find(tables, diary_id, entry_id))

    async def find_with_relations(
        self, diary_id: DiaryId, entry_id: EntryId, agent_id: AgentId | None
    ) -> tuple[Entry | None, Diary | None, frozenset[Relation]]:
        """The same, the diary, and what an agent is to it."""
        tables = await self._statements.read()
        relations = tables.relations.sharing("diary", diary_id)
        found = frozenset(each.relation for each in relations if each.agent_id == agent_id)
        entry, diary = _find(tables, diary_id, entry_id), tables.diaries.get(diary_id)
        return with_head(tables, entry), diary and diary_with_head(tables, diary), found

    async def usage_of(self, author: AgentId) -> Usage:
        """How much an agent has stored; one transaction is open at a time."""
        own = (await self._statements.read()).entries.sharing("author", author).values()
        return Usage(entries=len(own), bytes=sum(len(entry.content.encode()) for entry in own))

    async def hold(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        """The same; one transaction is open at a time."""
        return await self.find(diary_id, entry_id)

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[Entry]:
        tables = await self._statements.read()
        return [entry for entry_id in entry_ids if (entry := with_head(tables, tables.entries.get(entry_id)))]

    async def first_like(self, entry: Entry) -> Entry | None:
        """The first entry of the same diary that says the same; one transaction is open at a time."""
        tables = await self._statements.read()
        like = [each for each in tables.entries.sharing("diary", entry.diary_id).values() if each.fold == entry.fold]
        return min(like, key=Cursor.after, default=None)

    async def newest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> tuple[list[Entry], int]:
        tables = await self._statements.read()
        rows = [(entry, tables.indexes.get(entry.id) or EntryIndex()) for entry in _entries_of(tables, set(within))]
        matching: list[Entry] = []
        async for some in in_turns(rows):
            matching += [
                entry for entry, index in some if not (filters.refusal(entry) or words.refusal(index.index_terms))
            ]
        shown = _newest(matching, page.offset + page.limit)[page.offset :]
        return [with_head(tables, entry) for entry in shown], len(matching)

    async def browse(self, diary_id: DiaryId, listing: Listing, page: Page) -> tuple[list[Entry], int]:
        tables = await self._statements.read()
        own = tables.entries.sharing("diary", diary_id).values()
        shown = sorted(
            (entry for entry in own if listing.admits(entry)),
            key=lambda entry: (*listing.order.rank(entry), entry.id),
            reverse=True,
        )
        return [with_head(tables, entry) for entry in shown[page.offset : page.offset + page.limit]], len(shown)

    async def latest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> list[Entry]:
        """The same page."""
        return (await self.newest(within, filters, page, words))[0]

    async def replace(self, entry: Entry, index: EntryIndex | None, unless_changed_since: datetime) -> bool:
        async with self._statements.change() as tables:
            stored = _find(tables, entry.diary_id, entry.id)
            if stored is None or stored.updated_at != unless_changed_since:
                return False
            _check_successor(tables, entry)
            tables.entries.put(entry.id, _edited(tables, stored, entry))
            if index is not None:
                require_serving(tables, index.model)
                tables.indexes.put(entry.id, StoredIndex.of(entry, index))
            return True

    async def outdated(self, analysis: int, limit: int) -> Sequence[Entry]:
        tables = await self._statements.read()
        indexes = (index for index in tables.indexes.rows().values() if index.analysis < analysis)
        entries = (tables.entries.get(index.entry_id) for index in indexes)
        return list(islice(filter(None, entries), limit))

    async def reindex(self, entry: Entry, index_terms: Mapping[Term, Sequence[int]], analysis: int) -> bool:
        async with self._statements.change() as tables:
            stored, index = _find(tables, entry.diary_id, entry.id), tables.indexes.get(entry.id)
            if stored is None or index is None or stored.updated_at != entry.updated_at:
                return False
            tables.indexes.put(
                entry.id, StoredIndex.of(entry, attrs.evolve(index, index_terms=index_terms, analysis=analysis))
            )
            return True

    async def remove(self, diary_id: DiaryId, entry_id: EntryId, unless_changed_since: datetime | None = None) -> bool:
        async with self._statements.change() as tables:
            stored = _find(tables, diary_id, entry_id)
            if stored is None or unless_changed_since not in {None, stored.updated_at}:
                return False
            forget_entry(tables, entry_id)
            return True

    async def record_views(self, times: Mapping[EntryId, int], at: datetime) -> None:
        async with self._statements.change() as tables:
            for entry_id, count in times.items():
                entry = tables.entries.get(entry_id)
                if entry:
                    tables.entries.put(entry_id, _viewed(entry, count, at))

    async def public_page(
        self, after: Cursor | None, tag: str | None, limit: int, *, flagged: bool
    ) -> list[PublicEntry]:
        tables = await self._statements.read()
        shown: list[Entry] = []
        async for some in in_turns([*_entries_of(tables, tables.diaries.sharing("visibility", Visibility.PUBLIC))]):
            shown += [
                entry
                for entry in some
                if (after is None or Cursor.after(entry) < after)
                and (tag is None or tag in (entry.tags or ()))
                and (flagged or not entry.injection_risk)
            ]
        return [item for entry in _newest(shown, limit) if (item := public_entry(tables, entry.id))]

    async def public_entry(self, entry_id: EntryId) -> PublicEntry | None:
        return public_entry(await self._statements.read(), entry_id)


def forget_entry(tables: Tables, entry_id: EntryId) -> None:
    """Removes an entry from everywhere."""
    for earlier_id, earlier in list(tables.entries.sharing("successor", entry_id).items()):
        tables.entries.put(earlier_id, attrs.evolve(earlier, superseded_by=None))
    tables.entries.drop(entry_id)
    tables.indexes.drop(entry_id)
    tables.imports.drop_sharing("entry", entry_id)
    tables.feed.drop_sharing("entry", entry_id)


def _find(tables: Tables, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
    entry = tables.entries.get(entry_id)
    return entry if entry and entry.diary_id == diary_id else None


def _check_successor(tables: Tables, entry: Entry) -> None:
    successor = entry.superseded_by
    if successor and (successor == entry.id or _find(tables, entry.diary_id, successor) is None):
        raise UnknownSuccessor


def _append_to_feed(tables: Tables, entry: Entry) -> None:
    # One transaction is open at a time, so that this is the order of the commits too.
    position = Position((tables.counters.get("feed") or 0) + 1)
    tables.counters.put("feed", position)
    tables.feed.add(position, Cursor.after(entry))


def _viewed(entry: Entry, times: int, at: datetime) -> Entry:
    latest = max(at, entry.last_accessed_at or at)
    return attrs.evolve(entry, access_count=entry.access_count + times, last_accessed_at=latest)


def _edited(tables: Tables, stored: Entry, entry: Entry) -> Entry:
    # Accesses may have been counted since the edit was prepared, and the edit knows nothing of them.
    return attrs.evolve(
        entry,
        author=attrs.evolve(stored.writer, assumed=entry.writer.assumed),
        edited_by=entry.edited_by and referenced_author(tables, entry.edited_by),
        access_count=stored.access_count,
        last_accessed_at=stored.last_accessed_at,
        created_at=stored.created_at,
    )


def _entries_of(tables: Tables, within: Iterable[DiaryId]) -> Iterable[Entry]:
    return (entry for diary_id in within for entry in tables.entries.sharing("diary", diary_id).values())


def _newest(entries: Iterable[Entry], count: int) -> list[Entry]:
    return heapq.nlargest(count, entries, key=lambda entry: (entry.created_at, entry.id))


LOOKED_AT_TO_RESUME = 100


class MemoryFeed(Repository):
    """Entries of public diaries; positions are given by `MemoryEntries.add`."""

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[PublicEntry]:
        tables = await self._statements.read()
        return [item for entry_id in entry_ids if (item := public_entry(tables, entry_id))]

    async def figures(self) -> Figures:
        tables = await self._statements.read()
        public = tables.diaries.sharing("visibility", Visibility.PUBLIC)
        return Figures(
            agents=len(tables.agents.rows()),
            vouches=sum(voucher.redeemed_by is not None for voucher in tables.vouchers.rows().values()),
            public_entries=sum(len(tables.entries.sharing("diary", diary_id)) for diary_id in public),
        )

    async def diaries_of(self, owner: AgentId, limit: int) -> list[Diary]:
        tables = await self._statements.read()
        owned = tables.diaries.sharing("owner", owner).values()
        public = (diary for diary in owned if diary.visibility is Visibility.PUBLIC)
        return heapq.nlargest(limit, public, key=lambda diary: (diary.created_at, diary.id))

    async def superseded_by(self, entry_id: EntryId, limit: int) -> list[PublicEntry]:
        tables = await self._statements.read()
        known = (public_entry(tables, each) for each in tables.entries.sharing("successor", entry_id))
        return heapq.nlargest(limit, filter(None, known), key=lambda item: (item.entry.created_at, item.entry.id))

    async def end(self) -> Position:
        return _end(await self._statements.read())

    async def resume(self, after: Cursor) -> Position:
        tables = await self._statements.read()
        sharing_keys = tables.feed.sharing("entry", after.entry_id)
        if sharing_keys:
            return next(iter(sharing_keys))
        later = [(cursor, position) for position, cursor in tables.feed.rows().items() if cursor > after]
        next_by_date = heapq.nsmallest(LOOKED_AT_TO_RESUME, later)
        return min((Position(position - 1) for _, position in next_by_date), default=_end(tables))

    async def between(self, after: Position, until: Position, limit: int) -> Stretch:
        tables = await self._statements.read()
        numbers = map(Position, range(after + 1, until + 1))
        placed = ((position, cursor) for position in numbers if (cursor := tables.feed.get(position)))
        looked_at = list(islice(placed, limit))
        items = (public_entry(tables, cursor.entry_id) for _, cursor in looked_at)
        end = looked_at[-1][0] if len(looked_at) == limit else until
        return Stretch(items=tuple(filter(None, items)), end=end)


def _end(tables: Tables) -> Position:
    return max(tables.feed.rows(), default=Position(0))
