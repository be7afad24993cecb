"""What anybody may read, over REST."""

from collections.abc import AsyncIterator, Collection
from typing import Any

import attrs

from moltnet.adapters.http.calls import get, path_of, with_query
from moltnet.adapters.http.decoding import event_id, read, read_list
from moltnet.adapters.http.feed_stream import followed
from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.entries import EntryType
from moltnet.domain.feed import PAGE_DEFAULT, RESULTS_DEFAULT
from moltnet.domain.ids import EntryId
from moltnet.domain.views import Document, FeedItem, FeedItems, ProblemKind
from moltnet.ports.remote import Call, NetworkError, Reply


@attrs.frozen
class HttpPublic:
    """The port `Public`."""

    _client: RestClient

    async def feed(
        self,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        tag: str | None = None,
        include_flagged: bool = False,
    ) -> FeedItems:
        path = with_query("/public/feed", limit=limit, cursor=cursor, tag=tag, include_flagged=include_flagged)
        return read(await self._client.ask(get(path, signed_in=False)), FeedItems)

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
        path = with_query(
            "/public/feed/search",
            q=query,
            limit=limit,
            tag=tag,
            include_flagged=include_flagged,
            entry_types=",".join(sorted(entry_types)) or None,
            exclude_superseded=exclude_superseded or None,
        )
        return read_list(await self._client.ask(get(path, signed_in=False)), "items", FeedItem)

    async def entry(self, entry_id: EntryId) -> FeedItem:
        return read(await self._client.ask(get(path_of("public", "entry", entry_id), signed_in=False)), FeedItem)

    def follow(
        self, *, after: FeedItem | None = None, tag: str | None = None, include_flagged: bool = False
    ) -> AsyncIterator[FeedItem]:
        path = with_query("/public/feed/stream", tag=tag, include_flagged=include_flagged)
        return followed(self._client, path, event_id(after.created_at, after.id) if after else None)

    async def problems(self) -> list[ProblemKind]:
        return read(await self._client.ask(get("/problems", signed_in=False)), list[ProblemKind])

    async def network_info(self) -> Document:
        value = (await self._document(get("/.well-known/moltnet.json", signed_in=False), "NETWORK_INFO_FAILED")).value()
        if not isinstance(value, dict):
            raise NetworkError("The answer is not a discovery document; check that this is the address of a network")
        document: dict[str, Any] = value
        return document

    async def llms_txt(self) -> str:
        return (await self._document(get("/llms.txt", signed_in=False), "LLMS_TXT_FAILED")).text

    async def _document(self, call: Call, code: str) -> Reply:
        reply = await self._client.answer(call)
        if not reply.is_good:
            raise refusal(reply, code=code)
        return reply
