"""Whether the database answers, takes writes and has room; and what an operator can get wrong about it.

Nothing is changed by looking.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from moltnet.adapters.postgres.migrate import EXTENSION, SchemaUnusable, load_migrations, require_utf8
from moltnet.adapters.postgres.session import Connection, limit_statements, translated
from moltnet.domain.errors import Invalid, StorageFull, StorageReadOnly, StorageUnavailable, Unavailable

CONNECT_WITHIN_S = 4
# One row: on, or off.
# One row each: whose log, and how far it reaches in bytes; on a replica how much of it is replayed, else null.
REACHES = "select system_identifier, pg_current_wal_insert_lsn() - '0/0'::pg_lsn from pg_control_system()"
REPLAYED = """
    select system_identifier, case when pg_is_in_recovery() then pg_last_wal_replay_lsn() - '0/0'::pg_lsn end
    from pg_control_system()
"""
READ_ONLY = "select current_setting('transaction_read_only')"
# As many pages of a temporary table as PostgreSQL adds to any table at once, so that this fails where that would.
ALLOCATE_SPACE = """
    create temporary table room on commit drop as
        select repeat(md5(number::text), 60) as filling from generate_series(1, 256) as number
"""


class ReplicaUnusable(Unavailable):
    """No search is ranked by the replica that is set."""

    code = "REPLICA_UNUSABLE"


@attrs.define
class DiskSpace:
    """Whether the database has room, as far as this process has met it."""

    is_missing: bool = False


class PostgresReadiness:
    """The port `ReadinessCheck` for one database.

    The sentences are the same whatever the cause: what a driver says may name addresses and accounts.
    """

    def __init__(self, conninfo: str, disk_space: DiskSpace, supervisor: Callable[[], None] = lambda: None) -> None:
        """`supervisor` raises while an embedded server is known to be away."""
        self._conninfo = make_conninfo(conninfo, connect_timeout=CONNECT_WITHIN_S)
        self._disk_space = disk_space
        self._supervisor = supervisor
        self._connection: Connection | None = None

    async def check(self) -> None:
        """Asks the server; and, once a write has failed for want of room, whether there is some again."""
        self._supervisor()
        try:
            with translated():
                await self._ask(await self._connected())
        except StorageFull:
            raise
        except (StorageUnavailable, psycopg.Error) as error:
            await self.aclose()
            raise StorageUnavailable("The database does not answer") from error

    async def aclose(self) -> None:
        """Lets the connection go; another is made when it is asked again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        return self._connection

    async def _ask(self, connection: Connection) -> None:
        row = await (await connection.execute(READ_ONLY)).fetchone()
        if row != ("off",):
            raise StorageReadOnly
        if self._disk_space.is_missing:
            async with connection.transaction():
                await connection.execute(ALLOCATE_SPACE)
            self._disk_space.is_missing = False


CLOCK_TOLERANCE = timedelta(seconds=2)

READS_ONLY = "The database takes no writes: it is a standby, or default_transaction_read_only is set"

# One row: what the server calls itself, its time, and whether it takes no writes: on, or off.
SERVER = "select current_setting('server_version'), clock_timestamp(), current_setting('transaction_read_only')"
# One row: whether any migration was applied yet.
HAS_LIST = "select to_regclass('schema_migrations') is not null"
# The versions that were applied; schema_migrations_pkey.
APPLIED = "select version from schema_migrations"


class ClockApart(Unavailable):
    """This machine and the database server disagree about the time."""

    code = "CLOCK_APART"

    def __init__(self, apart: timedelta) -> None:
        self.apart = apart
        super().__init__(
            f"this machine's clock and the database server's are {abs(apart.total_seconds()):.1f} s apart; "
            "synchronise both (NTP), or tokens and vouchers expire at the wrong time"
        )


class AddressUnreadable(Invalid):
    """The database's library cannot read the address. It may hold a password, so nothing of it is repeated."""

    code = "ADDRESS_UNREADABLE"
    sentence = (
        "DATABASE_URL cannot be read: it must look like postgresql://user:password@host:5432/name, with special "
        "characters of its parts percent-encoded and no parameters that libpq does not know"
    )


def require_readable(conninfo: str) -> None:
    """Raises AddressUnreadable unless this is a connection string; whether anybody answers there is another matter."""
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise AddressUnreadable from None  # the cause repeats the part that is wrong


@attrs.frozen
class DatabaseHealthCheck:
    """Looks at one database. Each method answers what was seen, or raises an error that says what to do."""

    conninfo: str = attrs.field(repr=False)

    async def server(self) -> str:
        """That the server answers and takes writes, and its version."""
        ((version, _, read_only),) = await self._rows(SERVER)
        if read_only != "off":
            raise StorageReadOnly(READS_ONLY)
        return f"PostgreSQL {version} answers"

    async def extension(self) -> str:
        """That pgvector is there."""
        rows = await self._rows(EXTENSION)
        if not rows:
            raise SchemaUnusable("pgvector is not in this database yet; run moltnet migrate")
        return f"pgvector {rows[0][0]}"

    async def schema(self) -> str:
        """That every migration was applied."""
        ((has_list,),) = await self._rows(HAS_LIST)
        applied = {row[0] for row in await self._rows(APPLIED)} if has_list else set()
        missing = [migration.name for migration in load_migrations() if migration.version not in applied]
        if missing:
            raise SchemaUnusable(f"{len(missing)} migrations are missing; run moltnet migrate")
        return f"up to date ({len(applied)} migrations)"

    async def replica(self, conninfo: str) -> str:
        """That the replica of another address follows this database, and how far behind it is."""
        ((system, reaches),) = await self._rows(REACHES)
        try:
            ((its_system, replayed),) = await _rows(conninfo, REPLAYED)
        except StorageUnavailable as error:
            raise ReplicaUnusable("it does not answer: check MOLTNET_REPLICA_DATABASE_URL") from error
        if its_system != system or replayed is None:
            raise ReplicaUnusable("it is no replica of this database: check MOLTNET_REPLICA_DATABASE_URL")
        return f"{max(0, int(reaches - replayed))} bytes of the log behind"

    async def clock(self) -> str:
        """That its clock and this machine's agree."""
        asked = datetime.now(UTC)
        ((_, theirs, _),) = await self._rows(SERVER)
        apart = theirs - asked
        if abs(apart) > CLOCK_TOLERANCE:
            raise ClockApart(apart)
        return f"{apart / timedelta(milliseconds=1):.0f} ms from the database server's"

    async def _rows(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        return await _rows(self.conninfo, statement)


async def _rows(conninfo: str, statement: LiteralString) -> list[tuple[Any, ...]]:
    with translated():
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            require_utf8(connection)
            await limit_statements(connection)
            return await (await connection.execute(statement)).fetchall()
