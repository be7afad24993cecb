"""A client of MCP: an agent's hands, and what must be asked before they act."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Protocol

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.errors import Limited, Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.library.agent import Agent, LocalAgent
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.system import Result, Workers
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

TIMEOUT_S = 30.0


class Unanswered(Unavailable):
    """The network did not answer in time; nothing is known about the outcome."""

    code = "UNANSWERED"
    sentence = f"The network did not answer within {TIMEOUT_S:.0f} seconds"


class TooManyCalls(Limited):
    """More calls within a minute than the operation allows."""

    code = "TOO_MANY_CALLS"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"Too many requests. Please retry after {retry_after_s} seconds.")


class McpSession(Protocol):
    """The other end of one message."""

    @property
    def agent(self) -> Agent:
        """What it can do in the network."""

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed credentials; without, it may use the public tools alone."""

    @property
    def sign_in(self) -> str | None:
        """The challenge that a result has to hold, where it is asked for what needs credentials and has none."""

    @property
    def timeout_s(self) -> float:
        """How long it waits for anything that it asks of the network."""

    @property
    def workers(self) -> Workers:
        """What computes for it beside the event loop, if others wait for that."""

    @property
    def telemetry(self) -> Telemetry:
        """What is told of its calls."""

    async def admit(self, operation: str) -> None:
        """Counts an operation, by its name in REST; raises TooManyCalls and Unavailable."""


@asynccontextmanager
async def answering(session: McpSession, operation: str) -> AsyncIterator[None]:
    """Does something for a client: counted as an operation, and within its time.

    Raises Unanswered, and what counting raises.
    """
    try:
        async with asyncio.timeout(session.timeout_s):
            with session.telemetry.span(f"mcp {operation}"):
                await session.admit(operation)
                yield
    except TimeoutError as error:
        raise Unanswered from error


@attrs.frozen
class SingleMcpSession:
    """A `McpSession` that acts for the agent whose process this is; its network does the counting."""

    agent: Agent
    is_authenticated: bool
    timeout_s: float = TIMEOUT_S

    @property
    def sign_in(self) -> None:
        """Nothing: nobody signs in on a stream that is the agent's own."""
        return

    @property
    def workers(self) -> Workers:
        """Nobody else waits."""
        return _AtOnce()

    @property
    def telemetry(self) -> Telemetry:
        """Nothing: its network tells."""
        return NO_TELEMETRY

    async def admit(self, operation: str) -> None:
        """Lets it in."""


class _AtOnce:
    async def run(self, work: Callable[[], Result], size: int) -> Result:  # noqa: ARG002  # the port's
        return work()


_ROUTES: Mapping[str, AnyRoute] = MappingProxyType({route.operation_id: route for route in ROUTES})


@attrs.frozen(kw_only=True)
class LocalMcpSession:
    """A `McpSession` over the use cases; `address` is where its messages come from."""

    services: Services
    caller: Caller | Anonymous
    address: str
    agent: LocalAgent
    sign_in: str | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed credentials."""
        return isinstance(self.caller, Caller)

    @property
    def workers(self) -> Workers:
        """The network's."""
        return self.services.workers

    @property
    def telemetry(self) -> Telemetry:
        """The network's."""
        return self.services.telemetry

    async def admit(self, operation: str) -> None:
        """Counts an operation with the requests of the route of the same name; raises TooManyCalls."""
        tier = _ROUTES[operation].tier
        if tier is None:
            return
        allowance = await self.services.throttling.count(tier, operation, self.caller, self.address)
        if not allowance.allowed:
            raise TooManyCalls(allowance.reset_s)
