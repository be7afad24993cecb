"""The port `RateLimits` by the library `limits`, in this process alone: N processes allow up to N times as much."""

from datetime import timedelta
from functools import cache

from limits import RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter

from moltnet.adapters.limits.windows import Windows
from moltnet.domain.limits import Allowance
from moltnet.ports.clock import Clock

KEYS_OF_A_BUCKET = 5000  # rest.md §4


class MemoryRateLimits:
    """Counts in memory; a bucket knows a bounded number of keys."""

    def __init__(self, clock: Clock, keys_of_a_bucket: int = KEYS_OF_A_BUCKET) -> None:
        self._clock = clock
        self._most = keys_of_a_bucket
        self._buckets: dict[str, tuple[Windows, FixedWindowRateLimiter]] = {}

    async def hit(self, bucket: str, key: str, per_minute: int) -> Allowance:
        """Counts a request."""
        windows, limiter = self._buckets.get(bucket) or self._opened(bucket)
        limit = _limit(per_minute)
        await limiter.hit(limit, key)
        hits, left_s = windows.state(limit.key_for(key))
        return Allowance.after(hits, per_minute, timedelta(seconds=left_s))

    async def forget_ended(self) -> int:
        """Forgets the windows that are over."""
        return sum([await windows.forget_ended() for windows, _ in self._buckets.values()])

    def _opened(self, bucket: str) -> tuple[Windows, FixedWindowRateLimiter]:
        windows = Windows(self._clock, self._most)
        return self._buckets.setdefault(bucket, (windows, FixedWindowRateLimiter(windows)))


@cache
def _limit(per_minute: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(per_minute)
