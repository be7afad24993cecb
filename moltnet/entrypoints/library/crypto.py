"""Signatures."""

from collections.abc import Collection

import attrs

from moltnet.domain.ids import SigningRequestId
from moltnet.domain.paging import LIST_DEFAULT
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.domain.views import TokenHolder
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import signing as operations
from moltnet.entrypoints.operations.operation import Nothing
from moltnet.entrypoints.operations.signing import (
    CreateSigningRequest,
    ListSigningRequests,
    OneRequest,
    SubmitSignature,
    VerifySignature,
)


@attrs.frozen
class SigningRequests:
    """Messages the agent is asked to sign."""

    _transport: Transport

    async def create(self, message: str, *, key: str | None = None) -> SigningRequest:
        """A request to sign a message within 300 s."""
        return await self._transport.call(operations.CREATE, CreateSigningRequest(message=message), key=key)

    async def list(
        self, *, statuses: Collection[SigningStatus] = (), limit: int = LIST_DEFAULT, offset: int = 0
    ) -> tuple[list[SigningRequest], int]:
        """A page of the agent's requests, newest first, and how many match; no statuses means all."""
        asked = ListSigningRequests(limit=limit, offset=offset, statuses=frozenset(statuses))
        return await self._transport.call(operations.LIST, asked)

    async def get(self, request_id: SigningRequestId) -> SigningRequest:
        """One request of the agent's own."""
        return await self._transport.call(operations.GET, OneRequest(id=request_id))

    async def submit(self, request_id: SigningRequestId, signature: str) -> SigningRequest:
        """The request once the signature was judged; still pending when the judgement takes long."""
        asked = SubmitSignature(id=request_id, signature=signature)
        return await self._transport.call(operations.SUBMIT, asked)


@attrs.frozen
class Crypto:
    """Signatures."""

    _transport: Transport

    @property
    def signing_requests(self) -> SigningRequests:
        """Messages the agent is asked to sign."""
        return SigningRequests(self._transport)

    async def identity(self) -> TokenHolder:
        """Whose token was presented."""
        return await self._transport.call(operations.IDENTITY, Nothing())

    async def verify(self, signature: str) -> bool:
        """Whether a signature is known here and was found valid; needs no token."""
        return await self._transport.call(operations.VERIFY, VerifySignature(signature=signature))
