"""What anybody may read of a network in this process."""

from collections.abc import AsyncIterator, Collection

import attrs

from moltnet.domain.entries import EntryType
from moltnet.domain.feed import PAGE_DEFAULT, PAGE_MAX, RESULTS_DEFAULT, Cursor, FeedSearch, Selection
from moltnet.domain.ids import EntryId
from moltnet.domain.paging import check_page
from moltnet.domain.text import check_texts
from moltnet.domain.views import Document, FeedItem, FeedItems, ProblemKind
from moltnet.entrypoints.discovery.document import network_info
from moltnet.entrypoints.discovery.markdown import llms_text
from moltnet.entrypoints.discovery.network_urls import NetworkUrls
from moltnet.entrypoints.discovery.problem_types import PROBLEM_TYPES
from moltnet.entrypoints.library.caller_context import CallerContext
from moltnet.entrypoints.library.coerce import id_of, one_of
from moltnet.entrypoints.schema.convert import json_value


@attrs.frozen
class LocalPublic:
    """The port `Public` over the use cases."""

    _context: CallerContext
    _urls: NetworkUrls

    async def feed(
        self,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        tag: str | None = None,
        include_flagged: bool = False,
    ) -> FeedItems:
        check_page(limit, most=PAGE_MAX)
        check_texts(tag)
        after = Cursor.parse(cursor) if cursor else None
        selection = Selection(tag=tag or None, include_flagged=include_flagged)
        return FeedItems.of(await self._context.services.feed.page(after, selection, limit))

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
        check_texts(query, tag)
        selection = Selection(
            tag=tag or None,
            include_flagged=include_flagged,
            entry_types=frozenset(one_of(EntryType, each) for each in entry_types),
            exclude_superseded=exclude_superseded,
        )
        search = FeedSearch(query=query, selection=selection, limit=limit)
        found = await self._context.services.feed.search(search, self._context.caller)
        return list(map(FeedItem.of, found))

    async def entry(self, entry_id: EntryId) -> FeedItem:
        return FeedItem.of(await self._context.services.feed.entry(id_of(entry_id)))

    async def follow(
        self, *, after: FeedItem | None = None, tag: str | None = None, include_flagged: bool = False
    ) -> AsyncIterator[FeedItem]:
        cursor = Cursor(after.created_at, after.id) if after else None
        selection = Selection(tag=tag or None, include_flagged=include_flagged)
        async for group in await self._context.services.feed.follow(cursor, selection):
            for public in group:
                yield FeedItem.of(public)

    async def problems(self) -> list[ProblemKind]:
        return [
            ProblemKind(
                type=row.type,
                title=row.title,
                status=row.status,
                code=row.code,
                description=row.description,
                common_causes=row.common_causes,
            )
            for row in PROBLEM_TYPES
        ]

    async def network_info(self) -> Document:
        info = json_value(network_info(self._urls, self._context.services.search.embedding_model))
        return info if isinstance(info, dict) else {}

    async def llms_txt(self) -> str:
        return llms_text(network_info(self._urls, self._context.services.search.embedding_model))
