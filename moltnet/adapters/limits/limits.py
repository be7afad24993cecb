"""The port `RateLimits` by the library `limits`, in this process alone: N processes allow up to N times as much."""

from functools import cache

from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

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

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        """Counts a request."""
        windows, limiter = self._buckets.get(bucket) or self._opened(bucket)
        limiter.hit(_limit(per_minute), key, cost=cost)
        hits, left_s = windows.state(key)
        return Allowance.after(hits, per_minute, left_s, cost)

    async def forget_ended(self) -> int:
        """Forgets the windows that are over."""
        return sum(windows.forget_ended() for windows, _ in self._buckets.values())

    def _opened(self, bucket: str) -> tuple[Windows, FixedWindowRateLimiter]:
        windows = Windows(self._clock, self._most)
        return self._buckets.setdefault(bucket, (windows, FixedWindowRateLimiter(windows)))


class _PerMinute(RateLimitItemPerMinute):
    """So many a minute. A key has one limit in its bucket, so the limit need not be part of its name."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return str(identifiers[0])


@cache
def _limit(per_minute: int) -> _PerMinute:
    return _PerMinute(per_minute)
