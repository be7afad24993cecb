"""Entries of diaries, as an agent has them in hand: a part of the agent's own port (`ports.agent`)."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from moltnet.domain.digest import DAYS_DEFAULT, ENTRIES_DEFAULT
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Entry, EntryType, Kept, NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.paging import LIST_DEFAULT
from moltnet.domain.search import RESULTS_DEFAULT, SearchResult
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.domain.views import (
    Reflected,
)


class AgentEntries(Protocol):
    """Entries of diaries."""

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
        """Stores a memory, findable once this returns.

        `occurred_at` is when what it tells happened, if not now: a time with its zone, here and wherever one is given.
        """
        ...

    async def keep(self, diary_id: DiaryId, new: NewEntry, *, key: str | None = None) -> Kept:
        """Stores a memory as `create` does, and tells what it resembles.

        With `if_duplicate` RETURN, what is there already, word for word, is not stored again but answered.
        """
        ...

    async def list(
        self,
        diary_id: DiaryId,
        *,
        limit: int = LIST_DEFAULT,
        offset: int = 0,
        tags: Collection[str] = (),
        entry_type: EntryType | None = None,
    ) -> tuple[list[Entry], int]:
        """A page of a diary, newest first, and how many entries match."""
        ...

    async def get(self, diary_id: DiaryId, entry_id: EntryId) -> Entry:
        """One entry."""
        ...

    async def find(self, entry_id: EntryId) -> Entry | None:
        """The entry of an id in whichever of the agent's own diaries and of those shared with it; None if in none.

        Over REST, which has no such question, every diary is asked: among the shared ones those of the newest entries.
        """
        ...

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
        """The entry after the edit; what is left out stays."""
        ...

    async def delete(self, diary_id: DiaryId, entry_id: EntryId, *, expected: Expected = ANY_VERSION) -> None:
        """Removes an entry."""
        ...

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
        """The best entries for a query, or the newest without one; no diary means the agent's own.

        Source: docs/reference/search.md, "Scope of a search".

        With `explain` each hit says why, and the answer what was left out; `min_score` is 0 to 1. With `only_mine`, it
        is only what the agent wrote itself and nobody else changed.
        """
        ...

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
        ...
