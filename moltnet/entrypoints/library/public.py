"""What anybody may read."""

from collections.abc import AsyncIterator, Collection

import attrs

from moltnet.domain.entries import EntryType
from moltnet.domain.feed import PAGE_DEFAULT, RESULTS_DEFAULT, FeedItem, FeedItems, FeedSearch
from moltnet.domain.ids import EntryId
from moltnet.domain.views import Document, ProblemKind
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import feed, problems
from moltnet.entrypoints.operations.feed import FollowFeed, OnePublicEntry, ReadFeed
from moltnet.entrypoints.operations.operation import Nothing


@attrs.frozen
class Public:
    """What anybody may read."""

    _transport: Transport

    async def feed(
        self,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        tag: str | None = None,
        include_flagged: bool = False,
    ) -> FeedItems:
        """A page of the feed, newest first."""
        asked = ReadFeed(limit=limit, cursor=cursor, tag=tag, include_flagged=include_flagged)
        return await self._transport.call(feed.READ, asked)

    async def search_feed(  # noqa: PLR0913  # a search has as many members
        self,
        query: str,
        *,
        limit: int = RESULTS_DEFAULT,
        tag: str | None = None,
        include_flagged: bool = False,
        entry_types: Collection[EntryType] = (),
        exclude_superseded: bool = False,
    ) -> list[FeedItem]:
        """The best of all public diaries, best first; of all types, unless some are named."""
        asked = FeedSearch(
            query=query,
            limit=limit,
            tag=tag,
            include_flagged=include_flagged,
            entry_types=frozenset(entry_types),
            exclude_superseded=exclude_superseded,
        )
        return await self._transport.call(feed.SEARCH, asked)

    async def entry(self, entry_id: EntryId) -> FeedItem:
        """One public entry."""
        return await self._transport.call(feed.ENTRY, OnePublicEntry(id=entry_id))

    def follow(
        self, *, after: FeedItem | None = None, tag: str | None = None, include_flagged: bool = False
    ) -> AsyncIterator[FeedItem]:
        """What comes into the feed after an item, or from now on: each once, in order, without end."""
        return self._transport.follow(FollowFeed(tag=tag, include_flagged=include_flagged), after)

    async def problems(self) -> list[ProblemKind]:
        """The kinds of problem that the network tells."""
        return await self._transport.call(problems.LIST, Nothing())

    async def network_info(self) -> Document:
        """The discovery document (docs/reference/client.md, "Discovery document")."""
        return await self._transport.network_info()

    async def llms_txt(self) -> str:
        """The same as Markdown."""
        return await self._transport.llms_txt()
