"""Counting: how often entries are looked at, beside the requests that look; and how much a network holds."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

import attrs

from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import ModelMigrationProgress
from moltnet.ports.models import Arrivals, NetworkSizes, NetworkUsage
from moltnet.ports.storage import Storage
from moltnet.ports.system import Background, Clock

COUNTED_EVERY = timedelta(seconds=30)
GROWTH_DAYS = 30


@attrs.frozen(kw_only=True)
class NetworkState:
    """What was counted, and when; `arrivals` are those of the last GROWTH_DAYS days, today among them."""

    sizes: NetworkSizes
    model: ModelMigrationProgress
    arrivals: Arrivals
    at: datetime

    @property
    def days(self) -> list[date]:
        """The days of its arrivals, the oldest first."""
        today = self.at.astimezone(UTC).date()
        return [today - timedelta(days=ago) for ago in reversed(range(GROWTH_DAYS))]

    def a_day(self, arrived: Mapping[date, int]) -> list[int]:
        """How many came on each of its days."""
        return [arrived.get(day, 0) for day in self.days]


@attrs.define(kw_only=True)
class StatisticsService:
    """Counts what is stored, twice a minute at most, however often it is asked for."""

    storage: Storage
    clock: Clock
    _last: NetworkState | None = attrs.field(init=False, default=None)
    _counting: asyncio.Lock = attrs.field(init=False, factory=asyncio.Lock)

    async def state(self) -> NetworkState:
        """The sizes of the network, and how far its model's migration is; half a minute old at most."""
        async with self._counting:
            now = self.clock.now()
            if self._last is None or now - self._last.at >= COUNTED_EVERY:
                self._last = await self._counted(now)
            return self._last

    async def usage(self) -> NetworkUsage:
        """What quotas count, over all agents."""
        async with self.storage.autocommit() as work:
            return await work.statistics.usage()

    async def _counted(self, now: datetime) -> NetworkState:
        first = datetime.combine(now.astimezone(UTC).date() - timedelta(days=GROWTH_DAYS - 1), time.min, UTC)
        async with self.storage.snapshot() as work:
            sizes, model = await work.statistics.sizes(), await work.models.progress()
            arrivals = await work.statistics.arrivals(first)
        return NetworkState(sizes=sizes, model=model, arrivals=arrivals, at=now)


@attrs.define(kw_only=True)
class ViewCounter:
    """Counts views; those that come while others are being written are written together."""

    storage: Storage
    background: Background
    clock: Clock
    _pending: Counter[EntryId] = attrs.field(factory=Counter, init=False)
    _writing: bool = attrs.field(default=False, init=False)

    def record(self, entry_ids: Iterable[EntryId]) -> None:
        """Counts one view of each entry in the background."""
        self._pending.update(entry_ids)
        if self._pending and not self._writing:
            self._writing = True
            self.background.run(self._write())

    async def _write(self) -> None:
        try:
            while self._pending:
                times, self._pending = self._pending, Counter()
                async with self.storage.autocommit() as work:
                    await work.entries.record_views(times, self.clock.now())
        finally:
            self._writing = False
