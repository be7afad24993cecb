"""The matrix: which adapters each port's suite runs over."""

from collections.abc import AsyncIterator

import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.ports.storage import Storage
from moltnet.ports.workflows import WorkflowBody, Workflows
from tests.support.engines import DbosEngine, Engine, Launch, MemoryEngine
from tests.support.stored import joined, opened


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
