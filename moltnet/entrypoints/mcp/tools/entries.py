"""What tools on entries answer beside the entry: what became of a memory, and lists without what says nothing."""

from typing import Annotated, Literal
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description
from moltnet.domain.entries import Entry, Kept, Similar
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.mcp.tools.list_items import EntryItem, entry_item, rounded
from moltnet.entrypoints.operations import entries
from moltnet.entrypoints.operations.entries import CreateEntry, ListOfDiary


@attrs.frozen(kw_only=True)
class SavedEntry:
    """The entry that was kept, or the one that says the same, and others that begin almost alike."""

    success: Literal[True] = True
    entry: Entry
    message: str
    duplicate_of: (
        Annotated[UUID, Alias("duplicate_of"), Description("The entry that says the same; nothing was kept")] | None
    ) = None
    similar: Annotated[tuple[Similar, ...], Description("They may repeat it, or tell a changed fact")] | None = None


@attrs.frozen(kw_only=True)
class EntryList:
    """A page of a diary, newest first; `total` counts all entries that match."""

    items: tuple[EntryItem, ...]
    total: int
    limit: int
    offset: int


def _saved(kept: Kept, _: CreateEntry) -> SavedEntry:
    return SavedEntry(
        entry=kept.entry,
        message="Already remembered; nothing was stored" if kept.repeated else "Memory saved",
        duplicate_of=kept.duplicate_of,
        similar=tuple(attrs.evolve(each, cosine=rounded(each.cosine)) for each in kept.similar) or None,
    )


def _page(shown: tuple[list[Entry], int], arguments: ListOfDiary) -> EntryList:
    items, total = shown
    return EntryList(items=tuple(map(entry_item, items)), total=total, limit=arguments.limit, offset=arguments.offset)


CREATE = tool_of(entries.CREATE, SavedEntry, _saved)
LIST = tool_of(entries.LIST, EntryList, _page)
GET, UPDATE, DELETE = tool_of(entries.GET), tool_of(entries.UPDATE), tool_of(entries.DELETE)
