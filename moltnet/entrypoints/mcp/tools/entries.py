"""Tools on entries: remember, read, list, change, forget."""

from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description, Integer, Text
from moltnet.domain.duplicates import IfDuplicate
from moltnet.domain.entries import IMPORTANCE_DEFAULT, EntryNotFound, EntryType, NewEntry, UnknownSuccessor
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.arguments import (
    Content,
    DiaryArguments,
    Done,
    EntryArguments,
    Importance,
    Kind,
    Limit,
    NewKind,
    OccurredAt,
    OnRepeat,
    TagFilter,
    Tags,
    Title,
)
from moltnet.entrypoints.mcp.tools.list_items import EntryItem, entry_item, rounded
from moltnet.entrypoints.mcp.tools.references import diary_id, uuid_of
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool
from moltnet.entrypoints.operations.operation import Effect
from moltnet.entrypoints.rest.schemas.entries import DiaryEntry, SimilarEntry, entry_form, kept_form

NOT_FOUND = "Entry not found"


@attrs.frozen(kw_only=True)
class CreateEntry(DiaryArguments):
    """A memory to be kept."""

    content: Content
    title: Title | None = None
    tags: Tags | None = None
    importance: Importance = IMPORTANCE_DEFAULT
    entry_type: NewKind = EntryType.SEMANTIC
    occurred_at: OccurredAt | None = None
    if_duplicate: OnRepeat = IfDuplicate.STORE


@attrs.frozen(kw_only=True)
class ListEntries(DiaryArguments):
    """Which entries of a diary to list."""

    limit: Annotated[Limit, Integer(1, 100)] = 20
    offset: Annotated[int, Integer(0), Description("How many of the newest to skip")] = 0
    tags: TagFilter | None = None


@attrs.frozen(kw_only=True)
class UpdateEntry(EntryArguments):
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
            Alias("superseded_by"),
            Description("Id of the entry of this diary that replaces it; final"),
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
        Annotated[UUID, Alias("duplicate_of"), Description("The entry that says the same; nothing was kept")] | None
    ) = None
    similar: Annotated[tuple[SimilarEntry, ...], Description("They may repeat it, or tell a changed fact")] | None = (
        None
    )


@attrs.frozen(kw_only=True)
class ChangedEntry:
    """The entry after the change."""

    success: Literal[True] = True
    entry: DiaryEntry


@attrs.frozen(kw_only=True)
class EntryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[EntryItem, ...]
    total: int
    limit: int
    offset: int


@attrs.frozen(kw_only=True)
class EntryAnswer:
    """The entry."""

    entry: DiaryEntry


async def create(agent: Agent, arguments: CreateEntry) -> SavedEntry:
    """Keeps a memory."""
    new = NewEntry(
        content=arguments.content,
        title=arguments.title,
        tags=arguments.tags,
        importance=arguments.importance,
        entry_type=arguments.entry_type,
        occurred_at=arguments.occurred_at,
        if_duplicate=arguments.if_duplicate,
    )
    kept = await agent.diary.keep(await diary_id(agent, arguments.diary_ref), new)
    form = kept_form(kept)
    return SavedEntry(
        entry=entry_form(kept.entry),
        message="Already remembered; nothing was stored" if kept.repeated else "Memory saved",
        duplicate_of=form.duplicate_of,
        similar=form.similar and tuple(attrs.evolve(each, cosine=rounded(each.cosine)) for each in form.similar),
    )


async def get(agent: Agent, arguments: EntryArguments) -> EntryAnswer:
    """Reads a memory."""
    diary = await diary_id(agent, arguments.diary_ref)
    return EntryAnswer(entry=entry_form(await agent.diary.get(diary, _entry_id(arguments.entry_id))))


async def page(agent: Agent, arguments: ListEntries) -> EntryList:
    """Lists the newest memories."""
    diary = await diary_id(agent, arguments.diary_ref)
    entries, total = await agent.diary.list(
        diary, limit=arguments.limit, offset=arguments.offset, tags=arguments.tags or ()
    )
    return EntryList(items=tuple(map(entry_item, entries)), total=total, limit=arguments.limit, offset=arguments.offset)


async def update(agent: Agent, arguments: UpdateEntry) -> ChangedEntry:
    """Changes a memory."""
    diary = await diary_id(agent, arguments.diary_ref)
    entry = await agent.diary.update(
        diary,
        _entry_id(arguments.entry_id),
        content=arguments.content,
        title=arguments.title,
        tags=arguments.tags,
        importance=arguments.importance,
        entry_type=arguments.entry_type,
        occurred_at=arguments.occurred_at,
        superseded_by=_successor(arguments.superseded_by),
    )
    return ChangedEntry(entry=entry_form(entry))


async def delete(agent: Agent, arguments: EntryArguments) -> Done:
    """Forgets a memory."""
    await agent.diary.delete(await diary_id(agent, arguments.diary_ref), _entry_id(arguments.entry_id))
    return Done(message="Entry deleted")


def _entry_id(ref: str) -> EntryId:
    return EntryId(uuid_of(ref, EntryNotFound))


def _successor(ref: str | None) -> EntryId | None:
    if ref is None:
        return None
    parsed = parse_uuid(ref)
    if parsed is None:
        raise UnknownSuccessor
    return EntryId(parsed)


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
    effect=Effect.ADDS,
)
GET: AnyTool = Tool(
    "diary_get",
    "Read a memory",
    "One entry of a diary, by its id.",
    get,
    arguments=EntryArguments,
    answer=EntryAnswer,
    operation="getDiaryEntry",
    failure="Failed to read entry",
    missing=NOT_FOUND,
    effect=Effect.READS,
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
    effect=Effect.READS,
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
    effect=Effect.CHANGES,
)
DELETE: AnyTool = Tool(
    "diary_delete",
    "Forget a memory",
    "Remove an entry from a diary, for good.",
    delete,
    arguments=EntryArguments,
    answer=Done,
    operation="deleteDiaryEntry",
    failure="Failed to delete entry",
    missing=NOT_FOUND,
    effect=Effect.REMOVES,
)
