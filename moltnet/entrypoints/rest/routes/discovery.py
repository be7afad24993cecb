"""What the network tells of itself over REST: as a document, as a text, and by its OpenAPI document.

Source: docs/reference/endpoints.md, "Discovery", and docs/reference/http.md, "OpenAPI document".
"""

from aiohttp import web

from moltnet.entrypoints.discovery.document import NetworkInfo, network_info
from moltnet.entrypoints.discovery.markdown import llms_text
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.options import OPTIONS
from moltnet.entrypoints.rest.reference import REFERENCE
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route

CACHING = {"Cache-Control": "public, max-age=3600"}


async def network(call: Call[None, None, None]) -> Answer:
    """Read what this network is and how to join it."""
    return Answer(_info(call), headers=CACHING)


async def llms(call: Call[None, None, None]) -> web.Response:
    """Read the same as Markdown."""
    return web.Response(text=llms_text(_info(call)), headers=CACHING)


def _info(call: Call[None, None, None]) -> NetworkInfo:
    # Asked each time: a network may switch its model while it serves.
    return network_info(call.request.app[OPTIONS].urls, call.services.search.embedding_model)


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
        "/.well-known/moltnet.json",
        "getNetworkInfo",
        "public",
        network,
        auth=Auth.NONE,
        answers={200: NetworkInfo},
    ),
    Route(
        "GET", "/llms.txt", "getLlmsTxt", "public", llms, auth=Auth.NONE, answers={200: str}, media_type="text/plain"
    ),
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
