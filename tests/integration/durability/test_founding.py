"""kill -9 at every moment of the making of a first agent, and of several: the next start has them, each once."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

from tests.support.founder import FILE, Founding
from tests.support.postgres import a_workflow_database, rows

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

CALLS = (
    "before start registerAgent",
    "after start registerAgent",
    "after step create-identity",
    "after commit of agents.add",
    "before step create-client",
    "after clients.put",
    "after commit of clients.renew_unused",
)
NAMES = ["ada", "../bea", "agent-3"]
MANY = 100
LONG_AGO = "update oauth_clients set created_at = created_at - interval '1 day'"


@attrs.frozen
class Founders:
    """Processes that found."""

    process: asyncio.subprocess.Process

    async def found(self, founding: Founding) -> str:
        """How a process that did so ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(attrs.asdict(founding)).encode() + b"\n")
        return (await self.process.stdout.readline()).decode().strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def founders() -> AsyncIterator[Founders]:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.support.founder")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    yield Founders(process)
    assert process.stdin
    process.stdin.close()
    await process.wait()


async def _agents(database: str) -> int:
    ((count,),) = await rows(database, "select count(*) from agent_keys")
    return int(count)


@pytest.mark.parametrize("dies", CALLS)
async def test_first_agent_outlives_a_kill_at_every_step_of_its_registration(
    founders: Founders, tmp_path: Path, dies: str
) -> None:
    async with a_workflow_database() as database:
        first = Founding(database=database, folder=str(tmp_path), dies=dies)
        assert await founders.found(first) == "killed"
        await _is_there_once(founders, first)


@pytest.mark.parametrize("apart", [4, pytest.param(1, marks=pytest.mark.soak)])
async def test_first_agent_outlives_a_kill_before_every_write_to_its_folder(
    founders: Founders, tmp_path: Path, apart: int
) -> None:
    for number in range(1, MANY, apart):
        async with a_workflow_database() as database:
            folder = tmp_path / str(number)
            folder.mkdir()
            first = Founding(database=database, folder=str(folder), dies=f"{FILE}{number}")
            ended = await founders.found(first)
            await _is_there_once(founders, first)
        if ended == "done":
            break
    assert 6 < number < MANY


async def test_first_agent_that_was_begun_long_ago_is_finished(founders: Founders, tmp_path: Path) -> None:
    async with a_workflow_database() as database:
        first = Founding(database=database, folder=str(tmp_path), dies="after clients.put")
        assert await founders.found(first) == "killed"
        await rows(database, f"{LONG_AGO} returning 1")
        await _is_there_once(founders, first)


@pytest.mark.parametrize("number", [1, 4, 7, 9, 14])
async def test_several_agents_outlive_a_kill_in_the_middle(founders: Founders, tmp_path: Path, number: int) -> None:
    async with a_workflow_database() as database:
        several = Founding(database=database, folder=str(tmp_path), names=NAMES, dies=f"{FILE}{number}")
        assert await founders.found(several) == "killed"
        assert await founders.found(attrs.evolve(several, dies=None)) == "done"
        assert await _agents(database) == len(NAMES)


async def _is_there_once(founders: Founders, killed: Founding) -> None:
    for _ in range(2):
        assert await founders.found(attrs.evolve(killed, dies=None)) == "done"
        assert await _agents(killed.database) == 1
