"""Whether a database can do its work, as `/ready` tells it."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres.health_check import DatabaseHealthCheck, DiskSpace, PostgresReadiness
from moltnet.domain.errors import StorageFull, StorageReadOnly, StorageUnavailable
from tests.support.postgres import a_database, execute, rows

# Waits until they are gone.
END_ASKED = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = 'asked'"

pytestmark = pytest.mark.real


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


async def test_database_that_answers_is_ready_however_often_it_is_asked(database: str) -> None:
    async with aclosing(PostgresReadiness(database, DiskSpace())) as readiness:
        for _ in range(3):
            await readiness.check()


async def test_lost_connection_is_reported_once_and_made_anew(database: str) -> None:
    async with aclosing(PostgresReadiness(make_conninfo(database, application_name="asked"), DiskSpace())) as readiness:
        await readiness.check()
        await rows(database, END_ASKED)
        with pytest.raises(StorageUnavailable, match=r"^The database does not answer$"):
            await readiness.check()
        await readiness.check()


async def test_unreachable_database_is_reported_without_its_address() -> None:
    async with aclosing(PostgresReadiness("postgresql://u:geheim@127.0.0.1:1/net", DiskSpace())) as readiness:
        with pytest.raises(StorageUnavailable, match=r"^The database does not answer$"):
            await readiness.check()


async def test_standby_is_not_ready(database: str) -> None:
    standby = make_conninfo(database, options="-c default_transaction_read_only=on")
    async with aclosing(PostgresReadiness(standby, DiskSpace())) as readiness:
        with pytest.raises(StorageReadOnly):
            await readiness.check()
    with pytest.raises(StorageReadOnly, match="it is a standby"):
        await DatabaseHealthCheck(standby).server()


async def test_database_without_room_stays_so_until_room_can_be_taken(database: str) -> None:
    """A table cannot be made where the schema of temporary ones may not be."""
    room = DiskSpace(is_missing=True)
    await execute(
        database,
        "create function no_room() returns event_trigger language plpgsql as "
        "$$ begin raise exception 'as ordered' using errcode = 'disk_full'; end $$",
    )
    await execute(database, "create event trigger no_room on ddl_command_start execute function no_room()")
    async with aclosing(PostgresReadiness(database, room)) as readiness:
        try:
            with pytest.raises(StorageFull):
                await readiness.check()
        finally:
            await execute(database, "drop event trigger no_room; drop function no_room")
        assert room.is_missing
        await readiness.check()
    assert not room.is_missing


async def test_what_a_supervisor_knows_is_logged_first(database: str) -> None:
    def away() -> None:
        raise StorageUnavailable("It is being started again")

    async with aclosing(PostgresReadiness(database, DiskSpace(), away)) as readiness:
        with pytest.raises(StorageUnavailable, match=r"^It is being started again$"):
            await readiness.check()
