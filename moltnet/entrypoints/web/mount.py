"""Puts the pages on the server's own application: the same port, the same middlewares."""

from collections.abc import Iterable

from aiohttp import web

from moltnet.entrypoints.rest.options import ERROR_PAGES, SERVICES, ErrorPages
from moltnet.entrypoints.web import pictures
from moltnet.entrypoints.web.assets import PATH as ASSETS_PATH
from moltnet.entrypoints.web.assets import Assets
from moltnet.entrypoints.web.console.mount import mount_console
from moltnet.entrypoints.web.operator.pages import mount_operator
from moltnet.entrypoints.web.pages import agents, diaries, feed, landing, trust, verify
from moltnet.entrypoints.web.rendering import ENVIRONMENT, PageEndpoint, error_page
from moltnet.entrypoints.web.routing import WEB_OPTIONS, PageRoute, WebOptions
from moltnet.entrypoints.web.templating import environment

# In the order of the header. A page is there once its module's PAGES are in the table below.
NAVIGATION = (
    ("/feed", "Feed"),
    ("/trust", "Trust"),
    ("/verify", "Verify"),
    ("/docs", "Reference"),
    ("/console", "Console"),
)
PAGES: tuple[PageRoute, ...] = (
    *landing.PAGES,
    *feed.PAGES,
    *agents.PAGES,
    *diaries.PAGES,
    *trust.PAGES,
    *verify.PAGES,
    *pictures.PAGES,
)


def mount_web(app: web.Application, options: WebOptions, pages: Iterable[PageRoute] = PAGES) -> None:
    """Serves the pages and what they need; to be called before the application starts."""
    assets = Assets()
    app[WEB_OPTIONS] = options
    app[ENVIRONMENT] = environment(assets, navigation=NAVIGATION, network_url=options.urls.api_url)
    app[ERROR_PAGES] = ErrorPages(error_page)
    for method in ("GET", "HEAD"):
        app.router.add_route(method, f"{ASSETS_PATH}/{{name}}", assets.handle)
    for page in pages:
        handle = PageEndpoint(page, app[SERVICES]).handle
        for method in ("GET", "HEAD") if page.method == "GET" else (page.method,):
            app.router.add_route(method, page.path, handle)
    mount_console(app)
    mount_operator(app)
