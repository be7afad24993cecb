"""Units of work over connections to PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self

from cachetools import TTLCache

from moltnet.adapters.postgres.candidates import KNOWN_LARGE_MAX, KNOWN_LARGE_S, KnownLarge, PostgresCandidates
from moltnet.adapters.postgres.health_check import DiskSpace
from moltnet.adapters.postgres.pool import Pool, lent_connection, opened_pool
from moltnet.adapters.postgres.repositories.agents import PostgresAgents, PostgresVouchers
from moltnet.adapters.postgres.repositories.audit import PostgresAuditLog
from moltnet.adapters.postgres.repositories.credentials import (
    PostgresClients,
    PostgresIdentities,
    PostgresNonces,
    PostgresRecoveryCodes,
    PostgresSigningKeys,
    PostgresWebSessions,
)
from moltnet.adapters.postgres.repositories.diaries import PostgresDiaries, PostgresRelations, PostgresShares
from moltnet.adapters.postgres.repositories.entries import PostgresEntries
from moltnet.adapters.postgres.repositories.entry_changes import PreparedIndex
from moltnet.adapters.postgres.repositories.feed import PostgresFeed
from moltnet.adapters.postgres.repositories.imports import PostgresImports
from moltnet.adapters.postgres.repositories.key_history import PostgresKeyHistory, PostgresLostKeys
from moltnet.adapters.postgres.repositories.models import PostgresModelVectors, PostgresStatistics
from moltnet.adapters.postgres.repositories.records import PostgresRecords
from moltnet.adapters.postgres.repositories.requests import (
    PostgresIdempotencyRecords,
    PostgresOutbox,
    PostgresSigningRequests,
)
from moltnet.adapters.postgres.repositories.transparency import PostgresTransparencyLog
from moltnet.adapters.postgres.session import SNAPSHOT, STATEMENT_WITHIN_S, Session, translated
from moltnet.domain.errors import StorageFull, StorageReadOnly
from moltnet.domain.indexing import EntryIndex
from moltnet.ports.telemetry import (
    CONNECTION_REQUESTS,
    CONNECTIONS,
    CONNECTIONS_MAX,
    NO_TELEMETRY,
    Sample,
    Telemetry,
)

CONNECTION_WAIT_S = 10.0
# One row each. A commit stands in the log before it is acknowledged, and is seen on a replica before its end is passed.
POSITION = "select system_identifier as system, pg_current_wal_insert_lsn() as reaches from pg_control_system()"
REPLAYED = """
    select pg_is_in_recovery() and system_identifier::text = %(system)s
        and coalesce(pg_last_wal_replay_lsn() >= %(reaches)s::pg_lsn, false) as is_there
    from pg_control_system()
"""


class PostgresUnitOfWork:
    """The repositories of one unit of work."""

    def __init__(self, session: Session, large: KnownLarge) -> None:
        self.agents = PostgresAgents(session)
        self.keys = PostgresKeyHistory(session)
        self.lost_keys = PostgresLostKeys(session)
        self.identities = PostgresIdentities(session)
        self.clients = PostgresClients(session)
        self.signing_keys = PostgresSigningKeys(session)
        self.recovery_codes = PostgresRecoveryCodes(session)
        self.nonces = PostgresNonces(session)
        self.idempotency_records = PostgresIdempotencyRecords(session)
        self.vouchers = PostgresVouchers(session)
        self.diaries = PostgresDiaries(session)
        self.entries = PostgresEntries(session)
        self.feed = PostgresFeed(session)
        self.candidates = PostgresCandidates(session, large)
        self.models = PostgresModelVectors(session)
        self.shares = PostgresShares(session)
        self.relations = PostgresRelations(session)
        self.outbox = PostgresOutbox(session)
        self.signing_requests = PostgresSigningRequests(session)
        self.records = PostgresRecords(session)
        self.imports = PostgresImports(session)
        self.statistics = PostgresStatistics(session)
        self.web_sessions = PostgresWebSessions(session)
        self.audit = PostgresAuditLog(session)
        self.transparency = PostgresTransparencyLog(session)


class PostgresStorage:
    """Keeps everything in a migrated PostgreSQL database, for one event loop of any number of processes.

    A transaction is READ COMMITTED: each statement sees what was committed before it, so conditions that must hold are
    part of the statement that writes. A snapshot is REPEATABLE READ and READ ONLY, so it never fails to serialize.
    """

    def __init__(self, pool: Pool, disk_space: DiskSpace, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._telemetry = telemetry
        telemetry.observe(CONNECTIONS, self._connections)
        telemetry.observe(CONNECTIONS_MAX, lambda: [({}, pool.max_size)])
        telemetry.observe(CONNECTION_REQUESTS, lambda: [({}, pool.get_stats().get("requests_waiting", 0))])
        self._pool = pool
        self._disk_space = disk_space
        self._large: KnownLarge = TTLCache(KNOWN_LARGE_MAX, KNOWN_LARGE_S)

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913  # an opened database has as many limits
        cls,
        conninfo: str,
        *,
        max_connections: int,
        wait_s: float = CONNECTION_WAIT_S,
        statement_s: float = STATEMENT_WITHIN_S,
        waits_for_first: bool = True,
        disk_space: DiskSpace | None = None,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> AsyncIterator[Self]:
        """A storage over the database of a URL or libpq connection string, with connections of its own.

        A unit of work that finds all connections lent waits `wait_s` seconds for one. A statement that runs longer than
        `statement_s` is given up and raises StatementTimedOut. A write that finds the disk full is recorded in
        `disk_space`. Raises StorageUnavailable when the database does not answer within that time, unless nobody waits
        for the first connection.
        """
        async with opened_pool(
            conninfo,
            max_connections=max_connections,
            wait_s=wait_s,
            statement_s=statement_s,
            waits_for_first=waits_for_first,
        ) as pool:
            yield cls(pool, disk_space or DiskSpace(), telemetry)

    def prepared(self, index: EntryIndex) -> EntryIndex:
        """The same index, its words in their stored form."""
        return PreparedIndex.of(index)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[PostgresUnitOfWork]:
        """A unit of work that sees one state; it costs no round trip more than its statements."""
        with _read_only():
            async with self._lent() as session:
                session.begin_with_first(SNAPSHOT)
                yield PostgresUnitOfWork(session, self._large)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[PostgresUnitOfWork]:
        """A unit of work whose statements stand alone."""
        async with self._lent() as session:
            yield PostgresUnitOfWork(session, self._large)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresUnitOfWork]:
        """A transaction; raises RuntimeError, too, when a statement's error was caught within it."""
        async with self._lent() as session, session.transaction():
            yield PostgresUnitOfWork(session, self._large)

    async def position(self) -> str:
        """How far the log of this database reaches, beyond every commit that was acknowledged; and whose log it is."""
        async with self._lent() as session:
            position = await session.first(lambda row: f"{row['system']} {row['reaches']}", POSITION)
        return position or ""

    @asynccontextmanager
    async def snapshot_since(self, position: str) -> AsyncIterator[PostgresUnitOfWork | None]:
        """A snapshot of a replica with everything up to a position of another database's log.

        None if it has not come so far, or is no replica of that database.
        """
        system, _, reaches = position.partition(" ")
        with _read_only():
            async with self._lent() as session:
                # Before the snapshot: what is replayed while that is taken would be in this answer, and not in that.
                values = {"system": system, "reaches": reaches}
                is_there = await session.first(lambda row: bool(row["is_there"]), REPLAYED, **values)
                session.begin_with_first(SNAPSHOT)
                yield PostgresUnitOfWork(session, self._large) if is_there else None

    def _connections(self) -> list[Sample]:
        stats = self._pool.get_stats()
        idle = stats.get("pool_available", 0)
        return [({"state": "idle"}, idle), ({"state": "used"}, stats.get("pool_size", 0) - idle)]

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Session]:
        try:
            # With the wait for a connection, and the commit.
            with self._telemetry.span("unit of work"), translated():
                async with lent_connection(self._pool) as connection:
                    session = Session(connection, self._telemetry)
                    try:
                        yield session
                    finally:
                        session.end()
        except StorageFull:
            self._disk_space.is_missing = True
            raise


@contextmanager
def _read_only() -> Iterator[None]:
    try:
        yield
    except StorageReadOnly as error:
        raise RuntimeError("a snapshot is read-only") from error
