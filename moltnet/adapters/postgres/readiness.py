"""Whether the database answers, takes writes and has room, asked over a connection of its own."""

from collections.abc import Callable

import attrs
import psycopg
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres.session import Connection
from moltnet.adapters.postgres.violations import translated
from moltnet.domain.errors import StorageFull, StorageReadOnly, StorageUnavailable

CONNECT_WITHIN_S = 4
# One row: on, or off.
READ_ONLY = "select current_setting('transaction_read_only')"
# As many pages of a temporary table as PostgreSQL adds to any table at once, so that this fails where that would.
ALLOCATE_SPACE = """
    create temporary table room on commit drop as
        select repeat(md5(number::text), 60) as filling from generate_series(1, 256) as number
"""


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
