"""Signatures in a network in this process."""

from collections.abc import Collection
from functools import partial

import attrs

from moltnet.domain.ids import SigningRequestId
from moltnet.domain.operations import Operation
from moltnet.domain.paging import LIST_DEFAULT, check_page
from moltnet.domain.signing import SigningRequest, SigningStatus, check_signature_text
from moltnet.domain.text import check_texts
from moltnet.domain.views import TokenHolder
from moltnet.entrypoints.library.caller_context import CallerContext, IdempotentCall
from moltnet.entrypoints.library.coerce import id_of, one_of
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalSigningRequests:
    """The port `SigningRequests` over the use cases."""

    _context: CallerContext

    async def create(self, message: str, *, key: str | None = None) -> SigningRequest:
        operation = Operation.CREATE_SIGNING_REQUEST
        caller = self._context.require_caller(operation)
        check_texts(message)
        idempotent = IdempotentCall(context=self._context, operation=operation, key=key, asked=(message,))
        return await idempotent.once(SigningRequest, partial(self._context.services.signing.prepare, caller, message))

    async def list(
        self, *, statuses: Collection[SigningStatus] = (), limit: int = LIST_DEFAULT, offset: int = 0
    ) -> tuple[list[SigningRequest], int]:
        caller = self._context.require_caller(Operation.LIST_SIGNING_REQUESTS)
        check_page(limit, offset)
        return await self._context.services.signing.list(
            caller, frozenset(one_of(SigningStatus, each) for each in statuses), Page(limit, offset)
        )

    async def get(self, request_id: SigningRequestId) -> SigningRequest:
        return await self._context.services.signing.get(
            self._context.require_caller(Operation.GET_SIGNING_REQUEST), id_of(request_id)
        )

    async def submit(self, request_id: SigningRequestId, signature: str) -> SigningRequest:
        caller = self._context.require_caller(Operation.SUBMIT_SIGNATURE)
        check_signature_text(signature)
        check_texts(signature)
        return await self._context.services.signing.submit(caller, id_of(request_id), signature)


@attrs.frozen
class LocalCrypto:
    """The port `Crypto` over the use cases."""

    _context: CallerContext

    @property
    def signing_requests(self) -> LocalSigningRequests:
        return LocalSigningRequests(self._context)

    async def identity(self) -> TokenHolder:
        return TokenHolder.of(self._context.require_caller(Operation.IDENTITY))

    async def verify(self, signature: str) -> bool:
        check_signature_text(signature)
        check_texts(signature)
        return await self._context.services.signing.verify(signature)
