"""Counting: how often entries are looked at, beside the requests that look; and how much a network holds."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import ModelMigrationProgress
from moltnet.ports.models import NetworkSizes
from moltnet.ports.storage import Storage
from moltnet.ports.system import Background, Clock

COUNTED_EVERY = timedelta(seconds=30)


@attrs.frozen(kw_only=True)
class NetworkState:
    """What was counted, and when."""

    sizes: NetworkSizes
    model: ModelMigrationProgress
    at: datetime


@attrs.define(kw_only=True)
class StatisticsService:
    """Counts what is stored, twice a minute at most, however often it is asked for."""

    storage: Storage
    clock: Clock
    _last: NetworkState | None = attrs.field(init=False, default=None)

    async def state(self) -> NetworkState:
        """The sizes of the network, and how far its model's migration is; half a minute old at most."""
        now = self.clock.now()
        if self._last is None or now - self._last.at >= COUNTED_EVERY:
            async with self.storage.snapshot() as work:
                sizes, model = await work.statistics.sizes(), await work.models.progress()
            self._last = NetworkState(sizes=sizes, model=model, at=now)
        return self._last


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
