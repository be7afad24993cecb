"""Housekeeping: what time alone makes obsolete, in small batches that can be stopped anywhere."""

import attrs

from moltnet.domain.recovery import CODE_LIFETIME, FLOW_LIFETIME
from moltnet.domain.signing import SigningRequest
from moltnet.ports.clock import Clock
from moltnet.ports.limits import RateLimits
from moltnet.ports.storage import Storage

BATCH = 500


@attrs.frozen(kw_only=True)
class HousekeepingService:
    """Clears up; running it at any time, any number of times, by several processes at once does no harm."""

    storage: Storage
    limits: RateLimits
    clock: Clock

    async def run(self) -> None:
        """Expires overdue signing requests; forgets used nonces, old recovery codes (hazard H14), and past counts."""
        at = self.clock.now()
        await self.limits.forget_ended()
        async with self.storage.reading() as work:
            await work.nonces.purge(at)
            await work.receipts.purge(at)
            # A flow that is over still answers so for a while: codes are kept as long as their flows.
            await work.recovery_codes.purge(at - (FLOW_LIFETIME - CODE_LIFETIME))
        while await self._expire_some():
            pass

    async def _expire_some(self) -> bool:
        at = self.clock.now()
        async with self.storage.reading() as work:
            overdue: list[SigningRequest] = await work.signing_requests.overdue(at, BATCH)
            for request in overdue:
                await work.signing_requests.settle(request.expire(at))
        return len(overdue) == BATCH
