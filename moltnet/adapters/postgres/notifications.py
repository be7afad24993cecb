"""What other processes committed, by LISTEN and NOTIFY on one connection of the process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

from moltnet.adapters.postgres.repositories.feed import END_OF_FEED
from moltnet.adapters.postgres.session import Connection, limit_statements, translated, with_limits
from moltnet.domain.feed import Position
from moltnet.domain.ids import ClientId, parse_uuid
from moltnet.ports.storage import Work

Received = TypeVar("Received")

_log = logging.getLogger(__name__)

# The trigger `diary_entries_feed` sends positions of the feed; those of `0009_standing.sql` a client's id, or nothing
# when an agent changed; those of `0039_announced_work.sql` the name of a kind of work.
FEED, CLIENTS, WORK = "moltnet_feed", "moltnet_standing", "moltnet_work"
LISTEN = f"listen {FEED}; listen {CLIENTS}; listen {WORK}"
APPLICATION_NAME = "moltnet notifications"
# How long the connection may be silent before it is asked for the end of the feed. That shows, too, whether the
# server is still there.
ASK_AFTER_S = 30.0
RECONNECT_FIRST_S, RECONNECT_MOST_S = 0.1, 1.0
# How often work is looked for while the connection is away.
UNHEARD_S = 1.0


class _Listening(psycopg.AsyncConnection[TupleRow]):
    """Sleeps until something comes; the library's own connections wake up ten times a second meanwhile."""

    async def wait(
        self,
        gen: PQGen[Received],
        interval: float = ASK_AFTER_S,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's
    ) -> Received:
        return await super().wait(gen, interval, timeout)


class PostgresNotifications:
    """The ports `FeedEvents`, `WorkEvents` and `ClientInvalidations`, for all who wait in one event loop.

    The connection must be the server's own or one of a pooler that lends whole sessions: LISTEN belongs to a session.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = with_limits(conninfo)
        self._connection: Connection | None = None
        self._end = Position(0)
        self._grown = asyncio.Event()
        self._announced = {work: asyncio.Event() for work in Work}
        self._subscribers: list[Callable[[ClientId | None], None]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str) -> AsyncIterator[Self]:
        """Listens until the context is left.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        notifications = cls(conninfo)
        with translated():
            await notifications._connect()
        listening = asyncio.create_task(notifications._listen())
        try:
            yield notifications
        finally:
            notifications._disconnected()
            while not listening.done():
                listening.cancel()
                await asyncio.wait([listening], timeout=RECONNECT_FIRST_S)

    async def beyond(self, position: Position) -> Position:
        while self._end <= position:
            await self._grown.wait()
        return self._end

    async def announced(self, work: Work, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s if self.connected else min(within_s, UNHEARD_S)):
                await self._announced[work].wait()
        self._announced[work].clear()

    @property
    def connected(self) -> bool:
        """Whether the connection stands, as far as this process knows."""
        return self._connection is not None and not self._connection.closed

    def subscribe(self, listener: Callable[[ClientId | None], None]) -> None:
        self._subscribers.append(listener)

    async def _listen(self) -> None:
        connecting = AsyncRetrying(
            retry=retry_if_exception_type(psycopg.Error),
            wait=wait_exponential(multiplier=RECONNECT_FIRST_S, max=RECONNECT_MOST_S),
        )
        while True:
            try:
                await self._receive()
            except psycopg.Error as error:
                _log.warning("the connection for notifications is lost, another is made: %s", error)
            self._disconnected()
            await connecting(self._connect)

    async def _receive(self) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101  # `_connect` has made it
        async with connection:
            while True:
                async for notification in connection.notifies(timeout=ASK_AFTER_S):
                    self._received(notification)
                await self._ask_for_end(connection)

    def _received(self, notification: psycopg.Notify) -> None:
        payload = notification.payload
        if notification.channel == CLIENTS:
            found = parse_uuid(payload)
            self._changed(ClientId(found) if found else None)
        elif notification.channel == WORK:
            self._announce(work for work in Work if work.value == payload)
        elif payload.isdecimal():
            self._reaches(Position(int(payload)))
        else:
            _log.warning("a notification of the feed is not a position: %r", payload)

    async def _connect(self) -> None:
        connection = await _Listening.connect(self._conninfo, autocommit=True, application_name=APPLICATION_NAME)
        try:
            await limit_statements(connection)
            await connection.execute(LISTEN)
            # What was committed before is seen now, what is committed later is heard.
            await self._ask_for_end(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._announce(Work)

    def _disconnected(self) -> None:
        self._connection = None
        self._changed(None)
        self._announce(Work)

    async def _ask_for_end(self, connection: Connection) -> None:
        row = await (await connection.execute(END_OF_FEED)).fetchone()
        self._reaches(Position(row[0] if row else 0))

    def _reaches(self, end: Position) -> None:
        if end > self._end:
            self._end = end
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    def _announce(self, kinds: Iterable[Work]) -> None:
        for work in kinds:
            self._announced[work].set()

    def _changed(self, client_id: ClientId | None) -> None:
        for listener in self._subscribers:
            listener(client_id)
