"""The three services on loopback, behind one address as on Ory Network, or behind six as when self-hosted."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import attrs
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.ory.faults import Faults, Handler
from tests.support.ory.hydra import Hydra
from tests.support.ory.keto import Keto
from tests.support.ory.kratos import Kratos
from tests.support.ory.replies import error_k, reply

API_KEY = "ory_pat_a-key-of-the-project"
# Calls that carry no key (docs/reference/ory.md, "The client package").
OPEN_CALLS = frozenset({"K1", "K9", "K10", "H7", "H10", "H11", "discovery", "health", "version"})
SIDES = tuple((service, side) for service in ("kratos", "hydra", "keto") for side in ("public", "admin"))


@attrs.frozen(kw_only=True)
class OryStandIn:
    """What a test sees of the services; `addresses` by service and side."""

    faults: Faults
    kratos: Kratos
    hydra: Hydra
    keto: Keto
    addresses: dict[tuple[str, str], str]


@asynccontextmanager
async def an_ory(
    clock: Callable[[], datetime], *, issuer: str = "https://auth.example", split: bool = False
) -> AsyncIterator[OryStandIn]:
    """The services, empty, until the context is left; a key is asked for wherever Ory Network does."""
    faults = Faults()
    kratos, hydra, keto = Kratos(clock=clock), Hydra(clock=clock, issuer=issuer), Keto()
    routes = {
        (name, side): getattr(service, f"{side}_routes")()
        for name, service in (("kratos", kratos), ("hydra", hydra), ("keto", keto))
        for side in ("public", "admin")
    }
    async with AsyncExitStack() as stack:
        addresses: dict[tuple[str, str], str] = {}
        groups = [[side] for side in SIDES] if split else [list(SIDES)]
        for group in groups:
            app = _app([route for side in group for route in routes[side]], faults)
            server = TestServer(app)
            await server.start_server(shutdown_timeout=0)
            stack.push_async_callback(server.close)
            addresses |= {side: str(server.make_url("")).rstrip("/") for side in group}
        stack.callback(faults.release)
        yield OryStandIn(faults=faults, kratos=kratos, hydra=hydra, keto=keto, addresses=addresses)


def _app(routes: Iterable[web.RouteDef], faults: Faults) -> web.Application:
    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.route.name
        if name is None:
            return web.Response(status=404, text="404 page not found")
        if name not in OPEN_CALLS and request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return error_k(401, "Access credentials are invalid")
        return await faults.around(name, request, handler)

    app = web.Application(middlewares=[around])
    app.add_routes(routes)
    app.add_routes(
        [
            web.get("/health/ready", _ready, name="health"),
            web.get("/version", _version, name="version"),
        ]
    )
    return app


async def _ready(_: web.Request) -> web.Response:
    return reply({"status": "ok"})


async def _version(_: web.Request) -> web.Response:
    return reply({"version": "v26.2.0"})
