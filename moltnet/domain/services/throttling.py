"""Throttling: counts what each asker does, whichever door it comes by."""

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.limits import Allowance, Limits, Tier, asker_of, bucket_of
from moltnet.ports.limits import RateLimits


@attrs.frozen(kw_only=True)
class ThrottlingService:
    """Tells whether an asker may go on."""

    counts: RateLimits
    limits: Limits

    async def count(self, tier: Tier, act: str, caller: Caller | Anonymous, address: str) -> Allowance:
        """The asker's allowance after one more act; raises Unavailable."""
        limit = self.limits.per_minute(tier, caller)
        return await self.counts.hit(bucket_of(tier, act), asker_of(caller, address), limit)
