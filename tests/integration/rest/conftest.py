"""The REST door over a real socket: before routes of the tests' own, or before a whole network in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.system import MemoryClock, MemoryWorkers
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.system import MemoryRateLimits
from moltnet.domain.caller import Caller, Limits
from moltnet.domain.credentials import InvalidToken, Scope
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import PublicKey
from moltnet.domain.services import Services
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.identity import BeforeRemoteCall
from moltnet.ports.telemetry import NO_TELEMETRY
from tests.integration.rest import framework
from tests.integration.rest.declared import declared
from tests.integration.rest.members import RestMember, signed_in
from tests.support.builders import NOON
from tests.support.networks import UNTHROTTLED, WEBHOOK_KEY, in_memory, services_on

GOOD_TOKEN, NARROW_TOKEN = "good-token", "narrow-token"

AGENT = Caller(
    agent_id=AgentId(UUID(int=1)),
    public_key=PublicKey(bytes(range(32))),
    client_id=ClientId(UUID(int=2)),
    scopes=frozenset(Scope),
    client_scopes=frozenset(Scope),
)
NARROW_AGENT = Caller(
    agent_id=AgentId(UUID(int=3)),
    public_key=PublicKey(bytes(range(32))),
    client_id=ClientId(UUID(int=4)),
    scopes=frozenset({Scope.DIARY_READ}),
    client_scopes=frozenset(Scope),
)


class TwoTokens:
    """Knows two tokens, one of them for reading only."""

    async def authenticate(self, token: str, _: BeforeRemoteCall) -> Caller:
        known = {GOOD_TOKEN: AGENT, NARROW_TOKEN: NARROW_AGENT}
        if token not in known:
            raise InvalidToken
        return known[token]


Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture
def clock() -> MemoryClock:
    """By which the requests to `serve` are counted."""
    return MemoryClock(NOON)


@pytest.fixture
async def serve(clock: MemoryClock) -> AsyncIterator[Serve]:
    """Serves routes over the two tokens; everything is closed when the test ends."""
    async with AsyncExitStack() as stack:

        async def start(
            routes: Iterable[AnyRoute], options: RestOptions | None = None, limits: Limits = UNTHROTTLED
        ) -> TestClient[Any, Any]:
            throttling = ThrottlingService(counts=MemoryRateLimits(clock), limits=limits)
            services: Any = SimpleNamespace(
                authentication=TwoTokens(), throttling=throttling, workers=MemoryWorkers(), telemetry=NO_TELEMETRY
            )
            server = TestServer(create_app(services, options, routes))
            return await stack.enter_async_context(TestClient(server))

        yield start


@pytest.fixture
def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {GOOD_TOKEN}"}


@pytest.fixture
def narrow_bearer() -> dict[str, str]:
    """The header of an agent whose token is for reading only."""
    return {"Authorization": f"Bearer {NARROW_TOKEN}"}


@attrs.frozen(kw_only=True)
class RestNetwork:
    """A server over a network in memory, and that network's use cases."""

    http: TestClient[Any, Any]
    services: Services

    async def member(self) -> RestMember:
        """A new agent with a token."""
        key = NaclKeyPair.generate()
        return await signed_in(self.http, key, await self.services.registration.genesis(key.public_key.text))


@asynccontextmanager
async def a_network() -> AsyncIterator[RestNetwork]:
    """A server over a new network; it fails where an answer is not as the OpenAPI document says."""
    async with services_on(in_memory()) as services:
        app = create_app(services, RestOptions(webhook_key=WEBHOOK_KEY))
        app.on_response_prepare.append(declared().check)
        async with TestClient(TestServer(app)) as http:
            yield RestNetwork(http=http, services=services)


@pytest.fixture
async def network() -> AsyncIterator[RestNetwork]:
    """A server that is empty but for what the test puts there."""
    async with a_network() as network:
        yield network


@pytest.fixture
async def ada(network: RestNetwork) -> RestMember:
    """A member."""
    return await network.member()


@pytest.fixture
async def bob(network: RestNetwork) -> RestMember:
    """Another member."""
    return await network.member()


@pytest.fixture
async def client(serve: Serve) -> TestClient[Any, Any]:
    """A server of the routes in `framework`."""
    return await serve(framework.ROUTES)
