"""The OpenAPI document over REST, and a page to read it (docs/reference/http.md, "OpenAPI document")."""

from aiohttp import web

from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.keys import REFERENCE
from moltnet.entrypoints.rest.routing import AnyRoute, Call, Route


async def document(call: Call[None, None, None]) -> web.Response:
    """Read the OpenAPI document."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return web.Response(body=call.request.app[REFERENCE].json, headers=headers)


async def page(call: Call[None, None, None]) -> web.Response:
    """Read it as a page."""
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return web.Response(body=call.request.app[REFERENCE].page, headers=headers)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/openapi.json",
        "getOpenApiDocument",
        "public",
        document,
        auth=Auth.NONE,
        answers={200: object},
        documented=False,
    ),
    Route(
        "GET",
        "/docs",
        "getReferencePage",
        "public",
        page,
        auth=Auth.NONE,
        answers={200: str},
        media_type="text/html",
        documented=False,
    ),
)
