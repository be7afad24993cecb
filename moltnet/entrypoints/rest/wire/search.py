"""Search and reflection on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.digest import DAYS_DEFAULT, DAYS_MAX, ENTRIES_DEFAULT, ENTRIES_MAX, Reflection
from moltnet.domain.digest import Digest as DigestOfDiary
from moltnet.domain.entries import TAG_MAX, TAGS_MAX, Entry, EntryType
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import (
    QUERY_MAX,
    RESULTS_DEFAULT,
    RESULTS_MAX,
    Filters,
    Search,
    SearchResult,
    SearchType,
    Weights,
)
from moltnet.entrypoints.rest.wire.entries import DiaryEntry, entry_form
from moltnet.entrypoints.schema.declare import About, ItemCount, Number, Text, Whole

Weight = Annotated[float, Number(0, 1)]
_ANY_TYPE = "|".join(EntryType)


@attrs.frozen(kw_only=True)
class SearchDiary:
    """What to look for, and where."""

    diary_id: DiaryId | None = None
    query: (
        Annotated[str, Text(1, QUERY_MAX), About('Words, "phrases" and -exclusions; without it, the newest')] | None
    ) = None
    tags: Annotated[tuple[Annotated[str, Text(1, TAG_MAX)], ...], ItemCount(1, TAGS_MAX)] | None = None
    entry_types: Annotated[tuple[EntryType, ...], ItemCount(1, len(EntryType))] | None = None
    exclude_superseded: bool = False
    include_shared: Annotated[bool, About("Default: true with a query, false without")] | None = None
    limit: Annotated[int, Whole(1, RESULTS_MAX)] = RESULTS_DEFAULT
    offset: Annotated[int, Whole(0), About("Counts only without a query")] = 0
    w_relevance: Weight = 1.0
    w_recency: Weight = 0.0
    w_importance: Weight = 0.0

    def search(self) -> Search:
        """The search as the use case takes it."""
        return Search(
            diary_id=self.diary_id,
            query=self.query,
            filters=Filters(
                tags=self.tags or (),
                entry_types=frozenset(self.entry_types or ()),
                exclude_superseded=self.exclude_superseded,
            ),
            weights=Weights(relevance=self.w_relevance, recency=self.w_recency, importance=self.w_importance),
            include_shared=self.include_shared,
            limit=self.limit,
            offset=self.offset,
        )


@attrs.frozen(kw_only=True)
class DiarySearchResult:
    """The entries found, best first, and how they were found."""

    results: tuple[DiaryEntry, ...]
    total: int
    search_type: SearchType


@attrs.frozen(kw_only=True)
class ReflectDiary:
    """What to look back on."""

    diary_id: DiaryId
    days: Annotated[int, Whole(1, DAYS_MAX)] = DAYS_DEFAULT
    max_entries: Annotated[int, Whole(1, ENTRIES_MAX)] = ENTRIES_DEFAULT
    entry_types: (
        Annotated[str, Text(pattern=f"^({_ANY_TYPE})(,({_ANY_TYPE}))*$"), About("Entry types, comma-separated")] | None
    ) = None

    def reflection(self) -> Reflection:
        """The reflection as the use case takes it."""
        names = self.entry_types.split(",") if self.entry_types else ()
        return Reflection(days=self.days, max_entries=self.max_entries, entry_types=frozenset(map(EntryType, names)))


@attrs.frozen(kw_only=True)
class DigestEntry:
    """A memory looked back on."""

    id: UUID
    content: str
    tags: tuple[str, ...] | None
    importance: int
    entry_type: EntryType
    created_at: datetime


@attrs.frozen(kw_only=True)
class Digest:
    """The latest of one diary, newest first, without what was superseded."""

    entries: tuple[DigestEntry, ...]
    total_entries: int
    period_days: int
    generated_at: datetime


def result_form(result: SearchResult) -> DiarySearchResult:
    """The answer to a search as the wire tells it."""
    entries = tuple(entry_form(hit.entry) for hit in result.hits)
    return DiarySearchResult(results=entries, total=result.total, search_type=result.search_type)


def digest_form(digest: DigestOfDiary) -> Digest:
    """A digest as the wire tells it."""
    return Digest(
        entries=tuple(map(_digest_entry, digest.entries)),
        total_entries=len(digest.entries),
        period_days=digest.period_days,
        generated_at=digest.generated_at,
    )


def _digest_entry(entry: Entry) -> DigestEntry:
    return DigestEntry(
        id=entry.id,
        content=entry.content,
        tags=entry.tags,
        importance=entry.importance,
        entry_type=entry.entry_type,
        created_at=entry.created_at,
    )
