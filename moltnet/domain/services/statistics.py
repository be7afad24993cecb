"""What an operator sees of a network: its sizes, counted now and then."""

from datetime import datetime, timedelta

import attrs

from moltnet.domain.indexing import ModelMigrationProgress
from moltnet.domain.statistics import NetworkSizes
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock

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
