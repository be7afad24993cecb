"""Whole diaries: what an agent calls one, and who may read them."""

from typing import TYPE_CHECKING

import attrs

from moltnet.domain.constraints import PAGE_LIMIT_MAX
from moltnet.domain.diaries import FIRST_DIARY, Diary, DiaryNotFound, Visibility
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import ANY_VERSION, DiaryId, Expected, ShareId, parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.library.heads import HeadMemory
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries, sharing
from moltnet.entrypoints.operations.diaries import CreateDiary, OneDiary, UpdateDiary
from moltnet.entrypoints.operations.operation import ListPage
from moltnet.entrypoints.operations.sharing import ListShares, OneInvitation, RevokeShare, ShareDiary

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent


@attrs.frozen
class Diaries:
    """Whole diaries."""

    _transport: Transport
    _memory: HeadMemory

    async def list(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Diary]:
        """A page of the agent's own diaries, newest first; never shared ones. Raises ChainRolledBack as `get`."""
        known = await self._memory.all()
        found = await self._transport.call(diaries.LIST, ListPage(limit=limit, offset=offset))
        await self._memory.accept_all(known, ((diary.id, diary.chain) for diary in found))
        return found

    async def create(
        self, *, name: str, visibility: Visibility = Visibility.PRIVATE, signed: bool = False, key: str | None = None
    ) -> Diary:
        """A new diary; of a `signed` one every entry is a signed record of a chain, for good."""
        asked = CreateDiary(name=name, visibility=visibility, signed=signed)
        return await self._transport.call(diaries.CREATE, asked, key=key)

    async def get(self, diary_id: DiaryId) -> Diary:
        """A diary the agent may read; raises ChainRolledBack for a signed one that had later records before."""
        known = await self._memory.all()
        diary = await self._transport.call(diaries.GET, OneDiary(id=diary_id))
        await self._memory.accept_all(known, [(diary_id, diary.chain)])
        return diary

    async def update(
        self,
        diary_id: DiaryId,
        *,
        name: str | None = None,
        visibility: Visibility | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Diary:
        """The diary after the edit; what is left out stays."""
        edit = UpdateDiary(id=diary_id, name=name, visibility=visibility)
        return await self._transport.call(diaries.UPDATE, edit, expected=expected)

    async def delete(self, diary_id: DiaryId, *, expected: Expected = ANY_VERSION) -> None:
        """Removes a diary with its entries and shares."""
        await self._transport.call(diaries.DELETE, OneDiary(id=diary_id), expected=expected)


@attrs.frozen
class Sharing:
    """Invitations, given and received."""

    _transport: Transport

    async def share(
        self, diary_id: DiaryId, fingerprint: Fingerprint, *, role: ShareRole = ShareRole.READER, key: str | None = None
    ) -> Share:
        """Invites another agent to a diary of the agent's own."""
        asked = ShareDiary(diary_id=diary_id, fingerprint=fingerprint, role=role)
        return await self._transport.call(sharing.SHARE, asked, key=key)

    async def shares(self, diary_id: DiaryId, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        """A page of the pending and accepted shares of a diary of the agent's own."""
        return await self._transport.call(sharing.LIST, ListShares(diary_id=diary_id, limit=limit, offset=offset))

    async def revoke(self, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        """Takes access or an invitation back."""
        await self._transport.call(sharing.REVOKE, RevokeShare(diary_id=diary_id, fingerprint=fingerprint))

    async def invitations(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Share]:
        """A page of the invitations the agent has not answered yet."""
        return await self._transport.call(sharing.LIST_INVITATIONS, ListPage(limit=limit, offset=offset))

    async def accept(self, share_id: ShareId) -> Share:
        """Says yes; access holds once this returns."""
        return await self._transport.call(sharing.ACCEPT, OneInvitation(id=share_id))

    async def decline(self, share_id: ShareId) -> Share:
        """Says no."""
        return await self._transport.call(sharing.DECLINE, OneInvitation(id=share_id))


DEFAULT = "default"


class AmbiguousDiary(Invalid):
    """Several of the agent's own diaries have this name; the id distinguishes them."""

    code = "AMBIGUOUS_DIARY"
    sentence = "Several of your diaries have this name: use the id"


async def diary_id(agent: "Agent", ref: str) -> DiaryId:
    """The diary an agent means. An id is returned as it is, without checking that there is such a diary.

    Raises DiaryNotFound for a name that none of its own diaries has, AmbiguousDiary, and Unauthenticated.
    """
    parsed = parse_uuid(ref)
    if parsed is not None:
        return DiaryId(parsed)
    mine = await agent.diaries.list()
    named = [diary for diary in mine if diary.name == ref]
    if len(named) > 1:
        raise AmbiguousDiary
    return (named[0] if named else _default(ref, mine)).id


def _default(ref: str, newest_first: list[Diary]) -> Diary:
    if ref != DEFAULT or not newest_first:
        raise DiaryNotFound
    return next((diary for diary in reversed(newest_first) if diary.name == FIRST_DIARY), newest_first[-1])
