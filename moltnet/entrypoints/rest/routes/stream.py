"""The live stream of the public feed (docs/reference/feed.md, "Live stream")."""

from aiohttp import web

from moltnet.entrypoints.operations.feed import FollowFeed
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.keys import OPTIONS
from moltnet.entrypoints.rest.routing import AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.feed import last_event
from moltnet.entrypoints.rest.stream import STREAMS, EventStream


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


ROUTES: tuple[AnyRoute, ...] = (
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
