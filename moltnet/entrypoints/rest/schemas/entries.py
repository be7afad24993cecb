"""Entries on the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import attrs

from moltnet.domain.constraints import Description, Integer, ItemCount, Text
from moltnet.domain.duplicates import IfDuplicate
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
    Kept,
    NewEntry,
)
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.paging import LIST_DEFAULT, LIST_MAX
from moltnet.domain.search import Filters
from moltnet.entrypoints.rest.schemas.authors import Editor, Writer, credit_members

# How much an entry may hold is the server's setting; the answer names the limit (docs/reference/endpoints.md,
# "Entries").
Content = Annotated[str, Text(1, CONTENT_CEILING)]
Title = Annotated[str, Text(0, TITLE_MAX)]
Tags = Annotated[tuple[Annotated[str, Text(0, TAG_MAX)], ...], ItemCount(0, TAGS_MAX)]
Importance = Annotated[int, Integer(IMPORTANCE_MIN, IMPORTANCE_MAX)]
OccurredAt = Annotated[datetime, Description("When what it tells happened, where that is not when it was written")]
_ANY_TYPE = "|".join(EntryType)
TypeList = Annotated[
    str, Text(pattern=f"^({_ANY_TYPE})(,({_ANY_TYPE}))*$"), Description("Entry types, comma-separated")
]
_SINGLE_TAGS = "Further tags, each a parameter of its own, which may hold commas"
ExactTag = Annotated[str, Text(0, TAG_MAX)]
TagList = Annotated[
    str,
    Text(0, 1070, f"^[^,]{{1,{TAG_MAX}}}(,[^,]{{1,{TAG_MAX}}}){{0,{TAGS_MAX - 1}}}$"),
    Description("Tags, comma-separated; an entry must have all of them"),
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
    occurred_at: OccurredAt | None = None
    if_duplicate: Annotated[
        IfDuplicate,
        Description("Whether to answer with the first entry that says the same, case and punctuation aside"),
    ] = IfDuplicate.STORE

    def new_entry(self) -> NewEntry:
        """The entry as the use case takes it."""
        return NewEntry(
            content=self.content,
            title=self.title,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
            occurred_at=self.occurred_at,
            if_duplicate=self.if_duplicate,
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
    occurred_at: OccurredAt | None = None

    def edit(self) -> EntryEdit:
        """The edit as the use case takes it."""
        return EntryEdit(
            title=self.title,
            content=self.content,
            tags=self.tags,
            importance=self.importance,
            entry_type=self.entry_type,
            superseded_by=self.superseded_by,
            occurred_at=self.occurred_at,
        )


@attrs.frozen(kw_only=True)
class ListEntries:
    """Which entries of a diary to list."""

    limit: Annotated[int, Integer(1, LIST_MAX)] = LIST_DEFAULT
    offset: Annotated[int, Integer(0)] = 0
    tags: TagList | None = None
    tag: Annotated[tuple[ExactTag, ...], ItemCount(1, TAGS_MAX), Description(_SINGLE_TAGS)] | None = None
    entry_type: EntryType | None = None

    def filters(self) -> Filters:
        """What an entry must be."""
        tags = self.tags.split(",") if self.tags else ()
        return Filters(tags=(*tags, *(self.tag or ())), entry_types=frozenset(filter(None, [self.entry_type])))


@attrs.frozen(kw_only=True)
class DiaryEntry:
    """A memory."""

    id: UUID
    diary_id: UUID
    title: str | None
    content: str
    tags: tuple[str, ...] | None
    injection_risk: Annotated[bool, Description("Whether the text looks like an attempt to instruct its reader")]
    importance: int
    access_count: int
    last_accessed_at: datetime | None
    entry_type: EntryType
    superseded_by: UUID | None
    created_at: datetime
    updated_at: datetime
    occurred_at: OccurredAt | None = None
    author: Writer | None = None
    edited_by: Editor | None = None


@attrs.frozen(kw_only=True)
class SimilarEntry:
    """Another memory of the diary that begins almost alike."""

    id: UUID
    cosine: float


@attrs.frozen(kw_only=True)
class KeptEntry(DiaryEntry):
    """What became of a memory: the new one, or the first that says the same."""

    duplicate_of: Annotated[UUID, Description("The entry that says the same; nothing was stored")] | None = None
    similar: (
        Annotated[tuple[SimilarEntry, ...], Description("A hint: they may repeat it, or tell a changed fact")] | None
    ) = None


@attrs.frozen(kw_only=True)
class DiaryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[DiaryEntry, ...]
    total: int
    limit: int
    offset: int


def kept_form(kept: Kept) -> KeptEntry:
    """What became of a memory as the wire tells it."""
    similar = tuple(SimilarEntry(id=each.entry_id, cosine=each.cosine) for each in kept.similar)
    return KeptEntry(
        **entry_members(kept.entry),
        duplicate_of=kept.entry.id if kept.repeated else None,
        similar=similar or None,
    )


def entry_form(entry: Entry) -> DiaryEntry:
    """An entry as the wire tells it."""
    return DiaryEntry(**entry_members(entry))


def entry_members(entry: Entry) -> dict[str, Any]:
    """The members of `DiaryEntry`, by their attributes."""
    members = {attribute.name: getattr(entry, attribute.name) for attribute in attrs.fields(DiaryEntry)}
    return {**members, **credit_members(entry.author, entry.edited_by)}
