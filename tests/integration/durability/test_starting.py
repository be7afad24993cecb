"""A workflow whose starter did not wait for it."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from moltnet.adapters.dbos.launch import launched
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps
from tests.support.postgres import MIGRATED, a_copy, rows

pytestmark = pytest.mark.real

WAITS_FOR_A_LOCK = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_copy(MIGRATED, "starting") as conninfo:
        yield conninfo


async def body(_: Steps, argument: JsonObject) -> Json:
    return argument["number"]


async def test_what_its_starter_gave_up_waiting_for_runs_all_the_same(database: str) -> None:
    async with (
        launched(database, {"work": body}, Backoff(first_s=0)) as workflows,
        await psycopg.AsyncConnection.connect(database) as slow,
    ):
        await slow.execute("lock table dbos.workflow_status in share mode")
        starting = asyncio.create_task(workflows.start("work", "a", {"number": 1}))
        await _until_there(database, WAITS_FOR_A_LOCK)
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled()
        await slow.rollback()
        await _until_there(database, "select 1 from dbos.workflow_status where workflow_uuid = 'a'")
        assert await workflows.result("a", within_s=30) == 1


async def _until_there(database: str, statement: str) -> None:
    while not await rows(database, statement):  # noqa: ASYNC110 - the database does not tell
        await asyncio.sleep(0.01)
