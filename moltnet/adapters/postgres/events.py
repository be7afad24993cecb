"""Feed events by LISTEN and NOTIFY, on one connection of the process."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import psycopg

from moltnet.adapters.postgres.cut_off import with_limits
from moltnet.adapters.postgres.repositories.feed import END
from moltnet.adapters.postgres.session import Connection, limit_statements
from moltnet.adapters.postgres.violations import translated
from moltnet.domain.feed import Position

_log = logging.getLogger(__name__)

# The channel of the trigger `diary_entries_feed`; it sends positions.
LISTEN = "listen moltnet_feed"
# How long the connection may be silent before it is asked for the end of the feed. That shows, too, whether the
# server is still there.
ASK_AFTER_S = 30.0
RECONNECT_FIRST_S, RECONNECT_MOST_S = 0.1, 1.0


class PostgresFeedEvents:
    """The port `FeedEvents` for all followers of one event loop, however many there are.

    The connection must be the server's own or one of a pooler that lends whole sessions: LISTEN belongs to a session.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = with_limits(conninfo)
        self._end = Position(0)
        self._grown = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str) -> AsyncIterator[Self]:
        """Listens until the context is left; raises StorageUnavailable when the database does not answer."""
        events = cls(conninfo)
        with translated():
            connection = await events._connected()
        listening = asyncio.create_task(events._listen(connection))
        try:
            yield events
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def beyond(self, position: Position) -> Position:
        """Waits until the feed reaches beyond a position."""
        while self._end <= position:
            await self._grown.wait()
        return self._end

    async def _listen(self, connection: Connection) -> None:
        while True:
            try:
                async with connection:
                    await self._hear(connection)
            except (psycopg.Error, ValueError) as error:
                _log.warning("the connection for feed events is of no use any more, another is made: %s", error)
            connection = await self._reconnected()

    async def _hear(self, connection: Connection) -> None:
        while True:
            async for notification in connection.notifies(timeout=ASK_AFTER_S):
                self._announce(Position(int(notification.payload)))
            await self._ask(connection)

    async def _reconnected(self) -> Connection:
        pause_s = RECONNECT_FIRST_S
        while True:
            try:
                return await self._connected()
            except psycopg.Error:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RECONNECT_MOST_S)

    async def _connected(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            await limit_statements(connection)
            await connection.execute(LISTEN)
            # What was committed before is seen now, what is committed later is heard.
            await self._ask(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _ask(self, connection: Connection) -> None:
        row = await (await connection.execute(END)).fetchone()
        self._announce(Position(row[0] if row else 0))

    def _announce(self, end: Position) -> None:
        if end > self._end:
            self._end = end
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()
