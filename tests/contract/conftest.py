"""The matrix: which adapters each port's suite runs over.

The suite of the agent's port (`test_agent*.py`) asks for `world`, and there for agents; it never learns how they are
reached. A further implementation is a further row of `WORLDS`: a `ConnectionOptions`, and what the network stands on.
One network serves a whole file, so a test tells its own things from those of others by their ids, tags and agents.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.services.models import Models
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.library.agent import Agent as AnyAgent
from moltnet.ports.storage import Storage
from moltnet.ports.workflows import WorkflowBody, Workflows
from tests.support.engines import DbosEngine, Engine, Launch, MemoryEngine
from tests.support.networks import in_memory
from tests.support.stored import joined, opened
from tests.support.worlds import World, a_world, by_http, by_library, by_mcp

WORLDS = [
    pytest.param((by_library, "memory"), id="library-memory"),
    pytest.param((by_library, "postgres"), id="library-postgres", marks=pytest.mark.real),
    pytest.param((by_http, "memory"), id="http-memory"),
    pytest.param((by_http, "postgres"), id="http-postgres", marks=pytest.mark.real),
    pytest.param((by_mcp, "postgres"), id="mcp-postgres", marks=pytest.mark.real),
]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Storage that holds nothing yet."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    from tests.support.postgres import open_storage  # noqa: PLC0415 - starts a server

    async with open_storage() as postgres:
        yield postgres


@pytest.fixture
async def agent(storage: Storage) -> Agent:
    """A stored member."""
    return await joined(storage)


@pytest.fixture
async def diary(storage: Storage, agent: Agent) -> Diary:
    """A stored diary of the member's."""
    return await opened(storage, agent)


@pytest.fixture(params=["memory", pytest.param("dbos", marks=pytest.mark.real)])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An engine that remembers nothing yet."""
    if request.param == "memory":
        engine: Engine = MemoryEngine()
        yield engine
        await engine.stop()
        return
    from tests.support.postgres import a_workflow_database  # noqa: PLC0415 - starts a server

    async with a_workflow_database() as conninfo:
        engine = DbosEngine(conninfo)
        yield engine
        await engine.stop()


@pytest.fixture
def launch(engine: Engine) -> Launch:
    """Launches an engine with one workflow, by the name `work`."""

    async def launch(body: WorkflowBody) -> Workflows:
        return await engine.launch({"work": body})

    return launch


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A network and its agents, by one implementation of the agent's port."""
    reach, store = request.param
    async with _FOUNDATIONS[store]() as infrastructure, a_world(reach, infrastructure) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def ada(world: World) -> AnyAgent:
    """A member."""
    return await world.founder()


@pytest_asyncio.fixture(loop_scope="module")
async def bob(world: World) -> AnyAgent:
    """Another member."""
    return await world.founder()


@pytest_asyncio.fixture(loop_scope="module")
async def nobody(world: World) -> AnyAgent:
    """Nobody in particular."""
    return await world.anonymous()


@asynccontextmanager
async def _on_memory() -> AsyncIterator[Infrastructure]:
    yield in_memory()


@asynccontextmanager
async def _on_postgres() -> AsyncIterator[Infrastructure]:
    from moltnet.adapters.postgres.notifications import PostgresNotifications  # noqa: PLC0415 - as below
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415 - as below
    from tests.support.postgres import a_database  # noqa: PLC0415 - starts a server

    async with (
        a_database() as conninfo,
        PostgresStorage.open(conninfo, max_connections=8) as storage,
        PostgresNotifications.open(conninfo) as events,
    ):
        yield Infrastructure(storage=storage, events=events, models=Models(MemoryEmbedder()))


_FOUNDATIONS = {"memory": _on_memory, "postgres": _on_postgres}
