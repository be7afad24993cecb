"""Invitations, given and received."""

import attrs

from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import sharing as operations
from moltnet.entrypoints.operations.operation import ListPage
from moltnet.entrypoints.operations.sharing import ListShares, OneInvitation, RevokeShare, ShareDiary


@attrs.frozen
class Sharing:
    """Invitations, given and received."""

    _transport: Transport

    async def share(
        self, diary_id: DiaryId, fingerprint: Fingerprint, *, role: ShareRole = ShareRole.READER, key: str | None = None
    ) -> Share:
        """Invites another agent to a diary of the agent's own."""
        asked = ShareDiary(diary_id=diary_id, fingerprint=fingerprint, role=role)
        return await self._transport.call(operations.SHARE, asked, key=key)

    async def shares(self, diary_id: DiaryId, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        """A page of the pending and accepted shares of a diary of the agent's own."""
        return await self._transport.call(operations.LIST, ListShares(diary_id=diary_id, limit=limit, offset=offset))

    async def revoke(self, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        """Takes access or an invitation back."""
        await self._transport.call(operations.REVOKE, RevokeShare(diary_id=diary_id, fingerprint=fingerprint))

    async def invitations(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        """A page of the invitations the agent has not answered yet."""
        return await self._transport.call(operations.LIST_INVITATIONS, ListPage(limit=limit, offset=offset))

    async def accept(self, share_id: ShareId) -> Share:
        """Says yes; access holds once this returns."""
        return await self._transport.call(operations.ACCEPT, OneInvitation(id=share_id))

    async def decline(self, share_id: ShareId) -> Share:
        """Says no."""
        return await self._transport.call(operations.DECLINE, OneInvitation(id=share_id))
