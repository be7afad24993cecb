"""The three services on loopback, behind one address as on Ory Network, or behind six as when self-hosted."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.ory.faults import Faults, Handler
from tests.support.ory.hydra import Hydra, TokenHook
from tests.support.ory.keto import Keto, Tuple
from tests.support.ory.kratos import Kratos
from tests.support.ory.named import SIDES
from tests.support.ory.replies import error_k, reply

API_KEY = "ory_pat_a-key-of-the-project"
# Calls that carry no key (docs/reference/ory.md, "The client package").
OPEN_CALLS = frozenset({"K1", "K9", "K10", "H7", "H10", "H11", "discovery", "health", "version"})


@attrs.frozen(kw_only=True)
class OryStandIn:
    """What a test sees of the services; `addresses` by service and side."""

    faults: Faults
    kratos: Kratos
    hydra: Hydra
    keto: Keto
    addresses: dict[tuple[str, str], str]

    async def identities(self) -> dict[str, dict[str, Any]]:
        """The identities that are there."""
        return dict(self.kratos.identities)

    async def clients(self) -> dict[str, dict[str, Any]]:
        """The clients that are there."""
        return dict(self.hydra.clients)

    async def tuples(self) -> list[Tuple]:
        """The relations that are there, copies included."""
        return list(self.keto.tuples)

    @property
    def passwords(self) -> list[str]:
        """Those that identities were made with."""
        return [*self.kratos.passwords.values()]

    @asynccontextmanager
    async def lasting(self, client_id: str, lifetime: timedelta) -> AsyncIterator[None]:
        """Lets a client's tokens last so long while in the context."""
        client = self.hydra.clients[client_id]
        client["client_credentials_grant_access_token_lifespan"] = f"{lifetime.total_seconds():.0f}s"
        yield
        client["client_credentials_grant_access_token_lifespan"] = None

    def hook(self, answer: TokenHook | None) -> None:
        """Lets this answer what a token says of its agent."""
        self.hydra.token_hook = answer


@asynccontextmanager
async def an_ory(
    clock: Callable[[], datetime], *, issuer: str = "https://auth.example", split: bool = False
) -> AsyncIterator[OryStandIn]:
    """The services, empty, until the context is left; a key is asked for wherever Ory Network does."""
    faults = Faults()
    kratos, hydra, keto = Kratos(clock=clock), Hydra(clock=clock, issuer=issuer), Keto()
    routes = _routes(kratos, hydra, keto)
    async with AsyncExitStack() as stack:
        addresses: dict[tuple[str, str], str] = {}
        groups = [[side] for side in SIDES] if split else [list(SIDES)]
        for group in groups:
            app = an_app([route for side in group for route in routes[side]], faults, API_KEY)
            server = TestServer(app)
            await server.start_server(shutdown_timeout=0)
            stack.push_async_callback(server.close)
            addresses |= {side: str(server.make_url("")).rstrip("/") for side in group}
        stack.callback(faults.release)
        yield OryStandIn(faults=faults, kratos=kratos, hydra=hydra, keto=keto, addresses=addresses)


def named_routes() -> dict[tuple[str, str], list[web.RouteDef]]:
    """The calls that each side knows, by their names; their handlers answer for nobody."""
    return _routes(Kratos(clock=_now), Hydra(clock=_now, issuer=""), Keto())


def an_app(routes: Iterable[web.RouteDef], faults: Faults, api_key: str | None = None) -> web.Application:
    """An application whose calls meet faults by their names; with a key, all but the open calls ask for it."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.route.name
        if name is None:
            return web.Response(status=404, text="404 page not found")
        if api_key and name not in OPEN_CALLS and request.headers.get("Authorization") != f"Bearer {api_key}":
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


def _routes(kratos: Kratos, hydra: Hydra, keto: Keto) -> dict[tuple[str, str], list[web.RouteDef]]:
    return {
        (name, side): getattr(service, f"{side}_routes")()
        for name, service in (("kratos", kratos), ("hydra", hydra), ("keto", keto))
        for side in ("public", "admin")
    }


def _now() -> datetime:
    return datetime.now(UTC)


async def _ready(_: web.Request) -> web.Response:
    return reply({"status": "ok"})


async def _version(_: web.Request) -> web.Response:
    return reply({"version": "v26.2.0"})
