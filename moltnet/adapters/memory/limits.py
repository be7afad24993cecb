"""Rate limits counted in this process alone: N processes allow up to N times as much."""

from collections import defaultdict
from datetime import datetime
from functools import partial
from typing import TypeAlias

from cachetools import TLRUCache

from moltnet.domain.limits import WINDOW, Allowance
from moltnet.ports.clock import Clock

KEYS_PER_BUCKET = 5000

# The hits of a key's window, and when the window ends.
_Window: TypeAlias = tuple[int, datetime]


class MemoryRateLimits:
    """The port `RateLimits`; of more than `keys_per_bucket` keys, those not hit for longest are forgotten."""

    def __init__(self, clock: Clock, keys_per_bucket: int = KEYS_PER_BUCKET) -> None:
        self._buckets: defaultdict[str, TLRUCache[str, _Window, datetime]] = defaultdict(
            partial(TLRUCache, keys_per_bucket, _end, clock.now)
        )

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        """Counts a request."""
        windows = self._buckets[bucket]
        with windows.timer as now:
            hits, ends_at = windows.get(key) or (0, now + WINDOW)
            windows[key] = hits + cost, ends_at
        return Allowance.after(hits + cost, per_minute, (ends_at - now).total_seconds(), cost)

    async def forget_ended(self) -> int:
        """Forgets the windows that are over."""
        return sum(len(windows.expire()) for windows in self._buckets.values())


def _end(_key: str, window: _Window, _now: datetime) -> datetime:
    return window[1]
