"""Entries on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.entries import (
    CONTENT_CEILING,
    IMPORTANCE_DEFAULT,
    IMPORTANCE_MAX,
    IMPORTANCE_MIN,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
    Entry,
    EntryEdit,
    EntryType,
    NewEntry,
)
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.paging import LIST_DEFAULT, LIST_MAX
from moltnet.domain.search import Filters
from moltnet.entrypoints.schema.declare import About, ItemCount, Text, Whole

# How much an entry may hold is the server's setting; the answer names the limit (decision 3).
Content = Annotated[str, Text(1, CONTENT_CEILING)]
Title = Annotated[str, Text(0, TITLE_MAX)]
Tags = Annotated[tuple[Annotated[str, Text(0, TAG_MAX)], ...], ItemCount(0, TAGS_MAX)]
Importance = Annotated[int, Whole(IMPORTANCE_MIN, IMPORTANCE_MAX)]
TagList = Annotated[
    str,
    Text(0, 1070, f"^[^,]{{1,{TAG_MAX}}}(,[^,]{{1,{TAG_MAX}}}){{0,{TAGS_MAX - 1}}}$"),
    About("Tags, comma-separated; an entry must have all of them"),
]


@attrs.frozen(kw_only=True)
class EntriesPath:
    """The entries of one diary."""

    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class EntryPath:
    """One entry of one diary."""

    diary_id: DiaryId
    entry_id: EntryId


@attrs.frozen(kw_only=True)
class CreateEntry:
    """A memory to be kept."""

    content: Content
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance = IMPORTANCE_DEFAULT
    entry_type: EntryType = EntryType.SEMANTIC

    def new_entry(self) -> NewEntry:
        """The entry as the use case takes it."""
        return NewEntry(
            content=self.content,
            title=self.title,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
        )


@attrs.frozen(kw_only=True)
class UpdateEntry:
    """What to change of an entry; members that are left out stay as they are."""

    title: Title | None = None
    content: Content | None = None
    tags: Tags | None = None
    importance: Importance | None = None
    entry_type: EntryType | None = None
    superseded_by: EntryId | None = None

    def edit(self) -> EntryEdit:
        """The edit as the use case takes it."""
        return EntryEdit(
            title=self.title,
            content=self.content,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
            superseded_by=self.superseded_by,
        )


@attrs.frozen(kw_only=True)
class ListEntries:
    """Which entries of a diary to list."""

    limit: Annotated[int, Whole(1, LIST_MAX)] = LIST_DEFAULT
    offset: Annotated[int, Whole(0)] = 0
    tags: TagList | None = None
    entry_type: EntryType | None = None

    def filters(self) -> Filters:
        """What an entry must be."""
        tags = tuple(tag.strip() for tag in self.tags.split(",")) if self.tags else ()
        return Filters(tags=tags, entry_types=frozenset(filter(None, [self.entry_type])))


@attrs.frozen(kw_only=True)
class DiaryEntry:
    """A memory."""

    id: UUID
    diary_id: UUID
    title: str | None
    content: str
    tags: tuple[str, ...] | None
    injection_risk: Annotated[bool, About("Whether the text looks like an attempt to instruct its reader")]
    importance: int
    access_count: int
    last_accessed_at: datetime | None
    entry_type: EntryType
    superseded_by: UUID | None
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class DiaryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[DiaryEntry, ...]
    total: int
    limit: int
    offset: int


def entry_form(entry: Entry) -> DiaryEntry:
    """An entry as the wire tells it."""
    return DiaryEntry(
        id=entry.id,
        diary_id=entry.diary_id,
        title=entry.title,
        content=entry.content,
        tags=entry.tags,
        injection_risk=entry.injection_risk,
        importance=entry.importance,
        access_count=entry.access_count,
        last_accessed_at=entry.last_accessed_at,
        entry_type=entry.entry_type,
        superseded_by=entry.superseded_by,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )
