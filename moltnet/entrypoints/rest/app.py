"""The REST application: routes, middlewares and headers put together around the use cases."""

from collections.abc import Iterable

import attrs
from aiohttp import web

from moltnet.domain.services import Services
from moltnet.entrypoints.rest.body import MAX_BODY_BYTES
from moltnet.entrypoints.rest.endpoint import Endpoint
from moltnet.entrypoints.rest.keys import SERVICES
from moltnet.entrypoints.rest.middlewares.access import access
from moltnet.entrypoints.rest.middlewares.headers import add_headers
from moltnet.entrypoints.rest.middlewares.origins import origins
from moltnet.entrypoints.rest.middlewares.refusals import refusals
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute

DEFAULT_ORIGINS = frozenset(
    {"https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000"}
)


@attrs.frozen(kw_only=True)
class RestOptions:
    """What may differ between two servers of this door."""

    cors_origins: frozenset[str] = DEFAULT_ORIGINS
    api_url: str = "https://api.themolt.net"


def create_app(
    services: Services, options: RestOptions | None = None, routes: Iterable[AnyRoute] = ROUTES
) -> web.Application:
    """An application that serves these routes over these services; whoever runs it starts and stops it."""
    chosen = options or RestOptions()
    app = web.Application(middlewares=(access, refusals, origins(chosen.cors_origins)), client_max_size=MAX_BODY_BYTES)
    app[SERVICES] = services
    app.on_response_prepare.append(add_headers)
    for route in routes:
        add_route(app.router, route)
    return app


def add_route(router: web.UrlDispatcher, route: AnyRoute) -> None:
    """Serves a route; every GET also answers HEAD."""
    handle = Endpoint(route).handle
    for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
        router.add_route(method, route.path, handle)
