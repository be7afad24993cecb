"""Letting newcomers into a network in this process."""

from functools import partial

import attrs

from moltnet.domain.operations import Operation
from moltnet.domain.paging import GRAPH_DEFAULT, GRAPH_MAX, check_page
from moltnet.domain.views import OpenVoucher
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.library.seat import Keyed, Seat
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalVouching:
    """The port `Vouching` over the use cases."""

    _seat: Seat

    async def issue(self, *, key: str | None = None) -> OpenVoucher:
        operation = Operation.ISSUE_VOUCHER
        caller = self._seat.acting(operation)
        keyed = Keyed(seat=self._seat, operation=operation, key=key, asked=())
        issue_it = partial(self._seat.services.vouching.issue, caller)
        return await keyed.once(OpenVoucher, issue_it, lambda voucher: OpenVoucher.of(voucher, caller))

    async def list_active(self) -> list[OpenVoucher]:
        caller = self._seat.acting(Operation.LIST_VOUCHERS)
        return [OpenVoucher.of(voucher, caller) for voucher in await self._seat.services.vouching.open(caller)]

    async def trust_graph(self, *, limit: int = GRAPH_DEFAULT, offset: int = 0) -> list[Edge]:
        check_page(limit, offset, GRAPH_MAX)
        return await self._seat.services.vouching.graph(Page(limit, offset))
