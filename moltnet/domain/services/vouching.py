"""Vouching: issue a code, see one's open ones, see who vouched for whom."""

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.ids import VoucherId
from moltnet.domain.paging import Page
from moltnet.domain.services.idempotency import SaveResponse, unrecorded
from moltnet.domain.vouching import CODE_BYTES, ISSUE_ATTEMPTS, Edge, IssueContended, Voucher, VoucherLimitReached
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class VouchingService:
    """What members do to let others in."""

    storage: Storage
    clock: Clock
    randomness: Randomness

    async def issue(self, caller: Caller, record: SaveResponse[Voucher] = unrecorded) -> Voucher:
        """A new voucher; raises VoucherLimitReached at five open ones, IssueContended after too many lost races."""
        for _ in range(ISSUE_ATTEMPTS - 1):
            try:
                return await self._issue_once(caller, record)
            except IssueContended:
                continue
        return await self._issue_once(caller, record)

    async def open(self, caller: Caller) -> list[Voucher]:
        """The caller's vouchers that somebody may still use, oldest first."""
        async with self.storage.autocommit() as work:
            return await work.vouchers.open_of(caller.agent_id, self.clock.now())

    async def graph(self, page: Page) -> list[Edge]:
        """A page of the trust graph, newest first; open to everyone."""
        async with self.storage.autocommit() as work:
            return await work.vouchers.graph(page)

    async def _issue_once(self, caller: Caller, record: SaveResponse[Voucher]) -> Voucher:
        at = self.clock.now()
        voucher = Voucher.issued(
            VoucherId(self.randomness.row_id(at)), self.randomness.secret(CODE_BYTES), caller.agent_id, at
        )
        async with self.storage.transaction() as work:
            await record(work, voucher)
            if not await work.vouchers.issue(voucher):
                raise VoucherLimitReached
        return voucher
