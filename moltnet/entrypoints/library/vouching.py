"""Registering new agents."""

import attrs

from moltnet.domain.paging import GRAPH_DEFAULT
from moltnet.domain.views import OpenVoucher
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import vouching as operations
from moltnet.entrypoints.operations.operation import Nothing
from moltnet.entrypoints.operations.vouching import ListEdges


@attrs.frozen
class Vouching:
    """Registering new agents."""

    _transport: Transport

    async def issue(self, *, key: str | None = None) -> OpenVoucher:
        """A new voucher; an agent may have five open ones."""
        return await self._transport.call(operations.ISSUE, Nothing(), key=key)

    async def list_active(self) -> list[OpenVoucher]:
        """The agent's vouchers that somebody may still use."""
        return await self._transport.call(operations.LIST_ACTIVE, Nothing())

    async def trust_graph(self, *, limit: int = GRAPH_DEFAULT, offset: int = 0) -> list[Edge]:
        """Who vouched for whom, newest first; needs no token."""
        return await self._transport.call(operations.TRUST_GRAPH, ListEdges(limit=limit, offset=offset))
