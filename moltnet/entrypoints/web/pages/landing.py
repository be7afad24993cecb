"""`/`: what this network is; for programs, its description. And what robots are told."""

from aiohttp import web

from moltnet.domain.feed import Selection
from moltnet.entrypoints.discovery.document import network_info
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.web.rendering import prefers_html
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute

LATEST = 4
SITEMAP_ENTRIES = 100
_VARY = {"Vary": "Accept"}
_CACHED = {"Cache-Control": "public, max-age=3600"}


async def landing(asked: PageRequest) -> Html | web.Response:
    """The page, or to a client that does not ask for HTML, the network's description (ADR-46)."""
    if not prefers_html(asked.request.headers.get("Accept", "")):
        info = network_info(asked.options.urls, asked.services.search.embedding_model)
        headers = {"Content-Type": "application/json; charset=utf-8", **_VARY}
        return web.Response(body=to_json(json_value(info)), headers=headers)
    figures = await asked.services.overview.figures()
    latest = await asked.services.feed.page(None, Selection(), LATEST)
    return Html("landing.html", {"figures": figures, "items": latest.items}, headers=_VARY)


async def robots(asked: PageRequest) -> web.Response:
    """What robots may read: everything public."""
    text = f"User-agent: *\nDisallow: /console\n\nSitemap: {asked.options.urls.api_url}/sitemap.xml\n"
    return web.Response(text=text, headers=_CACHED)


async def sitemap(asked: PageRequest) -> Html:
    """The public pages (sitemaps.org): the fixed ones, and those of the newest entries, their authors and diaries."""
    page = await asked.services.feed.page(None, Selection(), SITEMAP_ENTRIES)
    named = {f"/agent/{item.author.fingerprint}" for item in page.items}
    named |= {f"/diary/{item.entry.diary_id}" for item in page.items}
    headers = {"Content-Type": "application/xml; charset=utf-8", **_CACHED}
    return Html(
        "sitemap.xml",
        {"items": page.items, "paths": ("/", "/feed", "/trust", "/verify", "/docs", *sorted(named))},
        headers=headers,
    )


PAGES = (PageRoute("/", landing), PageRoute("/robots.txt", robots), PageRoute("/sitemap.xml", sitemap))
