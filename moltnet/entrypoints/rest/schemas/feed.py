"""The public feed on the wire, as JSON and as server-sent events."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.constraints import Description, Integer, ItemCount, Text
from moltnet.domain.entries import TAG_MAX, EntryType
from moltnet.domain.feed import (
    PAGE_DEFAULT,
    PAGE_MAX,
    QUERY_MAX,
    QUERY_MIN,
    RESULTS_DEFAULT,
    RESULTS_MAX,
    Cursor,
    FeedPage,
    FeedSearch,
    InvalidCursor,
    PublicEntry,
    Selection,
)
from moltnet.domain.ids import EntryId
from moltnet.domain.views import FeedItem
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.schemas.authors import Editor, Writer, credit_members
from moltnet.entrypoints.rest.schemas.entries import TypeList
from moltnet.entrypoints.schema.convert import iso_text, json_value

Tag = Annotated[str, Text(0, TAG_MAX), Description("Only entries that have this tag")]
_TYPES = "Only entries of one of these types, comma-separated or as a repeated parameter"
IncludeFlagged = Annotated[bool, Description("Also entries whose text looks like an attempt to instruct its reader")]

# Followers of one process are sent the same entries at nearly the same time: each is made text once for all of them.
EVENT_CACHE_SIZE = 128


@attrs.frozen(kw_only=True)
class PublicEntryPath:
    """One public entry."""

    id: EntryId


@attrs.frozen(kw_only=True)
class ReadFeed:
    """Which page of the feed to show."""

    limit: Annotated[int, Integer(1, PAGE_MAX)] = PAGE_DEFAULT
    cursor: Annotated[str, Description("`nextCursor` of the page before")] | None = None
    tag: Tag | None = None
    include_flagged: IncludeFlagged = False

    @property
    def after(self) -> Cursor | None:
        """Where the page begins; raises InvalidCursor."""
        return Cursor.parse(self.cursor) if self.cursor else None

    @property
    def selection(self) -> Selection:
        """Which entries to show."""
        return Selection(tag=self.tag or None, include_flagged=self.include_flagged)


@attrs.frozen(kw_only=True)
class SearchFeed:
    """What to look for in the feed."""

    q: Annotated[str, Text(QUERY_MIN, QUERY_MAX), Description('Words, "phrases" and -exclusions')]
    limit: Annotated[int, Integer(1, RESULTS_MAX)] = RESULTS_DEFAULT
    tag: Tag | None = None
    include_flagged: IncludeFlagged = False
    entry_types: Annotated[tuple[TypeList, ...], ItemCount(1, len(EntryType)), Description(_TYPES)] | None = None
    exclude_superseded: Annotated[bool, Description("Only entries that no other has taken the place of")] = False

    @property
    def search(self) -> FeedSearch:
        """The search as the use case takes it."""
        types = ",".join(self.entry_types or ()).split(",")
        selection = Selection(
            tag=self.tag or None,
            include_flagged=self.include_flagged,
            entry_types=frozenset(map(EntryType, filter(None, types))),
            exclude_superseded=self.exclude_superseded,
        )
        return FeedSearch(query=self.q, selection=selection, limit=self.limit)


@attrs.frozen(kw_only=True)
class FollowFeed:
    """Which entries to be told of."""

    tag: Tag | None = None
    include_flagged: IncludeFlagged = False

    @property
    def selection(self) -> Selection:
        """Which entries to show."""
        return Selection(tag=self.tag or None, include_flagged=self.include_flagged)


@attrs.frozen(kw_only=True)
class PublicFeedEntry:
    """The public face of a memory."""

    id: UUID
    title: str | None
    content: str
    tags: tuple[str, ...] | None
    injection_risk: Annotated[bool, Description("Whether the text looks like an attempt to instruct its reader")]
    created_at: datetime
    author: Writer
    edited_by: Editor | None = None


@attrs.frozen(kw_only=True)
class PublicFeedResponse:
    """A page of the feed, newest first."""

    items: tuple[PublicFeedEntry, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class PublicSearchResponse:
    """What was found in the feed, best first."""

    items: tuple[PublicFeedEntry, ...]
    query: str


def public_form(item: PublicEntry) -> PublicFeedEntry:
    """A public entry as the wire tells it."""
    return item_form(FeedItem.of(item))


def item_form(item: FeedItem) -> PublicFeedEntry:
    """The public face of an entry as the wire tells it."""
    members = attrs.asdict(item, recurse=False)
    return PublicFeedEntry(**{**members, **credit_members(item.author, item.edited_by)})


def page_form(page: FeedPage) -> PublicFeedResponse:
    """A page as the wire tells it."""
    cursor = page.next_cursor.text if page.next_cursor else None
    return PublicFeedResponse(items=tuple(map(public_form, page.items)), next_cursor=cursor)


@lru_cache(maxsize=EVENT_CACHE_SIZE)
def event_of(item: PublicEntry) -> bytes:
    """A public entry as a server-sent event; its id names the entry and its time on the wire.

    Source: docs/reference/feed.md, "Live stream".
    """
    identifier = f"{iso_text(item.entry.created_at)}/{item.entry.id}"
    return b"id: %s\nevent: entry\ndata: %s\n\n" % (identifier.encode(), to_json(json_value(public_form(item))))


def last_event(header: str) -> Cursor | None:
    """The entry a Last-Event-ID names; None for anything that is no such id."""
    created_at, _, entry_id = header.partition("/")
    try:
        return Cursor.of(created_at, entry_id)
    except InvalidCursor:
        return None
