"""Changes of clients and agents by LISTEN and NOTIFY, on one connection of the process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import psycopg

from moltnet.adapters.postgres.cut_off import with_limits
from moltnet.adapters.postgres.events import ASK_AFTER_S, RECONNECT_FIRST_S, RECONNECT_MOST_S
from moltnet.adapters.postgres.session import Connection, limit_statements
from moltnet.adapters.postgres.violations import translated
from moltnet.domain.ids import ClientId, parse_uuid

_log = logging.getLogger(__name__)

# The channel of the triggers of `0009_standing.sql`; they send a client's id, or nothing when an agent changed.
LISTEN = "listen moltnet_standing"
# Shows whether the server is still there.
ALIVE = "select 1"


class PostgresClientInvalidations:
    """The port `ClientInvalidations`.

    The connection must be the server's own, or a pooler's that lends whole sessions.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = with_limits(conninfo)
        self._subscribers: list[Callable[[ClientId | None], None]] = []
        self._connection: Connection | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str) -> AsyncIterator[Self]:
        """Listens until the context is left; raises StorageUnavailable when the database does not answer."""
        changes = cls(conninfo)
        with translated():
            await changes._connect()
        listening = asyncio.create_task(changes._listen())
        try:
            yield changes
        finally:
            changes._lost()
            while not listening.done():
                listening.cancel()
                await asyncio.wait([listening], timeout=RECONNECT_FIRST_S)

    @property
    def heard(self) -> bool:
        """Whether the connection stands, as far as this process knows."""
        return self._connection is not None and not self._connection.closed

    def watch(self, listener: Callable[[ClientId | None], None]) -> None:
        """Calls `listener` with each client that changed; with None when any may have."""
        self._subscribers.append(listener)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except psycopg.Error as error:
                _log.warning("the connection for changes of clients is lost, another is made: %s", error)
            self._lost()
            await self._reconnect()

    async def _hear(self) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101  # `_connect` has made it
        async with connection:
            while True:
                async for notification in connection.notifies(timeout=ASK_AFTER_S):
                    parsed = parse_uuid(notification.payload)
                    self._notify(ClientId(parsed) if parsed else None)
                await connection.execute(ALIVE)

    async def _reconnect(self) -> None:
        pause_s = RECONNECT_FIRST_S
        while True:
            try:
                await self._connect()
            except psycopg.Error:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RECONNECT_MOST_S)
            else:
                return

    async def _connect(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            await limit_statements(connection)
            await connection.execute(LISTEN)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    def _lost(self) -> None:
        self._connection = None
        self._notify(None)

    def _notify(self, client_id: ClientId | None) -> None:
        for listener in self._subscribers:
            listener(client_id)
