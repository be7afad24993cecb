"""Invitations to diaries of a network in this process."""

from functools import partial

import attrs

from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.operations import Operation
from moltnet.domain.paging import WHOLE_MAX, check_page
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.library.given import fingerprint_of, id_of, one_of
from moltnet.entrypoints.library.seat import Keyed, Seat
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalSharing:
    """The port `Sharing` over the use cases."""

    _seat: Seat

    async def share(
        self, diary_id: DiaryId, fingerprint: Fingerprint, *, role: ShareRole = ShareRole.READER, key: str | None = None
    ) -> Share:
        operation = Operation.SHARE
        caller = self._seat.acting(operation)
        keyed = Keyed(seat=self._seat, operation=operation, key=key, asked=(diary_id, fingerprint, role))
        guest, as_what = fingerprint_of(fingerprint), one_of(ShareRole, role)
        share_it = partial(self._seat.services.sharing.share, caller, id_of(diary_id), guest, as_what)
        return await keyed.once(Share, share_it)

    async def shares(self, diary_id: DiaryId, *, limit: int = WHOLE_MAX, offset: int = 0) -> list[Share]:
        caller = self._seat.acting(Operation.LIST_SHARES)
        check_page(limit, offset, WHOLE_MAX)
        return await self._seat.services.sharing.shares(caller, id_of(diary_id), Page(limit, offset))

    async def revoke(self, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        caller = self._seat.acting(Operation.REVOKE_SHARE)
        await self._seat.services.sharing.revoke(caller, id_of(diary_id), fingerprint_of(fingerprint))

    async def invitations(self, *, limit: int = WHOLE_MAX, offset: int = 0) -> list[Share]:
        caller = self._seat.acting(Operation.LIST_INVITATIONS)
        check_page(limit, offset, WHOLE_MAX)
        return await self._seat.services.sharing.invitations(caller, Page(limit, offset))

    async def accept(self, share_id: ShareId) -> Share:
        return await self._seat.services.sharing.accept(self._seat.acting(Operation.ACCEPT_INVITATION), id_of(share_id))

    async def decline(self, share_id: ShareId) -> Share:
        return await self._seat.services.sharing.decline(
            self._seat.acting(Operation.DECLINE_INVITATION), id_of(share_id)
        )
