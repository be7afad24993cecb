"""The REST application: routes, middlewares and headers put together around the use cases."""

from collections.abc import Iterable

from aiohttp import web

from moltnet.domain.services import Services
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.body import MAX_BODY_BYTES
from moltnet.entrypoints.rest.endpoint import Endpoint
from moltnet.entrypoints.rest.keys import OPTIONS, REFERENCE, SERVICES
from moltnet.entrypoints.rest.middlewares.access import AccessLog
from moltnet.entrypoints.rest.middlewares.headers import add_headers
from moltnet.entrypoints.rest.middlewares.request_middleware import request_middleware
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.reference import Reference
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.entrypoints.rest.stream import STREAMS, OpenStreams
from moltnet.entrypoints.rest.uploads import UPLOADS, Uploads


def create_app(
    services: Services, options: RestOptions | None = None, routes: Iterable[AnyRoute] = ROUTES
) -> web.Application:
    """An application that serves these routes over these services; anyone who runs it starts and stops it.

    Webhooks are served only where there is a key for them.
    """
    chosen = options or RestOptions()
    table = tuple(route for route in routes if chosen.webhook_key or route.auth is not Auth.WEBHOOK)
    log = AccessLog()
    app = web.Application(middlewares=(request_middleware(chosen, log),), client_max_size=MAX_BODY_BYTES)
    app[SERVICES] = services
    app[OPTIONS] = chosen
    app[STREAMS] = streams = OpenStreams(chosen.streams)
    app.on_shutdown.append(streams.end_all)
    app[UPLOADS] = Uploads(chosen.bodies)
    app[REFERENCE] = Reference(table, chosen.api_url)
    app.on_response_prepare.append(add_headers)

    async def write_last_lines(_: web.Application) -> None:
        log.write()

    app.on_cleanup.append(write_last_lines)
    for route in table:
        add_route(app, route)
    return app


def add_route(app: web.Application, route: AnyRoute) -> None:
    """Serves a route; every GET also answers HEAD."""
    handle = Endpoint(route, app[SERVICES], app[OPTIONS]).handle
    for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
        app.router.add_route(method, route.path, handle)
