"""Connections: none to be had, lost in the middle, replaced after a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from moltnet.adapters.dbos.connections import dispose, engine_of
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.migrate import Migration, load_migrations, migrate
from moltnet.adapters.postgres.notifications import PostgresNotifications
from moltnet.adapters.postgres.session import Session
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import UnknownSuccessor
from moltnet.domain.errors import StatementTimedOut, StorageUnavailable
from moltnet.domain.ids import EntryId
from tests.support.builders import NOON, an_agent, an_entry, an_id, an_index
from tests.support.live_server import until
from tests.support.postgres import a_database, an_empty_database, execute, rows
from tests.support.stored import joined

pytestmark = pytest.mark.real

# Ends every other connection to this database, as a restart of the server does.
END_OTHERS = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""

# From the moment that a server answers again; those who ask meanwhile wait for that long.
BACK_WITHIN_S = 5.0


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


@pytest.fixture
async def storage(database: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(database, max_connections=3) as storage:
        yield storage


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        async with PostgresStorage.open(f"host={tmp_path} dbname=none", max_connections=1, wait_s=0.2):
            pytest.fail("there is nothing to open")


async def test_a_database_that_was_not_migrated_is_unavailable() -> None:
    async with an_empty_database() as conninfo:
        with pytest.raises(StorageUnavailable):
            async with PostgresStorage.open(conninfo, max_connections=1, wait_s=0.2):
                pytest.fail("there is nothing to open")


async def test_a_unit_of_work_without_a_free_connection_in_time_is_unavailable(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1, wait_s=BACK_WITHIN_S) as storage:
        assert storage._pool.timeout == BACK_WITHIN_S
        async with storage.transaction():
            # Shortened only while the one connection is lent, so that a slow machine does not lack the first one.
            storage._pool.timeout = 0.01
            with pytest.raises(StorageUnavailable):
                async with storage.snapshot():
                    pytest.fail("there is only one connection")
        storage._pool.timeout = BACK_WITHIN_S
        async with storage.snapshot() as work:
            assert await work.signing_keys.all() == []


async def test_a_connection_that_is_given_back_after_the_end_is_closed(database: str) -> None:
    engine = engine_of(database)
    connection, idle = engine.connect(), engine.connect()
    drivers = [each.connection.driver_connection for each in (connection, idle)]
    idle.close()
    dispose(engine)
    assert [driver is not None and driver.closed for driver in drivers] == [False, True]
    connection.close()
    assert [driver is not None and driver.closed for driver in drivers] == [True, True]


async def test_a_closed_storage_is_unavailable(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        pass
    with pytest.raises(StorageUnavailable):
        async with storage.snapshot():
            pytest.fail("it is closed")


async def test_ended_connections_are_replaced_unnoticed(storage: PostgresStorage, database: str) -> None:
    agent = await joined(storage)
    for _ in range(3):
        await execute(database, END_OTHERS)
        async with storage.snapshot() as work:
            assert await work.agents.find(agent.id) == agent


async def test_snapshots_leave_a_connection_what_it_has_prepared(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        for _ in range(10):  # psycopg prepares what it has executed five times
            async with storage.snapshot() as work:
                await work.signing_keys.all()
        async with storage._pool.connection() as connection:
            prepared = await connection.execute("select statement from pg_prepared_statements")
            assert any("token_keys" in statement for (statement,) in await prepared.fetchall())


async def test_the_connection_that_came_back_last_is_lent_next(storage: PostgresStorage) -> None:
    pool = storage._pool
    lent = [await pool.getconn() for _ in range(3)]
    for connection in lent:
        await pool.give_back(connection)

    again = [await pool.getconn() for _ in range(3)]

    assert again == lent[::-1]
    for connection in again:
        await pool.give_back(connection)


async def test_all_connections_at_once_may_be_replaced(storage: PostgresStorage, database: str) -> None:
    arrived = asyncio.Barrier(3)

    async def meet() -> None:
        async with storage.transaction():
            await arrived.wait()

    await asyncio.gather(*(meet() for _ in range(3)))
    await execute(database, END_OTHERS)
    await asyncio.gather(*(meet() for _ in range(3)))


async def test_a_restarted_server_is_used_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    conninfo = server.start()
    try:
        await migrate(conninfo)
        async with PostgresStorage.open(conninfo, max_connections=2) as storage:
            agent = await joined(storage)
            server.stop()
            assert server.start() == conninfo
            async with storage.transaction() as work:
                assert await work.agents.find(agent.id) == agent
    finally:
        server.stop()


async def test_a_server_that_was_away_for_long_is_asked_again_every_second(tmp_path: Path) -> None:
    """By pauses that double, so many attempts would take two minutes, and the next one as long again."""
    server = EmbeddedPostgres(tmp_path)
    conninfo = server.start()
    try:
        await migrate(conninfo)
        async with PostgresStorage.open(conninfo, max_connections=1, wait_s=BACK_WITHIN_S) as storage:
            agent = await joined(storage)
            before = _failed_attempts(storage)
            server.stop()
            with pytest.raises(StorageUnavailable):
                async with storage.snapshot():
                    pytest.fail("there is no server")
            await until(lambda: _failed_attempts(storage) >= before + 7)
            server.start()
            async with storage.snapshot() as work:
                assert await work.agents.find(agent.id) == agent
    finally:
        server.stop()


def _failed_attempts(storage: PostgresStorage) -> int:
    return storage._pool.get_stats().get("connections_errors", 0)


async def test_a_connection_lost_in_the_middle_undoes_everything(storage: PostgresStorage, database: str) -> None:
    newcomer = an_agent()

    async def join() -> None:
        async with storage.transaction() as work:
            await work.agents.add(newcomer)
            await execute(database, END_OTHERS)
            await work.agents.find(newcomer.id)

    with pytest.raises(StorageUnavailable):
        await join()
    async with storage.snapshot() as work:
        assert await work.agents.find(newcomer.id) is None


async def test_a_connection_lost_before_the_commit_is_reported(storage: PostgresStorage, database: str) -> None:
    newcomer = an_agent()

    async def join() -> None:
        async with storage.transaction() as work:
            await work.agents.add(newcomer)
            await execute(database, END_OTHERS)

    with pytest.raises(StorageUnavailable):
        await join()
    async with storage.snapshot() as work:
        assert await work.agents.find(newcomer.id) is None


async def test_a_unit_of_work_ends_with_its_context(storage: PostgresStorage) -> None:
    async with storage.snapshot() as work:
        pass
    with pytest.raises(RuntimeError, match="not used after"):
        await work.agents.find(an_agent().id)


async def test_a_transaction_with_a_caught_error_is_not_taken_for_committed(
    storage: PostgresStorage, diary: Diary
) -> None:
    async def write() -> None:
        async with storage.transaction() as work:
            with suppress(UnknownSuccessor):
                await work.entries.add(an_entry(diary=diary.id, superseded_by=EntryId(an_id())), an_index())

    with pytest.raises(RuntimeError, match="nothing of it can be written"):
        await write()


async def test_a_cancelled_statement_leaves_its_connection_usable(database: str, agent: Agent) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:

        async def wait_long() -> None:
            async with storage._pool.connection() as connection:
                await Session(connection).run("select pg_sleep(60)")

        task = asyncio.create_task(wait_long())
        while not await rows(database, "select from pg_stat_activity where query = 'select pg_sleep(60)'"):
            assert not task.done()
        task.cancel()
        await asyncio.wait({task})
        async with storage.snapshot() as work:
            assert await work.agents.find(agent.id) == agent


async def test_times_come_back_in_utc(storage: PostgresStorage, database: str) -> None:
    await execute(
        database,
        f"alter database {(await rows(database, 'select current_database()'))[0][0]} set timezone = 'Asia/Tokyo'",
    )
    agent = await joined(storage)
    async with storage.snapshot() as work:
        found = await work.agents.find(agent.id)
    assert found is not None
    assert found.created_at.tzinfo is UTC
    assert found.created_at == NOON


async def test_a_statement_that_takes_too_long_is_given_up(database: str) -> None:
    newcomer = an_agent()
    async with PostgresStorage.open(database, max_connections=1, statement_s=0.2) as storage:
        with pytest.raises(StatementTimedOut):
            await slow(storage, newcomer)
        # The connection is as good as before, and nothing was written.
        async with storage.snapshot() as work:
            assert await work.agents.find(newcomer.id) is None


async def slow(storage: PostgresStorage, newcomer: Agent) -> None:
    async with storage.transaction() as work:
        await work.agents.add(newcomer)
        session: Session = work.agents._session  # no statement of ours is slow by itself
        await session.run("select pg_sleep(60)")


SHOW = "show statement_timeout"


async def test_any_caller_that_listens_has_a_limit_for_statements(database: str) -> None:
    notifications = PostgresNotifications(database)
    await notifications._connect()  # nobody else sees what is set on a connection
    connection = notifications._connection
    assert connection is not None
    async with connection:
        assert await (await connection.execute(SHOW)).fetchone() == ("30s",)


@pytest.mark.parametrize(("options", "limit"), [({}, "1min"), ({"statement_s": 0}, "0")])
async def test_a_statement_of_a_workflow_has_a_limit(database: str, options: dict[str, float], limit: str) -> None:
    engine = engine_of(database, poolclass=sa.NullPool, **options)
    with engine.connect() as connection:
        connection.rollback()  # the limit is the connection's, not that of its first transaction
        assert connection.execute(sa.text(SHOW)).scalar() == limit


async def test_a_migration_takes_its_time_whatever_the_role_may(database: str) -> None:
    hasty = make_conninfo(database, options="-c statement_timeout=50")
    slow = Migration(9999, "9999_slow.sql", b"select pg_sleep(0.2)")
    try:
        assert await migrate(hasty, [*load_migrations(), slow]) == [slow.name]
    finally:
        await execute(database, "delete from schema_migrations where version = 9999")
