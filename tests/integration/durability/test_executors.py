"""Who is alive, and who goes on with the work of whom is not (ADR-13)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import sqlalchemy as sa

from moltnet.adapters.dbos.connections import Executor, engine_of, lock_key
from tests.support.postgres import MIGRATED, a_copy, execute, rows

pytestmark = pytest.mark.real

VERSION = "test"
PENDING = """
    insert into dbos.workflow_status (workflow_uuid, status, executor_id, application_version)
    values (%(id)s, 'PENDING', %(executor)s, %(version)s)
"""
# One row while an executor's lock is held: pg_locks shows a key in halves.
HELD = """
    select 1 from pg_locks where locktype = 'advisory' and (classid::bigint << 32 | objid::bigint) = %(key)s
"""
END_CONNECTIONS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'moltnet workflows'
"""


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_copy(MIGRATED, "executors") as conninfo:
        yield conninfo


@pytest.fixture
def claimed(database: str) -> Iterator[Callable[[], Executor]]:
    executors: list[Executor] = []

    def claim() -> Executor:
        executor = Executor(engine_of(database, poolclass=sa.NullPool), VERSION)
        executors.append(executor)
        assert executor.claim()
        return executor

    yield claim
    for executor in executors:
        executor.release()


async def leaves_work(database: str, executor: Executor, version: str = VERSION) -> None:
    await execute(database, PENDING, id=executor.id, executor=executor.id, version=version)


async def releases(database: str, executor: Executor) -> None:
    """Lets go; the server is a moment later than the process in noticing."""
    assert await rows(database, HELD, key=lock_key(executor.id))
    executor.release()
    deadline = time.monotonic() + 20
    while await rows(database, HELD, key=lock_key(executor.id)):
        assert time.monotonic() < deadline, "the lock is still held"
        await asyncio.sleep(0.02)


def adopted_by(executor: Executor) -> list[str]:
    taken: list[str] = []
    executor.adopt(taken.append)
    return taken


async def test_nobody_takes_the_work_of_a_living_process(database: str, claimed: Callable[[], Executor]) -> None:
    one, other = claimed(), claimed()
    await leaves_work(database, one)
    await leaves_work(database, other)
    for _ in range(3):
        assert adopted_by(one) == adopted_by(other) == []
        assert not one.claim()


async def test_whose_lock_is_free_twice_is_gone(database: str, claimed: Callable[[], Executor]) -> None:
    gone, lives = claimed(), claimed()
    await leaves_work(database, gone)
    await releases(database, gone)
    assert adopted_by(lives) == []
    assert adopted_by(lives) == [gone.id]


async def test_who_comes_back_in_time_keeps_its_work(database: str, claimed: Callable[[], Executor]) -> None:
    slow, lives = claimed(), claimed()
    await leaves_work(database, slow)
    await releases(database, slow)
    assert adopted_by(lives) == []
    assert slow.claim()
    assert adopted_by(lives) == []
    await releases(database, slow)
    assert adopted_by(lives) == []


async def test_one_adopts_at_a_time(database: str, claimed: Callable[[], Executor]) -> None:
    gone, one, other = claimed(), claimed(), claimed()
    await leaves_work(database, gone)
    await releases(database, gone)
    assert adopted_by(one) == adopted_by(other) == []
    meanwhile: list[list[str]] = []
    one.adopt(lambda _: meanwhile.append(adopted_by(other)))
    assert meanwhile == [[]]


async def test_after_a_lost_connection_nobody_is_assumed_dead_at_once(
    database: str, claimed: Callable[[], Executor]
) -> None:
    one, other = claimed(), claimed()
    await leaves_work(database, other)
    await releases(database, other)
    assert adopted_by(one) == []
    await rows(database, END_CONNECTIONS)
    with pytest.raises(sa.exc.DBAPIError):
        adopted_by(one)
    assert one.claim()
    assert adopted_by(one) == []
    assert other.claim()
    assert adopted_by(one) == []


async def test_work_of_another_version_is_left_alone(database: str, claimed: Callable[[], Executor]) -> None:
    gone, lives = claimed(), claimed()
    await leaves_work(database, gone, version="another")
    await releases(database, gone)
    assert adopted_by(lives) == adopted_by(lives) == []
