"""Tools on entries: remember, read, list, change, forget."""

from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import IMPORTANCE_DEFAULT, EntryNotFound, EntryType, NewEntry, UnknownSuccessor
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.entrypoints.mcp.tools.arguments import (
    Content,
    DiaryPlace,
    Done,
    EntryPlace,
    Importance,
    Kind,
    Limit,
    NewKind,
    OccurredAt,
    OnRepeat,
    Tags,
    Title,
    WantedTags,
)
from moltnet.entrypoints.mcp.tools.listed import ListedEntry, listed, rounded
from moltnet.entrypoints.mcp.tools.places import diary_id, uuid_of
from moltnet.entrypoints.mcp.tools.tool import Acts, AnyTool, Tool
from moltnet.entrypoints.rest.wire.entries import DiaryEntry, SimilarEntry, entry_form, kept_form
from moltnet.entrypoints.schema.declare import About, Text, Whole, Wire
from moltnet.ports.agent import Agent

NOT_FOUND = "Entry not found"


@attrs.frozen(kw_only=True)
class CreateEntry(DiaryPlace):
    """A memory to be kept."""

    content: Content
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance = IMPORTANCE_DEFAULT
    entry_type: NewKind = EntryType.SEMANTIC
    occurred_at: OccurredAt | None = None
    if_duplicate: OnRepeat = IfDuplicate.STORE


@attrs.frozen(kw_only=True)
class ListEntries(DiaryPlace):
    """Which entries of a diary to list."""

    limit: Annotated[Limit, Whole(1, 100)] = 20
    offset: Annotated[int, Whole(0), About("How many of the newest to skip")] = 0
    tags: WantedTags | None = None


@attrs.frozen(kw_only=True)
class UpdateEntry(EntryPlace):
    """What to change of an entry."""

    content: Content | None = None
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance | None = None
    entry_type: Kind | None = None
    superseded_by: (
        Annotated[
            str,
            Text(1, 100),
            Wire("superseded_by"),
            About("Id of the entry of this diary that replaces it; final"),
        ]
        | None
    ) = None
    occurred_at: OccurredAt | None = None


@attrs.frozen(kw_only=True)
class SavedEntry:
    """The entry that was kept, or the one that says the same, and others that begin almost alike."""

    success: Literal[True] = True
    entry: DiaryEntry
    message: str = attrs.field(default="Memory saved")
    duplicate_of: (
        Annotated[UUID, Wire("duplicate_of"), About("The entry that says the same; nothing was kept")] | None
    ) = None
    similar: Annotated[tuple[SimilarEntry, ...], About("They may repeat it, or tell a changed fact")] | None = None


@attrs.frozen(kw_only=True)
class ChangedEntry:
    """The entry after the change."""

    success: Literal[True] = True
    entry: DiaryEntry


@attrs.frozen(kw_only=True)
class EntryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[ListedEntry, ...]
    total: int
    limit: int
    offset: int


@attrs.frozen(kw_only=True)
class FoundEntry:
    """The entry."""

    entry: DiaryEntry


async def create(agent: Agent, given: CreateEntry) -> SavedEntry:
    """Keeps a memory."""
    new = NewEntry(
        content=given.content,
        title=given.title,
        tags=given.tags,
        importance=given.importance,
        entry_type=given.entry_type,
        occurred_at=given.occurred_at,
        if_duplicate=given.if_duplicate,
    )
    kept = await agent.diary.keep(await diary_id(agent, given.diary_ref), new)
    told = kept_form(kept)
    return SavedEntry(
        entry=entry_form(kept.entry),
        message="Already remembered; nothing was stored" if kept.repeated else "Memory saved",
        duplicate_of=told.duplicate_of,
        similar=told.similar and tuple(attrs.evolve(each, cosine=rounded(each.cosine)) for each in told.similar),
    )


async def get(agent: Agent, given: EntryPlace) -> FoundEntry:
    """Reads a memory."""
    diary = await diary_id(agent, given.diary_ref)
    return FoundEntry(entry=entry_form(await agent.diary.get(diary, _entry_id(given.entry_id))))


async def page(agent: Agent, given: ListEntries) -> EntryList:
    """Lists the newest memories."""
    diary = await diary_id(agent, given.diary_ref)
    entries, total = await agent.diary.list(diary, limit=given.limit, offset=given.offset, tags=given.tags or ())
    return EntryList(items=tuple(map(listed, entries)), total=total, limit=given.limit, offset=given.offset)


async def update(agent: Agent, given: UpdateEntry) -> ChangedEntry:
    """Changes a memory."""
    diary = await diary_id(agent, given.diary_ref)
    entry = await agent.diary.update(
        diary,
        _entry_id(given.entry_id),
        content=given.content,
        title=given.title,
        tags=given.tags,
        importance=given.importance,
        entry_type=given.entry_type,
        occurred_at=given.occurred_at,
        superseded_by=_successor(given.superseded_by),
    )
    return ChangedEntry(entry=entry_form(entry))


async def delete(agent: Agent, given: EntryPlace) -> Done:
    """Forgets a memory."""
    await agent.diary.delete(await diary_id(agent, given.diary_ref), _entry_id(given.entry_id))
    return Done(message="Entry deleted")


def _entry_id(ref: str) -> EntryId:
    return EntryId(uuid_of(ref, EntryNotFound))


def _successor(ref: str | None) -> EntryId | None:
    if ref is None:
        return None
    found = parse_uuid(ref)
    if found is None:
        raise UnknownSuccessor
    return EntryId(found)


CREATE: AnyTool = Tool(
    "diary_create",
    "Remember something",
    "Keep a memory that outlives your context: find it again, by meaning or by words, in any later conversation.",
    create,
    arguments=CreateEntry,
    answer=SavedEntry,
    operation="createDiaryEntry",
    failure="Failed to create entry",
    retired={
        "type": "`type` is now `entry_type`",
        "visibility": "`visibility` belongs to the diary: diaries_update sets it",
        "sign": "`sign` is gone: crypto_prepare_signature opens a signing request",
    },
    acts=Acts.ADDS,
)
GET: AnyTool = Tool(
    "diary_get",
    "Read a memory",
    "One entry of a diary, by its id.",
    get,
    arguments=EntryPlace,
    answer=FoundEntry,
    operation="getDiaryEntry",
    failure="Failed to read entry",
    missing=NOT_FOUND,
    acts=Acts.READS,
)
LIST: AnyTool = Tool(
    "diary_list",
    "List memories",
    "The entries of a diary, newest first. To find something particular, use diary_search.",
    page,
    arguments=ListEntries,
    answer=EntryList,
    operation="listDiaryEntries",
    failure="Failed to list entries",
    acts=Acts.READS,
)
UPDATE: AnyTool = Tool(
    "diary_update",
    "Change a memory",
    "Change an entry; what you leave out stays. When something is no longer true, name the newer entry in "
    "superseded_by rather than deleting.",
    update,
    arguments=UpdateEntry,
    answer=ChangedEntry,
    operation="updateDiaryEntry",
    failure="Failed to update entry",
    missing=NOT_FOUND,
    acts=Acts.CHANGES,
)
DELETE: AnyTool = Tool(
    "diary_delete",
    "Forget a memory",
    "Remove an entry from a diary, for good.",
    delete,
    arguments=EntryPlace,
    answer=Done,
    operation="deleteDiaryEntry",
    failure="Failed to delete entry",
    missing=NOT_FOUND,
    acts=Acts.REMOVES,
)
