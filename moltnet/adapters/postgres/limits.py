"""The table `rate_limit_windows`: one count for all processes on a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Self

from moltnet.adapters.postgres.pool import Pool, lent_connection, opened_pool
from moltnet.adapters.postgres.session import Session, translated
from moltnet.domain.caller import WINDOW, Allowance
from moltnet.ports.system import Clock

# Apart from those of the data: anyone who keeps these busy must not keep the counting from answering.
CONNECTIONS = 2
CONNECTION_WAIT_S = 10.0

# One row: the hits of the key's window, and how long it continues; rate_limit_windows_pkey.
HIT = """
    insert into rate_limit_windows as standing (bucket, key, hits, ends_at)
    values (%(bucket)s, %(key)s, %(cost)s, %(at)s + %(window)s)
    on conflict on constraint rate_limit_windows_pkey do update set
        hits = case when standing.ends_at <= %(at)s then 0 else standing.hits end + excluded.hits,
        ends_at = case when standing.ends_at <= %(at)s then excluded.ends_at else standing.ends_at end
    returning hits, ends_at - %(at)s as remains
"""
# The windows that were forgotten; a scan of the few that a minute leaves. Those being written to are left for later.
FORGET_ENDED = """
    delete from rate_limit_windows where ctid = any(array(
        select ctid from rate_limit_windows where ends_at <= %(at)s for update skip locked
    ))
"""


class PostgresRateLimits:
    """The port `RateLimits`; windows are lost when the database server crashes, and begin again."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str, clock: Clock, *, wait_s: float = CONNECTION_WAIT_S) -> AsyncIterator[Self]:
        """Counts over connections of its own; raises StorageUnavailable as `PostgresStorage.open` does."""
        async with opened_pool(conninfo, max_connections=CONNECTIONS, wait_s=wait_s) as pool:
            yield cls(pool, clock)

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        async with self._lent() as session:
            at = self._clock.now()
            values = {"bucket": bucket, "key": key, "cost": cost, "at": at, "window": WINDOW}
            ((hits, until_reset),) = await session.all(itemgetter("hits", "remains"), HIT, **values)
        return Allowance.after(hits, per_minute, until_reset.total_seconds(), cost)

    async def forget_ended(self) -> int:
        async with self._lent() as session:
            return await session.run(FORGET_ENDED, at=self._clock.now())

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Session]:
        with translated():
            async with lent_connection(self._pool) as connection:
                session = Session(connection)
                try:
                    yield session
                finally:
                    session.end()
