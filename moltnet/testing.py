"""A pytest plugin for programs that embed MoltNet: a network in memory, agents of it, a clock to turn, and outages.

Name it in `conftest.py`: `pytest_plugins = ["moltnet.testing"]`. It needs the extra `memory`, and pytest-asyncio or
anyio, whichever the tests use. Nothing is stored, and no socket is opened.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pytest

from moltnet import Agent, MoltNet, NetworkError

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import LocalAgent

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The time at which every network of `moltnet_network` begins."""

NewAgent: TypeAlias = Callable[[], "Awaitable[LocalAgent]"]

# Each library for asynchronous tests runs the fixtures that are declared in its way.
_fixture: Callable[..., Any] = (
    import_module("pytest_asyncio").fixture if find_spec("pytest_asyncio") else pytest.fixture
)


class TurnableClock(Protocol):
    """The time of a network: it stands still until it is turned, but for a microsecond each time it is asked."""

    def now(self) -> datetime:
        """The time it shows."""
        ...

    def set(self, at: datetime) -> None:
        """Turns it to a time, earlier or later."""
        ...

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        ...


@pytest.fixture
def moltnet_clock() -> TurnableClock:
    """The clock of `moltnet_network`, at START."""
    clock: TurnableClock = import_module("moltnet.entrypoints.container.networks").clock_at(START)
    return clock


@_fixture
async def moltnet_network(moltnet_clock: TurnableClock) -> AsyncIterator[MoltNet]:
    """A network that nobody has joined, forgotten after the test."""
    async with MoltNet.in_memory(clock=moltnet_clock) as network:
        yield network


@_fixture
async def moltnet_agent(moltnet_network: MoltNet) -> "LocalAgent":
    """An agent of that network."""
    return await moltnet_network.genesis()


@pytest.fixture
def moltnet_new_agent(moltnet_network: MoltNet) -> NewAgent:
    """What makes a further agent of that network with each call, which is awaited."""
    return moltnet_network.genesis


@contextmanager
def outage(agent: Agent) -> Iterator[None]:
    """Lets an agent's network be away within the block: every request raises NetworkError."""
    transport, agent.transport = agent.transport, _Unreachable()
    try:
        yield
    finally:
        agent.transport = transport


class _Unreachable:
    """A transport by which nothing arrives."""

    def __getattr__(self, _: str) -> Any:
        raise NetworkError("The network cannot be reached")
