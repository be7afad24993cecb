"""Throttling: counts what each asker does, on every transport."""

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.limits import Allowance, AllowanceUsedUp, Limits, Tier, asker_of, bucket_of
from moltnet.ports.requests import RateLimits


@attrs.frozen(kw_only=True)
class ThrottlingService:
    """Says whether an asker may continue."""

    counts: RateLimits
    limits: Limits

    async def count(self, tier: Tier, act: str, caller: Caller | Anonymous, address: str) -> Allowance:
        """The asker's allowance after one more act; raises Unavailable."""
        limit = self.limits.per_minute(tier, caller)
        return await self.counts.hit(bucket_of(tier, act), asker_of(caller, address), limit)

    async def count_passages(self, asker: str, passages: int) -> None:
        """Counts passages that are about to be embedded for an asker; raises AllowanceUsedUp and Unavailable."""
        bucket = bucket_of(Tier.EMBEDDING, "passages")
        allowance = await self.counts.hit(bucket, asker, self.limits.passages, passages)
        if not allowance.allowed:
            raise AllowanceUsedUp(allowance.reset_s)
