"""A network, and its agents by one implementation of the agent's port.

An implementation is a `ConnectionOptions`: it is given the network, where it is served, and whom to be, and answers
the agent. It stands as a row in `tests/contract/conftest.py`.
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import attrs

from moltnet.domain.caller import Limits
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.services import Services
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.container.remote import key_pair_of
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.listening import listening_app
from moltnet.entrypoints.rest.options import ConnectionLimits, RestOptions
from moltnet.ports.keys import KeyPair, OwnIdentity
from tests.support.networks import SETTINGS, UNTHROTTLED, in_memory, services_on
from tests.support.remote_agents import http_agent
from tests.support.tool_agent import McpAgent


@attrs.frozen(kw_only=True)
class Served:
    """A network in this process, with its REST door open at `url`."""

    network: MoltNet
    services: Services
    url: str


ConnectionOptions = Callable[[Served, OwnIdentity | None], Awaitable[Agent]]


@attrs.frozen(kw_only=True)
class World:
    """A network, and how its agents are reached; whoever is handed out is let go of with the world."""

    served: Served
    reach: ConnectionOptions
    _stack: AsyncExitStack

    async def founder(self, scopes: frozenset[Scope] = ALL_SCOPES) -> Agent:
        """A new member that nobody vouched for."""
        founded = await self.served.network.genesis(scopes=scopes)
        assert founded.identity
        return await self.returning(founded.identity)

    async def returning(self, identity: OwnIdentity) -> Agent:
        """A member that was here before."""
        return await self._stack.enter_async_context(await self.reach(self.served, identity))

    async def anonymous(self) -> Agent:
        """Nobody in particular."""
        return await self._stack.enter_async_context(await self.reach(self.served, None))


def keys_of(agent: Agent) -> KeyPair:
    """The agent's own key pair."""
    assert agent.keys
    return agent.keys


async def by_library(served: Served, identity: OwnIdentity | None) -> Agent:
    """An agent in the network's own process."""
    return await served.network.agent(identity) if identity else served.network.anonymous


async def by_http(served: Served, identity: OwnIdentity | None) -> Agent:
    """An agent that speaks REST."""
    if identity is None:
        return http_agent(served.url)
    return http_agent(served.url, identity.credentials, keys=key_pair_of(identity.private_key))


async def by_mcp(served: Served, identity: OwnIdentity | None) -> Agent:
    """An agent that calls MCP tools, and speaks REST where there is none."""
    if identity is None:
        return McpAgent(served.url)
    return McpAgent(served.url, identity.credentials, keys=key_pair_of(identity.private_key))


@asynccontextmanager
async def a_world(reach: ConnectionOptions, infrastructure: Infrastructure | None = None) -> AsyncIterator[World]:
    """A network that is empty at first, in memory unless it is given something else to stand on."""
    async with served(infrastructure or in_memory()) as network, AsyncExitStack() as stack:
        yield World(served=network, reach=reach, stack=stack)


@asynccontextmanager
async def served(
    infrastructure: Infrastructure,
    limits: Limits = UNTHROTTLED,
    port: int = 0,
    options: RestOptions | None = None,
    connections: ConnectionLimits | None = None,
    *,
    public_url: str | None = None,
) -> AsyncIterator[Served]:
    """A network on a foundation, served on this machine; with a public address, it is known by that one."""
    settings = attrs.evolve(SETTINGS, rate_limits=limits, public_url=public_url)
    with socket.create_server(("127.0.0.1", port)) as listening:
        port = listening.getsockname()[1]
        url = settings.url(port)
        app_options = attrs.evolve(options or RestOptions(), api_url=url)
        async with (
            services_on(infrastructure, url, settings) as services,
            _door(services, app_options, listening, connections or ConnectionLimits()),
        ):
            network = MoltNet(services, NetworkUrls(api_url=url))
            yield Served(network=network, services=services, url=f"http://127.0.0.1:{port}")


@asynccontextmanager
async def _door(
    services: Services, options: RestOptions, listening: socket.socket, connections: ConnectionLimits
) -> AsyncIterator[None]:
    app = create_app(services, options)
    mount_mcp(app, McpOptions(urls=options.urls, session_secret=b"s" * 32))
    async with listening_app(app, listening, drain_s=1, limits=connections):
        yield
