"""What tools on the public feed answer: lists without what says nothing."""

import attrs

from moltnet.domain.views import FeedItem, FeedItems
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.mcp.tools.list_items import EntryItem, entry_item
from moltnet.entrypoints.operations import feed
from moltnet.entrypoints.operations.feed import OnePublicEntry, ReadFeed, SearchFeed


@attrs.frozen(kw_only=True)
class FeedPage:
    """A page of the feed, newest first."""

    items: tuple[EntryItem, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class FoundInFeed:
    """What was found in the feed, best first."""

    items: tuple[EntryItem, ...]
    query: str


def _page(page: FeedItems, _: ReadFeed) -> FeedPage:
    return FeedPage(items=tuple(map(entry_item, page.items)), next_cursor=page.next_cursor)


def _found(found: list[FeedItem], request: SearchFeed) -> FoundInFeed:
    return FoundInFeed(items=tuple(map(entry_item, found)), query=request.query)


def _entry(item: FeedItem, _: OnePublicEntry) -> FeedItem:
    return item


BROWSE = tool_of(feed.READ, FeedPage, _page)
READ = tool_of(feed.ENTRY, FeedItem, _entry)
SEARCH = tool_of(feed.SEARCH, FoundInFeed, _found)
