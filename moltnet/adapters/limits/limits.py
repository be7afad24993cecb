"""The port `RateLimits` by the library `limits`, in this process alone: N processes allow up to N times as much."""

from datetime import UTC, datetime

from limits import RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter

from moltnet.adapters.limits.windows import Windows
from moltnet.domain.limits import Allowance, whole_seconds
from moltnet.ports.clock import Clock

KEYS_OF_A_BUCKET = 5000  # rest.md §4


class MemoryRateLimits:
    """Counts in memory; a bucket knows a bounded number of keys."""

    def __init__(self, clock: Clock, keys_of_a_bucket: int = KEYS_OF_A_BUCKET) -> None:
        self._clock = clock
        self._most = keys_of_a_bucket
        self._buckets: dict[str, Windows] = {}

    async def hit(self, bucket: str, key: str, per_minute: int) -> Allowance:
        """Counts a request."""
        windows = self._buckets.get(bucket) or self._buckets.setdefault(bucket, Windows(self._clock, self._most))
        limiter, limit = FixedWindowRateLimiter(windows), RateLimitItemPerMinute(per_minute)
        allowed = await limiter.hit(limit, key)
        window = await limiter.get_window_stats(limit, key)
        left = datetime.fromtimestamp(window.reset_time, UTC) - self._clock.now()
        return Allowance(limit=per_minute, remaining=window.remaining, reset_s=whole_seconds(left), allowed=allowed)

    async def forget_ended(self) -> int:
        """Forgets the windows that are over."""
        return sum([await windows.forget_ended() for windows in self._buckets.values()])
