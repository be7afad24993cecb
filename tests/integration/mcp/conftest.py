"""The MCP door over a real socket, before a whole network in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from socket import AF_INET
from typing import Any

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer, get_port_socket

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.caller import Limits
from moltnet.domain.services import Services
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from tests.integration.rest.members import RestMember, signed_in
from tests.support.interruptions import Calls, InterruptedStorage
from tests.support.networks import SETTINGS, UNTHROTTLED, in_memory, services_on

API = "http://network.test"


@attrs.frozen(kw_only=True)
class McpNetwork:
    """A server over a network in memory, and that network's use cases; `calls` interrupts statements of its storage."""

    http: TestClient[Any, Any]
    services: Services
    calls: Calls

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.http.make_url("")).rstrip("/")

    async def member(self) -> RestMember:
        """A new agent with a token."""
        key = NaclKeyPair.generate()
        return await signed_in(self.http, key, await self.services.registration.genesis(key.public_key.text))


Serve = Callable[..., Awaitable[McpNetwork]]


@asynccontextmanager
async def served(
    limits: Limits = UNTHROTTLED,
    *,
    anonymous: bool = True,
    at_its_own_address: bool = False,
    changed: Callable[[Services], Services] = lambda services: services,
) -> AsyncIterator[McpNetwork]:
    """Serves an empty network in memory; it names itself as `API`, or as where it really is."""
    settings = attrs.evolve(SETTINGS, rate_limits=limits)
    bound = get_port_socket("127.0.0.1", 0, AF_INET)
    api = f"http://127.0.0.1:{bound.getsockname()[1]}" if at_its_own_address else API
    calls, infrastructure = Calls(), in_memory()
    infrastructure = attrs.evolve(infrastructure, storage=InterruptedStorage(infrastructure.storage, calls))
    async with services_on(infrastructure, api, settings) as assembled:
        services = changed(assembled)
        options = RestOptions(api_url=api)
        app = create_app(services, options)
        secret = settings.mcp_session_secret
        mount_mcp(app, McpOptions(urls=options.urls, session_secret=secret, anonymous=anonymous))
        async with TestClient(TestServer(app, socket_factory=lambda *_: bound)) as http:
            yield McpNetwork(http=http, services=services, calls=calls)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves networks that are empty but for what the test puts there."""
    async with AsyncExitStack() as stack:

        async def start(limits: Limits = UNTHROTTLED, **options: bool) -> McpNetwork:
            return await stack.enter_async_context(served(limits, **options))

        yield start


@pytest.fixture
async def network(serve: Serve) -> McpNetwork:
    """A server where nobody is held up."""
    return await serve()


@pytest.fixture
async def ada(network: McpNetwork) -> RestMember:
    """A member."""
    return await network.member()


def shown(member: RestMember) -> dict[str, str]:
    """The two headers an MCP client shows a member's credentials in."""
    return {"X-Client-Id": member.client_id, "X-Client-Secret": member.secret}


def message(method: str, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def initialize(version: str = "2025-06-18") -> dict[str, Any]:
    """The message a session begins with."""
    return message(
        "initialize", protocolVersion=version, capabilities={}, clientInfo={"name": "a client", "version": "1"}
    )
