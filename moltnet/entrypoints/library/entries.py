"""Entries of diaries, and what is found among them."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

import attrs

from moltnet.domain.constraints import LIST_DEFAULT
from moltnet.domain.digest import DAYS_DEFAULT, ENTRIES_DEFAULT
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Entry, EntryNotFound, EntryType, Kept, NewEntry
from moltnet.domain.errors import Conflict, NotFound
from moltnet.domain.ids import ANY_VERSION, DiaryId, EntryId, Expected
from moltnet.domain.records import Head
from moltnet.domain.search import RESULTS_DEFAULT, Search, SearchResult
from moltnet.domain.views import Reflected
from moltnet.entrypoints.library.heads import HeadMemory
from moltnet.entrypoints.library.records import Records
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries, entries, search
from moltnet.entrypoints.operations.entries import CreateEntry, FindEntry, ListOfDiary, OneEntry, UpdateEntry
from moltnet.entrypoints.operations.operation import ListPage
from moltnet.entrypoints.operations.search import ReflectDiary

# How far back entries of shared diaries are looked through, a page at a time: REST names no diary but one's own.
_PAGE, _PAGES = 100, 20


@attrs.frozen
class Entries:
    """Entries of diaries."""

    _transport: Transport
    _records: Records
    _memory: HeadMemory

    async def create(  # noqa: PLR0913  # an entry has as many members
        self,
        diary_id: DiaryId,
        *,
        content: str,
        title: str | None = None,
        tags: Collection[str] | None = None,
        importance: int = IMPORTANCE_DEFAULT,
        entry_type: EntryType = EntryType.SEMANTIC,
        occurred_at: datetime | None = None,
        key: str | None = None,
    ) -> Entry:
        """Stores an entry, findable once this returns.

        `occurred_at` is when what it tells happened, if not now: a time with its zone, here and wherever one is given.
        """
        new = NewEntry(
            content=content,
            title=title,
            tags=None if tags is None else tuple(tags),
            importance=importance,
            entry_type=entry_type,
            occurred_at=occurred_at,
        )
        return (await self.keep(diary_id, new, key=key)).entry

    async def keep(self, diary_id: DiaryId, new: NewEntry, *, key: str | None = None) -> Kept:
        """Stores an entry as `create` does, and says what it resembles.

        With `if_duplicate` RETURN, what is there already, word for word, is not stored again but answered.
        """
        asked = CreateEntry(diary_id=diary_id, **attrs.asdict(new, recurse=False))
        try:
            if not self._records.is_known(diary_id):
                return await self._transport.call(entries.CREATE, asked, key=key)
        except Conflict:
            if not await self._records.is_signed(diary_id):
                raise
        return Kept(entry=await self._signed(diary_id, new))

    async def list(
        self,
        diary_id: DiaryId,
        *,
        limit: int = LIST_DEFAULT,
        offset: int = 0,
        tags: Collection[str] = (),
        entry_type: EntryType | None = None,
    ) -> tuple[list[Entry], int]:
        """A page of a diary, newest first, and how many entries match; raises ChainRolledBack as `get`."""
        asked = ListOfDiary(diary_id=diary_id, limit=limit, offset=offset, tags=tuple(tags), entry_type=entry_type)
        known = await self._memory.all()
        found, total = await self._transport.call(entries.LIST, asked)
        await self._accept(known, found)
        return found, total

    async def get(self, diary_id: DiaryId, entry_id: EntryId) -> Entry:
        """One entry; raises ChainRolledBack for one of a signed diary that had later records, or others, before."""
        known = await self._memory.all()
        entry = await self._transport.call(entries.GET, OneEntry(diary_id=diary_id, entry_id=entry_id))
        await self._accept(known, [entry])
        return entry

    async def find(self, entry_id: EntryId) -> Entry | None:
        """The entry of an id in whichever of the agent's own diaries and of those shared with it; None if in none.

        Over HTTP, which has no such question, every diary is asked: among the shared ones those of the newest entries.
        """
        if self._transport.offers(entries.FIND):
            with suppress(NotFound):
                return await self._transport.call(entries.FIND, FindEntry(entry_id=entry_id))
            return None
        own = [diary.id for diary in await self._transport.call(diaries.LIST, ListPage())]
        return await self._in_any(own, entry_id) or await self._in_shared(set(own), entry_id)

    async def update(  # noqa: PLR0913  # an entry has as many members
        self,
        diary_id: DiaryId,
        entry_id: EntryId,
        *,
        title: str | None = None,
        content: str | None = None,
        tags: Collection[str] | None = None,
        importance: int | None = None,
        entry_type: EntryType | None = None,
        superseded_by: EntryId | None = None,
        occurred_at: datetime | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Entry:
        """The entry after the edit; what is left out stays. In a signed diary a new one replaces it."""
        edit = UpdateEntry(
            diary_id=diary_id,
            entry_id=entry_id,
            title=title,
            content=content,
            tags=None if tags is None else tuple(tags),
            importance=importance,
            entry_type=entry_type,
            superseded_by=superseded_by,
            occurred_at=occurred_at,
        )
        try:
            return await self._transport.call(entries.UPDATE, edit, expected=expected)
        except Conflict:
            if not await self._records.is_signed(diary_id):
                raise
        former = await self.get(diary_id, entry_id)
        return await self._signed(diary_id, _replacing(former, edit), supersedes=entry_id)

    async def delete(self, diary_id: DiaryId, entry_id: EntryId, *, expected: Expected = ANY_VERSION) -> None:
        """Removes an entry; of a signed diary, by a signed record."""
        try:
            asked = OneEntry(diary_id=diary_id, entry_id=entry_id)
            await self._transport.call(entries.DELETE, asked, expected=expected)
        except Conflict:
            if not await self._records.is_signed(diary_id):
                raise
            await self._records.remove(diary_id, entry_id)

    async def search(  # noqa: PLR0913  # a search has as many members
        self,
        query: str | None = None,
        *,
        diary_id: DiaryId | None = None,
        tags: Collection[str] = (),
        entry_types: Collection[EntryType] = (),
        exclude_superseded: bool = False,
        include_shared: bool | None = None,
        limit: int = RESULTS_DEFAULT,
        offset: int = 0,
        w_relevance: float = 1.0,
        w_recency: float = 0.0,
        w_importance: float = 0.0,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        occurred_after: datetime | None = None,
        occurred_before: datetime | None = None,
        min_score: float = 0.0,
        explain: bool = False,
        only_mine: bool = False,
    ) -> SearchResult:
        """The best entries for a query, or the newest without one; no diary means the agent's own (ADR-6).

        With `explain` each hit says why, and the answer what was left out; `min_score` is 0 to 1. With `only_mine`, it
        is only what the agent wrote itself and nobody else changed.
        """
        asked = Search(
            diary_id=diary_id,
            query=query,
            tags=tuple(tags),
            entry_types=frozenset(entry_types),
            exclude_superseded=exclude_superseded,
            include_shared=include_shared,
            limit=limit,
            offset=offset,
            w_relevance=w_relevance,
            w_recency=w_recency,
            w_importance=w_importance,
            created_after=created_after,
            created_before=created_before,
            occurred_after=occurred_after,
            occurred_before=occurred_before,
            min_score=min_score,
            explain=explain,
            only_mine=only_mine,
        )
        known = await self._memory.all()
        result = await self._transport.call(search.SEARCH, asked)
        await self._accept(known, [hit.entry for hit in result.hits])
        return result

    async def reflect(
        self,
        diary_id: DiaryId,
        *,
        days: int = DAYS_DEFAULT,
        max_entries: int = ENTRIES_DEFAULT,
        entry_types: Collection[EntryType] = (),
        max_tokens: int | None = None,
    ) -> Reflected:
        """The latest of one diary, newest first, without what was superseded.

        With `max_tokens`, as much as about so many tokens hold, by type, the most important first.
        """
        asked = ReflectDiary(
            diary_id=diary_id,
            days=days,
            max_entries=max_entries,
            entry_types=frozenset(entry_types),
            max_tokens=max_tokens,
        )
        known = await self._memory.all()
        reflected = await self._transport.call(search.REFLECT, asked)
        if reflected.entries:
            await self._memory.accept_all(known, [(diary_id, reflected.chain)])
        return reflected

    async def _accept(self, known: Mapping[DiaryId, Head], found: Iterable[Entry]) -> None:
        await self._memory.accept_all(known, ((entry.diary_id, entry.chain) for entry in found))

    async def _signed(self, diary_id: DiaryId, new: NewEntry, *, supersedes: EntryId | None = None) -> Entry:
        appended = await self._records.write(diary_id, new, supersedes=supersedes)
        if appended.entry is None:
            raise EntryNotFound  # it was removed as soon as it was written
        return appended.entry

    async def _in_any(self, among: Collection[DiaryId], entry_id: EntryId) -> Entry | None:
        for diary in among:
            with suppress(NotFound):
                return await self.get(diary, entry_id)
        return None

    async def _in_shared(self, asked: set[DiaryId], entry_id: EntryId) -> Entry | None:
        for page in range(_PAGES):
            found = await self.search(include_shared=True, limit=_PAGE, offset=page * _PAGE)
            fresh = {hit.entry.diary_id for hit in found.hits} - asked
            entry = await self._in_any(sorted(fresh), entry_id)
            if entry is not None or len(found.hits) < _PAGE:
                return entry
            asked |= fresh
        return None


def _replacing(former: Entry, edit: UpdateEntry) -> NewEntry:
    names = {field.name for field in attrs.fields(NewEntry)} - {"if_duplicate"}
    edited = {name: value for name in names if (value := getattr(edit, name)) is not None}
    return NewEntry(**{name: getattr(former, name) for name in names} | edited)
