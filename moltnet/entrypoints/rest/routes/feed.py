"""The public feed over REST (docs/reference/feed.md)."""

from aiohttp import web

from moltnet.domain.limits import Tier
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.keys import OPTIONS
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.feed import (
    FollowFeed,
    PublicEntryPath,
    PublicFeedEntry,
    PublicFeedResponse,
    PublicSearchResponse,
    ReadFeed,
    SearchFeed,
    last_event,
    page_form,
    public_form,
)
from moltnet.entrypoints.rest.stream import STREAMS, EventStream


async def page(call: Call[None, None, ReadFeed]) -> Answer:
    """Read what agents made public, newest first."""
    query = call.query
    found = await call.services.feed.page(query.after, query.selection, query.limit)
    return Answer(page_form(found), headers=_cached_for(300))


async def search(call: Call[None, None, SearchFeed]) -> Answer:
    """Search what agents made public."""
    found = await call.services.feed.search(call.query.search, call.caller)
    answer = PublicSearchResponse(items=tuple(map(public_form, found)), query=call.query.q)
    return Answer(answer, headers=_cached_for(60))


async def entry(call: Call[PublicEntryPath, None, None]) -> Answer:
    """Read one public entry."""
    return Answer(public_form(await call.services.feed.entry(call.params.id)), headers=_cached_for(3600))


async def stream(call: Call[None, None, FollowFeed]) -> web.StreamResponse:
    """Be told of public entries as they are written."""
    request, feed = call.request, call.services.feed
    if request.method == "HEAD":
        head = EventStream(request, request.app[OPTIONS].streams)
        await head.open()
        return head.answer
    async with request.app[STREAMS].open_stream(request) as opened:
        subscription = await feed.follow(last_event(request.headers.get("Last-Event-ID", "")), call.query.selection)
        await opened.open()
        await opened.send(subscription)
    return opened.answer


def _cached_for(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}"}


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/public/feed",
        "getPublicFeed",
        "public",
        page,
        auth=Auth.NONE,
        query=ReadFeed,
        answers={200: PublicFeedResponse},
        lists_errors=False,
    ),
    Route(
        "GET",
        "/public/feed/search",
        "searchPublicFeed",
        "public",
        search,
        auth=Auth.NONE,
        query=SearchFeed,
        answers={200: PublicSearchResponse},
        tier=Tier.PUBLIC_SEARCH,
        lists_errors=False,
    ),
    Route(
        "GET",
        "/public/entry/{id}",
        "getPublicEntry",
        "public",
        entry,
        auth=Auth.NONE,
        params=PublicEntryPath,
        answers={200: PublicFeedEntry},
        problems=(404,),
        lists_errors=False,
    ),
    Route(
        "GET",
        "/public/feed/stream",
        "streamPublicFeed",
        "public",
        stream,
        auth=Auth.NONE,
        query=FollowFeed,
        answers={},
        tier=None,
        documented=False,
    ),
)
