"""Workflows are closed while their database is away: no thread of theirs goes on trying to reach it."""

import asyncio
import logging
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from moltnet.adapters.dbos.launch import launched
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps
from tests.support.external import an_external_database
from tests.support.live_server import until

pytestmark = pytest.mark.real

# By then the pauses that the library would make are minutes in all.
ATTEMPTED = "(attempt 7)"
CLOSED_WITHIN_S = 10.0


class Heard(logging.Handler):
    """What a logger says."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def has(self, words: str) -> bool:
        return any(words in each for each in self.said)


async def _wait_long(steps: Steps, _: JsonObject) -> Json:
    await steps.receive("topic", 600)
    return None


async def test_workflows_are_closed_while_their_database_is_away(tmp_path: Path) -> None:
    heard = Heard()
    logging.getLogger("dbos").addHandler(heard)
    try:
        async with an_external_database(tmp_path) as database, AsyncExitStack() as stack:
            before = set(threading.enumerate())
            workflows = await stack.enter_async_context(
                launched(database.address, {"work": _wait_long}, Backoff(first_s=0))
            )
            assert await workflows.start("work", "a", {})
            await database.stop()
            asking = asyncio.create_task(workflows.start("work", "b", {}))
            await until(lambda: heard.has(ATTEMPTED))
            async with asyncio.timeout(CLOSED_WITHIN_S):
                await stack.aclose()
            await asyncio.gather(asking, return_exceptions=True)
            await until(lambda: not _kept_by(set(threading.enumerate()) - before), CLOSED_WITHIN_S)
    finally:
        logging.getLogger("dbos").removeHandler(heard)


def _kept_by(threads: set[threading.Thread]) -> list[str]:
    """The threads that the end of a process would wait for."""
    return [thread.name for thread in threads if not thread.daemon and thread.is_alive()]
