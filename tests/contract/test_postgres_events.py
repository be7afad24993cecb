"""Feed events of PostgreSQL: transactions that overtake each other, and connections that are lost."""

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from moltnet.adapters.postgres.notifications import PostgresNotifications
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.feed import Position
from moltnet.ports.storage import Work
from tests.support.builders import an_entry, an_index
from tests.support.postgres import a_database, execute, rows
from tests.support.stored import joined, opened, written

pytestmark = pytest.mark.real

TIMEOUT_S = 20.0
START = Position(0)
# Ends every connection to the database but the one that asks.
END_OTHERS = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
CONNECTIONS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


@attrs.define
class Follower:
    """Reads on from where it is."""

    storage: PostgresStorage
    events: PostgresNotifications
    at: Position = START

    async def next(self) -> list[Entry]:
        until = await asyncio.wait_for(self.events.beyond(self.at), TIMEOUT_S)
        async with self.storage.snapshot() as work:
            stretch = await work.feed.between(self.at, until, 10)
        self.at = stretch.end
        return [item.entry for item in stretch.items]


@pytest.fixture
async def conninfo() -> AsyncIterator[str]:
    async with a_database() as database:
        yield database


@pytest.fixture
async def storage(conninfo: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(conninfo, max_connections=4) as opened_storage:
        yield opened_storage


@pytest.fixture
async def follower(conninfo: str, storage: PostgresStorage) -> AsyncIterator[Follower]:
    async with PostgresNotifications.open(conninfo) as events:
        yield Follower(storage, events)


@pytest.fixture
async def public(storage: PostgresStorage) -> Diary:
    return await opened(storage, await joined(storage), Visibility.PUBLIC)


async def test_an_entry_whose_transaction_was_overtaken_is_reported_afterwards(
    storage: PostgresStorage, follower: Follower, public: Diary
) -> None:
    slow, quick = an_entry(diary=public.id), an_entry(diary=public.id)
    async with storage.transaction() as work:
        await work.entries.add(slow, an_index("slow"))
        await written(storage, quick, index=an_index("quick"))
        assert await follower.next() == [quick]
    assert await follower.next() == [slow]


async def test_what_is_written_while_the_connection_is_lost_is_reported(
    conninfo: str, storage: PostgresStorage, follower: Follower, public: Diary
) -> None:
    for _ in range(3):
        entries = [an_entry(diary=public.id) for _ in range(2)]
        await execute(conninfo, END_OTHERS)
        for entry in entries:
            await written(storage, entry)
        told: list[Entry] = []
        while len(told) < len(entries):
            told += await follower.next()
        assert told == entries


async def test_work_of_the_time_without_a_connection_is_announced(conninfo: str, follower: Follower) -> None:
    await follower.events.announced(Work.LOG, 0)
    await execute(conninfo, END_OTHERS)
    await execute(conninfo, "insert into log_pending (leaf, subjects) values ('', '{}')")
    async with asyncio.timeout(TIMEOUT_S):
        await follower.events.announced(Work.LOG, 10 * TIMEOUT_S)


async def test_a_notification_that_is_not_ours_does_no_harm(
    conninfo: str, storage: PostgresStorage, follower: Follower, public: Diary
) -> None:
    await execute(conninfo, "notify moltnet_feed, 'something else'")
    await execute(conninfo, "notify moltnet_work, 'something else'")
    entry = an_entry(diary=public.id)
    await written(storage, entry)
    assert await follower.next() == [entry]


async def test_a_database_that_does_not_answer_is_reported_at_once(unused_tcp_port: int) -> None:
    with pytest.raises(StorageUnavailable):
        async with PostgresNotifications.open(f"postgresql://127.0.0.1:{unused_tcp_port}/none"):
            pass


async def test_the_connection_ends_with_the_context(conninfo: str) -> None:
    # The server notices in its own time that a client has gone.
    while await rows(conninfo, CONNECTIONS) != [(0,)]:
        pass
    async with PostgresNotifications.open(conninfo):
        assert await rows(conninfo, CONNECTIONS) == [(1,)]
    while await rows(conninfo, CONNECTIONS) != [(0,)]:
        pass
