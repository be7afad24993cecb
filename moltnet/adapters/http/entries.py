"""Entries over REST, and what is found among them."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

import attrs

from moltnet.adapters.http.calls import changing, creating, get, members, path_of, with_query
from moltnet.adapters.http.decoding import read, read_edited, read_list, read_page
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.diaries import Diary
from moltnet.domain.digest import DAYS_DEFAULT, ENTRIES_DEFAULT
from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Entry, EntryType, Kept, NewEntry
from moltnet.domain.errors import NotFound
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.paging import LIST_DEFAULT
from moltnet.domain.search import RESULTS_DEFAULT, SearchResult
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.domain.views import Reflected
from moltnet.ports.remote import Call

# How far back entries of shared diaries are looked through, a page at a time: REST names no diary but one's own.
_PAGE, _PAGES = 100, 20


@attrs.frozen
class HttpEntries:
    """The port `AgentEntries`."""

    _client: RestClient

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
        body = members(
            content=new.content,
            title=new.title,
            tags=_as_tuple(new.tags),
            importance=new.importance,
            entry_type=new.entry_type,
            occurred_at=new.occurred_at,
            if_duplicate=None if new.if_duplicate is IfDuplicate.STORE else new.if_duplicate,
        )
        reply = await self._client.ask(creating(_entries(diary_id), body, key))
        return attrs.evolve(read(reply, Kept), entry=read_edited(reply, Entry))

    async def list(
        self,
        diary_id: DiaryId,
        *,
        limit: int = LIST_DEFAULT,
        offset: int = 0,
        tags: Collection[str] = (),
        entry_type: EntryType | None = None,
    ) -> tuple[list[Entry], int]:
        # Other networks of this interface know `tags` alone; a tag with a comma needs a parameter of its own.
        exact = tuple(tag for tag in tags if not tag or "," in tag)
        path = with_query(
            _entries(diary_id),
            limit=limit,
            offset=offset,
            tags=",".join(tag for tag in tags if tag not in exact) or None,
            tag=exact or None,
            entry_type=entry_type,
        )
        return read_page(await self._client.ask(get(path)), Entry)

    async def get(self, diary_id: DiaryId, entry_id: EntryId) -> Entry:
        return read_edited(await self._client.ask(get(_entries(diary_id, entry_id))), Entry)

    async def find(self, entry_id: EntryId) -> Entry | None:
        owned = [diary.id for diary in read_list(await self._client.ask(get("/diaries")), "items", Diary)]
        return await self._in_any(owned, entry_id) or await self._in_shared(set(owned), entry_id)

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
        body = members(
            title=title,
            content=content,
            tags=_as_tuple(tags),
            importance=importance,
            entry_type=entry_type,
            superseded_by=superseded_by,
            occurred_at=occurred_at,
        )
        call = changing("PATCH", _entries(diary_id, entry_id), expected, body)
        return read_edited(await self._client.ask(call), Entry)

    async def delete(self, diary_id: DiaryId, entry_id: EntryId, *, expected: Expected = ANY_VERSION) -> None:
        await self._client.ask(changing("DELETE", _entries(diary_id, entry_id), expected))

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
        body = members(
            diary_id=diary_id,
            query=query,
            tags=_as_tuple(tags) or None,
            entry_types=_as_tuple(entry_types) or None,
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
            # What is not asked for is not sent: a network of before knows none of it.
            min_score=min_score or None,
            explain=explain or None,
            only_mine=only_mine or None,
        )
        # It only reads, so it may be sent again.
        call = Call(method="POST", path="/diaries/search", json=body, repeatable=True)
        return read(await self._client.ask(call), SearchResult)

    async def reflect(
        self,
        diary_id: DiaryId,
        *,
        days: int = DAYS_DEFAULT,
        max_entries: int = ENTRIES_DEFAULT,
        entry_types: Collection[EntryType] = (),
        max_tokens: int | None = None,
    ) -> Reflected:
        path = with_query(
            "/diaries/reflect",
            diary_id=diary_id,
            days=days,
            max_entries=max_entries,
            entry_types=",".join(entry_types) or None,
            max_tokens=max_tokens,
        )
        return read(await self._client.ask(get(path)), Reflected)

    async def _in_any(self, diaries: Collection[DiaryId], entry_id: EntryId) -> Entry | None:
        for diary in diaries:
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


def _entries(*ids: object) -> str:
    diary_id, *entry_id = ids
    return path_of("diaries", diary_id, "entries", *entry_id)


def _as_tuple(values: Collection[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
