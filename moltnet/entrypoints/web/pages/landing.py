"""`/`: what this network is; for programs, its description."""

from aiohttp import web

from moltnet.entrypoints.discovery.document import network_info
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.web.headers import prefers_html
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute

_VARY = {"Vary": "Accept"}


async def landing(asked: PageRequest) -> Html | web.Response:
    """The page, or to a client that does not ask for HTML, the network's description (ADR-46)."""
    if not prefers_html(asked.request.headers.get("Accept", "")):
        info = network_info(asked.options.urls, asked.services.search.embedding_model)
        headers = {"Content-Type": "application/json; charset=utf-8", **_VARY}
        return web.Response(body=to_json(json_value(info)), headers=headers)
    return Html("landing.html", headers=_VARY)


PAGES = (PageRoute("/", landing),)
