"""Who asks is counted before Hydra is asked who that is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.system import MemoryClock, MemoryWorkers
from moltnet.adapters.system import MemoryRateLimits
from moltnet.domain.caller import Limits, Tier
from moltnet.domain.services.credentials import AuthenticationService
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.app import create_app
from moltnet.ports.telemetry import NO_TELEMETRY
from tests.integration.ory.conftest import Holder
from tests.integration.rest.framework import Paging, act, read, route
from tests.integration.rest.members import ask
from tests.support.ory.ports import Ory
from tests.support.ory.server import OryStandIn

pytestmark = pytest.mark.real

ROUTES = (
    route("GET", "/closed", read, query=Paging),
    route("POST", "/tier", act, auth=Auth.OPTIONAL, tier=Tier.RECOVERY),
)
UNKNOWN = {"Authorization": "Bearer ory_at_an-opaque-token"}
INTROSPECTION = "H8"

Serve = Callable[[Limits], Awaitable[TestClient[Any, Any]]]


@pytest.fixture
async def serve(holder: Holder, clock: MemoryClock) -> AsyncIterator[Serve]:
    """Serves these routes and `/mcp`, with Hydra's tokens."""
    async with AsyncExitStack() as stack:

        async def start(limits: Limits) -> TestClient[Any, Any]:
            services: Any = SimpleNamespace(
                authentication=AuthenticationService(tokens=holder.verifier),
                throttling=ThrottlingService(counts=MemoryRateLimits(clock), limits=limits),
                credentials=None,
                workers=MemoryWorkers(),
                telemetry=NO_TELEMETRY,
            )
            app = create_app(services, routes=ROUTES)
            mount_mcp(app, McpOptions(urls=NetworkUrls(api_url="http://net.test"), session_secret=b"s" * 32))
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield start


@pytest.mark.parametrize(
    ("asked_for", "limits", "asked"),
    [
        (("GET", "/closed"), Limits(global_anon=3), 3),
        (("POST", "/tier"), Limits(recovery=2), 2),
        (("POST", "/mcp"), Limits(global_anon=2), 4),
        (("GET", "/mcp"), Limits(global_anon=2), 4),
    ],
)
async def test_a_token_nobody_knows_is_asked_about_as_often_as_its_address_is_allowed(
    serve: Serve, stand_in: OryStandIn, asked_for: tuple[str, str], limits: Limits, asked: int
) -> None:
    http = await serve(limits)
    answers = await asyncio.gather(*(ask(http, *asked_for, headers=UNKNOWN) for _ in range(20)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (asked, 20 - asked)
    assert stand_in.faults.calls.count(INTROSPECTION) == asked
    assert min(int(answer.headers["X-RateLimit-Remaining"]) for answer in answers) == 0


async def test_a_good_token_is_counted_for_its_agent_before_it_is_asked_about_again(
    serve: Serve, holder: Holder, services: Ory, stand_in: OryStandIn
) -> None:
    http = await serve(Limits(global_anon=2, global_auth=4))
    bearer = await _opaque(services, holder)
    statuses = [(await ask(http, "GET", "/closed", headers=bearer)).status for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2
    assert stand_in.faults.calls.count(INTROSPECTION) == 4
    # Its first request was its address's too, since nobody knew the token: one is left.
    assert (await ask(http, "GET", "/closed", headers=UNKNOWN)).status == 401
    assert (await ask(http, "GET", "/closed", headers=UNKNOWN)).status == 429


async def test_a_token_that_ended_is_its_addresss_again(
    serve: Serve, holder: Holder, services: Ory, stand_in: OryStandIn
) -> None:
    http = await serve(Limits(global_anon=4, global_auth=50))
    bearer = await _opaque(services, holder)
    assert (await ask(http, "GET", "/closed", headers=bearer)).status == 200
    await services.clients(holder.storage).rotate(holder.agent.id)
    stand_in.faults.calls.clear()
    statuses = [(await ask(http, "GET", "/closed", headers=bearer)).status for _ in range(6)]
    assert statuses == [401] * 3 + [429] * 3
    assert stand_in.faults.calls.count(INTROSPECTION) == 3


async def _opaque(services: Ory, holder: Holder) -> dict[str, str]:
    assert services.stand_in is not None
    services.stand_in.hydra.clients[holder.client_id]["access_token_strategy"] = "opaque"
    issuer = services.issuer_of_tokens(holder.storage, holder.verifier.keys)
    token = await issuer.issue(holder.client_id, holder.secret.secret, None)
    assert token.text.startswith("ory_at_")
    services.stand_in.faults.calls.clear()
    return {"Authorization": f"Bearer {token.text}"}
