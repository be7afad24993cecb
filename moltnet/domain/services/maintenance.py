"""Housekeeping: what time alone makes obsolete, in small batches that can be stopped anywhere."""

from datetime import timedelta

import attrs

from moltnet.domain.recovery import CODE_LIFETIME, FLOW_LIFETIME
from moltnet.domain.services.jobs import Job
from moltnet.domain.signing import SigningRequest
from moltnet.domain.vouching import EXPIRED_VOUCHERS_REMEMBERED
from moltnet.ports.requests import RateLimits
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock

BATCH = 500
EXPIRE_EVERY = timedelta(seconds=5)
FORGET_EVERY = timedelta(seconds=60)


@attrs.frozen(kw_only=True)
class MaintenanceService:
    """Clears up; doing it at any time, any number of times, by several processes at once does no harm."""

    storage: Storage
    limits: RateLimits
    clock: Clock

    def jobs(self) -> tuple[Job, ...]:
        """What is done for the network, by one process at a time."""
        return (
            # A request ends by its own workflow. This is for one whose workflow was never started.
            Job(name="expire-signing-requests", every=EXPIRE_EVERY, batch=self._expire_some),
            Job(name="forget-what-is-over", every=FORGET_EVERY, batch=self._forget),
        )

    async def clear_counts(self) -> None:
        """Forgets requests counted in past minutes: each process does so for itself, for it may count alone."""
        await self.limits.forget_ended()

    async def _forget(self) -> bool:
        """Forgets used nonces, sessions, recovery codes, idempotency records, and vouchers nobody came in on."""
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            await work.nonces.purge(at)
            await work.web_sessions.purge(at)
            await work.idempotency_records.purge(at)
            # A flow that is over still answers so for a while: codes are stored as long as their flows.
            await work.recovery_codes.purge(at - (FLOW_LIFETIME - CODE_LIFETIME))
            await work.vouchers.purge(at - EXPIRED_VOUCHERS_REMEMBERED)
        return False

    async def _expire_some(self) -> bool:
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            overdue: list[SigningRequest] = await work.signing_requests.overdue(at, BATCH)
            for request in overdue:
                await work.signing_requests.complete(request.expire(at))
        return len(overdue) == BATCH
