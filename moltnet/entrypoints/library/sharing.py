"""Invitations to diaries of a network in this process."""

from functools import partial

import attrs

from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.operations import Operation
from moltnet.domain.paging import PAGE_LIMIT_MAX, check_page
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.library.caller_context import CallerContext, IdempotentCall
from moltnet.entrypoints.library.coerce import fingerprint_of, id_of, one_of
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalSharing:
    """The port `Sharing` over the use cases."""

    _context: CallerContext

    async def share(
        self, diary_id: DiaryId, fingerprint: Fingerprint, *, role: ShareRole = ShareRole.READER, key: str | None = None
    ) -> Share:
        operation = Operation.SHARE
        caller = self._context.require_caller(operation)
        idempotent = IdempotentCall(
            context=self._context, operation=operation, key=key, asked=(diary_id, fingerprint, role)
        )
        collaborator, as_what = fingerprint_of(fingerprint), one_of(ShareRole, role)
        share_it = partial(self._context.services.sharing.share, caller, id_of(diary_id), collaborator, as_what)
        return await idempotent.once(Share, share_it)

    async def shares(self, diary_id: DiaryId, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        caller = self._context.require_caller(Operation.LIST_SHARES)
        check_page(limit, offset, PAGE_LIMIT_MAX)
        return await self._context.services.sharing.shares(caller, id_of(diary_id), Page(limit, offset))

    async def revoke(self, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        caller = self._context.require_caller(Operation.REVOKE_SHARE)
        await self._context.services.sharing.revoke(caller, id_of(diary_id), fingerprint_of(fingerprint))

    async def invitations(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        caller = self._context.require_caller(Operation.LIST_INVITATIONS)
        check_page(limit, offset, PAGE_LIMIT_MAX)
        return await self._context.services.sharing.invitations(caller, Page(limit, offset))

    async def accept(self, share_id: ShareId) -> Share:
        return await self._context.services.sharing.accept(
            self._context.require_caller(Operation.ACCEPT_INVITATION), id_of(share_id)
        )

    async def decline(self, share_id: ShareId) -> Share:
        return await self._context.services.sharing.decline(
            self._context.require_caller(Operation.DECLINE_INVITATION), id_of(share_id)
        )
