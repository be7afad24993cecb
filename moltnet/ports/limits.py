"""Counting requests."""

from typing import Protocol

from moltnet.domain.limits import Allowance


class RateLimits(Protocol):
    """Fixed windows of one minute, one for each key of a bucket; a window begins with the key's first request.

    Parallel requests are counted exactly. Where several processes serve, the adapter says whether they count together.
    """

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        """Counts a request as `cost` hits, refused ones too; of one key, `per_minute` is always the same.

        Raises Unavailable when the store does not answer; the request may have been counted.
        """
        ...

    async def forget_ended(self) -> int:
        """Forgets the windows that are over; answers how many."""
        ...
