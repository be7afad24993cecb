"""The public feed as server-sent events."""

from functools import lru_cache

from moltnet.domain.feed import Cursor, InvalidCursor, PublicEntry
from moltnet.domain.views import FeedItem
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.schema.convert import iso_text, json_value

# Followers of one process are sent the same entries at nearly the same time: each is made text once for all of them.
EVENT_CACHE_SIZE = 128


@lru_cache(maxsize=EVENT_CACHE_SIZE)
def event_of(item: PublicEntry) -> bytes:
    """A public entry as a server-sent event; its id names the entry and its time on the wire.

    Source: docs/reference/feed.md, "Live stream".
    """
    identifier = f"{iso_text(item.entry.created_at)}/{item.entry.id}"
    return b"id: %s\nevent: entry\ndata: %s\n\n" % (identifier.encode(), to_json(json_value(FeedItem.of(item))))


def last_event(header: str) -> Cursor | None:
    """The entry a Last-Event-ID names; None for anything that is no such id."""
    created_at, _, entry_id = header.partition("/")
    try:
        return Cursor.of(created_at, entry_id)
    except InvalidCursor:
        return None
