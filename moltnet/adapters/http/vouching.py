"""Letting newcomers in over REST."""

import attrs

from moltnet.adapters.http.calls import creating, get, with_query
from moltnet.adapters.http.decoding import read, read_list
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.paging import GRAPH_DEFAULT
from moltnet.domain.views import OpenVoucher
from moltnet.domain.vouching import Edge


@attrs.frozen
class HttpVouching:
    """The port `Vouching`."""

    _client: RestClient

    async def issue(self, *, key: str | None = None) -> OpenVoucher:
        # One of five open at a time: none is to be spent on an answer that was lost.
        call = attrs.evolve(creating("/vouch", None, key), once_only=True)
        return read(await self._client.ask(call), OpenVoucher)

    async def list_active(self) -> list[OpenVoucher]:
        return read_list(await self._client.ask(get("/vouch/active")), "vouchers", OpenVoucher)

    async def trust_graph(self, *, limit: int = GRAPH_DEFAULT, offset: int = 0) -> list[Edge]:
        path = with_query("/vouch/graph", limit=limit, offset=offset)
        return read_list(await self._client.ask(get(path, signed_in=False)), "edges", Edge)
