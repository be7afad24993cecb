"""Entries of a network in this process, and what is found among them."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

import attrs

from moltnet.domain.digest import DAYS_DEFAULT, ENTRIES_DEFAULT, Reflection
from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Entry, EntryEdit, EntryType, Kept, NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.operations import Operation
from moltnet.domain.paging import LIST_DEFAULT, check_page
from moltnet.domain.search import RESULTS_DEFAULT, Filters, Search, SearchResult, Weights
from moltnet.domain.text import check_texts
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.domain.views import Reflected
from moltnet.entrypoints.library.caller_context import CallerContext, IdempotentCall
from moltnet.entrypoints.library.coerce import coerce_datetime, id_of, one_of
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalEntries:
    """The port `AgentEntries` over the use cases."""

    _context: CallerContext

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
        operation = Operation.CREATE_ENTRY
        caller = self._context.require_caller(operation)
        check_texts(new.content, new.title, *(new.tags or ()))
        checked = attrs.evolve(
            new,
            tags=None if new.tags is None else tuple(new.tags),
            entry_type=one_of(EntryType, new.entry_type),
            occurred_at=coerce_datetime(new.occurred_at),
            if_duplicate=one_of(IfDuplicate, new.if_duplicate),
        )
        idempotent = IdempotentCall(context=self._context, operation=operation, key=key, asked=(diary_id, checked))
        return await idempotent.once(
            Kept, partial(self._context.services.entries.keep, caller, id_of(diary_id), checked)
        )

    async def list(
        self,
        diary_id: DiaryId,
        *,
        limit: int = LIST_DEFAULT,
        offset: int = 0,
        tags: Collection[str] = (),
        entry_type: EntryType | None = None,
    ) -> tuple[list[Entry], int]:
        caller = self._context.optional_caller(Operation.LIST_ENTRIES)
        check_page(limit, offset)
        check_texts(*tags)
        types = _types(() if entry_type is None else (entry_type,))
        filters = Filters(tags=tuple(tags), entry_types=types)
        return await self._context.services.entries.list(caller, id_of(diary_id), filters, Page(limit, offset))

    async def find(self, entry_id: EntryId) -> Entry | None:
        return await self._context.services.entries.find(
            self._context.require_caller(Operation.GET_ENTRY), id_of(entry_id)
        )

    async def get(self, diary_id: DiaryId, entry_id: EntryId) -> Entry:
        return await self._context.services.entries.get(
            self._context.optional_caller(Operation.GET_ENTRY), id_of(diary_id), id_of(entry_id)
        )

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
        caller = self._context.require_caller(Operation.UPDATE_ENTRY)
        check_texts(content, title, *(tags or ()))
        edit = EntryEdit(
            title=title,
            content=content,
            tags=None if tags is None else tuple(tags),
            importance=importance,
            entry_type=entry_type and one_of(EntryType, entry_type),
            superseded_by=superseded_by and id_of(superseded_by),
            occurred_at=coerce_datetime(occurred_at),
        )
        return await self._context.services.entries.update(caller, id_of(diary_id), id_of(entry_id), edit, expected)

    async def delete(self, diary_id: DiaryId, entry_id: EntryId, *, expected: Expected = ANY_VERSION) -> None:
        caller = self._context.require_caller(Operation.DELETE_ENTRY)
        await self._context.services.entries.delete(caller, id_of(diary_id), id_of(entry_id), expected)

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
        caller = self._context.optional_caller(Operation.SEARCH)
        check_texts(query, *tags)
        search = Search(
            diary_id=diary_id and id_of(diary_id),
            query=query,
            filters=Filters(
                tags=tuple(tags),
                entry_types=_types(entry_types),
                exclude_superseded=exclude_superseded,
                since=coerce_datetime(created_after),
                until=coerce_datetime(created_before),
                happened_since=coerce_datetime(occurred_after),
                happened_until=coerce_datetime(occurred_before),
            ),
            weights=Weights(relevance=w_relevance, recency=w_recency, importance=w_importance),
            include_shared=include_shared,
            limit=limit,
            offset=offset,
            min_score=min_score,
            explain=explain,
            only_mine=only_mine,
        )
        return await self._context.services.search.search(caller, search)

    async def reflect(
        self,
        diary_id: DiaryId,
        *,
        days: int = DAYS_DEFAULT,
        max_entries: int = ENTRIES_DEFAULT,
        entry_types: Collection[EntryType] = (),
        max_tokens: int | None = None,
    ) -> Reflected:
        caller = self._context.optional_caller(Operation.REFLECT)
        reflection = Reflection(
            days=days, max_entries=max_entries, entry_types=_types(entry_types), max_tokens=max_tokens
        )
        return Reflected.of(await self._context.services.search.reflect(caller, id_of(diary_id), reflection))


def _types(checked: Collection[EntryType]) -> frozenset[EntryType]:
    return frozenset(one_of(EntryType, each) for each in checked)
