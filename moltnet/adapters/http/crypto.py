"""Signatures over REST."""

from collections.abc import Collection

import attrs

from moltnet.adapters.http.calls import Call, creating, get, members, path_of, with_query
from moltnet.adapters.http.decoding import read, read_member, read_page
from moltnet.adapters.http.rest_client import RestClient
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.paging import LIST_DEFAULT
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.domain.views import TokenHolder

_REQUESTS = "/crypto/signing-requests"


@attrs.frozen
class HttpSigningRequests:
    """The port `SigningRequests`."""

    _client: RestClient

    async def create(self, message: str, *, key: str | None = None) -> SigningRequest:
        return read(await self._client.ask(creating(_REQUESTS, members(message=message), key)), SigningRequest)

    async def list(
        self, *, statuses: Collection[SigningStatus] = (), limit: int = LIST_DEFAULT, offset: int = 0
    ) -> tuple[list[SigningRequest], int]:
        path = with_query(_REQUESTS, limit=limit, offset=offset, status=",".join(statuses) or None)
        return read_page(await self._client.ask(get(path)), SigningRequest)

    async def get(self, request_id: SigningRequestId) -> SigningRequest:
        return read(await self._client.ask(get(_REQUESTS + path_of(request_id))), SigningRequest)

    async def submit(self, request_id: SigningRequestId, signature: str) -> SigningRequest:
        path = _REQUESTS + path_of(request_id, "sign")
        call = Call(method="POST", path=path, json=members(signature=signature))
        return read(await self._client.ask(call), SigningRequest)


@attrs.frozen
class HttpCrypto:
    """The port `Crypto`."""

    _client: RestClient

    @property
    def signing_requests(self) -> HttpSigningRequests:
        return HttpSigningRequests(self._client)

    async def identity(self) -> TokenHolder:
        return read(await self._client.ask(get("/crypto/identity")), TokenHolder)

    async def verify(self, signature: str) -> bool:
        body = members(signature=signature)
        call = Call(method="POST", path="/crypto/verify", json=body, signed_in=False, repeatable=True)
        return read_member(await self._client.ask(call), "valid", bool)
