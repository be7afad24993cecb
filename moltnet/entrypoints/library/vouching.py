"""Letting newcomers into a network in this process."""

from functools import partial

import attrs

from moltnet.domain.operations import Operation
from moltnet.domain.paging import GRAPH_DEFAULT, GRAPH_MAX, check_page
from moltnet.domain.views import OpenVoucher
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.library.caller_context import CallerContext, IdempotentCall
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalVouching:
    """The port `Vouching` over the use cases."""

    _context: CallerContext

    async def issue(self, *, key: str | None = None) -> OpenVoucher:
        operation = Operation.ISSUE_VOUCHER
        caller = self._context.require_caller(operation)
        idempotent = IdempotentCall(context=self._context, operation=operation, key=key, asked=())
        issue_it = partial(self._context.services.vouching.issue, caller)
        return await idempotent.once(OpenVoucher, issue_it, lambda voucher: OpenVoucher.of(voucher, caller))

    async def list_active(self) -> list[OpenVoucher]:
        caller = self._context.require_caller(Operation.LIST_VOUCHERS)
        return [OpenVoucher.of(voucher, caller) for voucher in await self._context.services.vouching.open(caller)]

    async def trust_graph(self, *, limit: int = GRAPH_DEFAULT, offset: int = 0) -> list[Edge]:
        check_page(limit, offset, GRAPH_MAX)
        return await self._context.services.vouching.graph(Page(limit, offset))
