"""Puts the console on the server's own application."""

from aiohttp import web

from moltnet.entrypoints.rest.app import add_route
from moltnet.entrypoints.rest.options import SERVICES
from moltnet.entrypoints.web.console import account, diaries, entries, peers, search, sign_in, signed, signing
from moltnet.entrypoints.web.console.endpoint import ConsoleEndpoint, ConsoleRoute
from moltnet.entrypoints.web.console.sign_in import LINK_ROUTE

ROUTES: tuple[ConsoleRoute, ...] = (
    *sign_in.ROUTES,
    *diaries.ROUTES,
    *entries.ROUTES,
    *signed.ROUTES,
    *search.ROUTES,
    *peers.ROUTES,
    *signing.ROUTES,
    *account.ROUTES,
)


def mount_console(app: web.Application) -> None:
    """Serves the console; to be called before the application starts."""
    for route in ROUTES:
        handle = ConsoleEndpoint(route, app[SERVICES]).handle
        for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
            app.router.add_route(method, route.path, handle)
    add_route(app, LINK_ROUTE)
