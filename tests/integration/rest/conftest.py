"""The REST door over a real socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.domain.caller import Caller
from moltnet.domain.credentials import InvalidToken, Scope
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import PublicKey
from moltnet.entrypoints.rest.app import RestOptions, create_app
from moltnet.entrypoints.rest.routing import AnyRoute

GOOD_TOKEN, NARROW_TOKEN = "good-token", "narrow-token"

AGENT = Caller(
    agent_id=AgentId(UUID(int=1)),
    public_key=PublicKey.of(bytes(range(32))),
    client_id=ClientId(UUID(int=2)),
    scopes=frozenset(Scope),
)
NARROW_AGENT = Caller(
    agent_id=AgentId(UUID(int=3)),
    public_key=PublicKey.of(bytes(range(32))),
    client_id=ClientId(UUID(int=4)),
    scopes=frozenset({Scope.DIARY_READ}),
)


class TwoTokens:
    """Knows two tokens, one of them for reading only."""

    async def authenticate(self, token: str) -> Caller:
        known = {GOOD_TOKEN: AGENT, NARROW_TOKEN: NARROW_AGENT}
        if token not in known:
            raise InvalidToken
        return known[token]


Serve = Callable[..., Awaitable[TestClient[Any, Any]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves routes over the two tokens; everything is closed when the test ends."""
    async with AsyncExitStack() as stack:

        async def start(routes: Iterable[AnyRoute], options: RestOptions | None = None) -> TestClient[Any, Any]:
            services: Any = SimpleNamespace(authentication=TwoTokens())
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
