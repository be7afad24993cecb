"""Streaming replicas of the database, asked only while they have replayed what had been committed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self, TypeVar

from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.errors import StorageUnavailable
from moltnet.ports.storage import Committed, UnitOfWork

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

# How long a replica is waited for: to lend a connection, and to replay what had been committed.
CONNECTION_WAIT_S = 0.25
CATCH_UP_S, RETRY_S = 0.1, 0.01
# How long it is left alone that did not answer, or had not caught up in that time.
AWAY_S, BEHIND_S = 5.0, 1.0


class PostgresReplicas:
    """The replicas of one address, which may name several hosts (`load_balance_hosts`, libpq)."""

    def __init__(
        self, main: PostgresStorage, replica: PostgresStorage, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._main, self._replica, self._monotonic_s = main, replica, monotonic_s
        self._left_alone_until = 0.0
        self._known: tuple[float, Committed] | None = None
        self._is_used = True

    @classmethod
    @asynccontextmanager
    async def open(cls, main: PostgresStorage, conninfo: str, *, max_connections: int) -> AsyncIterator[Self]:
        """The replicas of a storage, with connections of their own; whether they answer shows when they are asked."""
        async with PostgresStorage.open(
            conninfo, max_connections=max_connections, wait_s=CONNECTION_WAIT_S, waits_for_first=False
        ) as replica:
            yield cls(main, replica)

    async def committed(self, at_most_old_s: float = 0.0) -> Committed:
        now = self._monotonic_s()
        if self._known is None or now - self._known[0] >= at_most_old_s:
            # Of before the question: what is committed meanwhile may be in it, or not.
            self._known = now, Committed(await self._main.position())
        return self._known[1]

    async def read(self, since: Committed, query: Callable[[UnitOfWork], Awaitable[Result]]) -> Result | None:
        began = self._monotonic_s()
        if began < self._left_alone_until:
            return None
        try:
            while self._monotonic_s() - began < CATCH_UP_S:
                async with self._replica.snapshot_since(since) as work:
                    if work is not None:
                        self._log_use()
                        return await query(work)
                await asyncio.sleep(RETRY_S)
            self._leave_alone(BEHIND_S, "it is behind, or no replica of this database")
        except StorageUnavailable as error:
            self._leave_alone(AWAY_S, str(error.__cause__ or error))
        return None

    def _log_use(self) -> None:
        if not self._is_used:
            _log.info("the replica is used again")
        self._is_used = True

    def _leave_alone(self, for_s: float, reason: str) -> None:
        self._left_alone_until = self._monotonic_s() + for_s
        if self._is_used:
            _log.warning("the replica is not used: %s", reason)
        self._is_used = False
