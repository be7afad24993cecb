"""Sharing: invite, answer, take back. Relations change in the same unit of work as the share they follow from."""

import attrs

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services.idempotency import Recorder, unrecorded
from moltnet.domain.services.relations import RelationService
from moltnet.domain.sharing import (
    InvitationAnswered,
    InvitationNotFound,
    SelfShare,
    Share,
    SharedDiaryNotFound,
    ShareExists,
    ShareNotFound,
    ShareRole,
    ShareStatus,
)
from moltnet.ports.clock import Clock
from moltnet.ports.permissions import Permissions
from moltnet.ports.randomness import Randomness
from moltnet.ports.storage import Storage, UnitOfWork


@attrs.frozen(kw_only=True)
class SharingService:
    """What an owner and an invited agent do with a diary."""

    storage: Storage
    permissions: Permissions
    relations: RelationService
    clock: Clock
    randomness: Randomness

    async def share(
        self,
        caller: Caller,
        diary_id: DiaryId,
        fingerprint: Fingerprint,
        role: ShareRole,
        record: Recorder[Share] = unrecorded,
    ) -> Share:
        """Invites an agent, or invites it again after it declined or access was revoked.

        Raises SharedDiaryNotFound, AgentNotFound, SelfShare, ShareExists.
        """
        async with self.storage.writing() as work:
            diary = await _own(work, caller, diary_id)
            agent = await work.agents.find_by_fingerprint(fingerprint)
            if agent is None:
                raise AgentNotFound(fingerprint)
            if agent.id == diary.owner_id:
                raise SelfShare
            existing = await work.shares.find_for(diary_id, agent.id)
            share = existing.invite_again(role) if existing else self._first(diary_id, agent.id, role)
            await record(work, share)
            if not await _invited(work, share, existing):
                raise ShareExists(None)
        return share

    async def shares(self, caller: Caller, diary_id: DiaryId) -> list[Share]:
        """The pending and accepted shares of the caller's diary; raises SharedDiaryNotFound."""
        async with self.storage.reading() as work:
            await _own(work, caller, diary_id)
            return await work.shares.open_of(diary_id)

    async def invitations(self, caller: Caller) -> list[Share]:
        """The invitations the caller has not answered yet, oldest first."""
        async with self.storage.reading() as work:
            return await work.shares.pending_for(caller.agent_id)

    async def accept(self, caller: Caller, share_id: ShareId) -> Share:
        """Says yes; access holds once this returns. Raises InvitationNotFound and InvitationAnswered."""
        async with self.storage.writing() as work:
            share = await _addressed(work, caller, share_id)
            accepted = share.accept(self.clock.now())
            await _settle(work, caller, accepted)
            left = await self.permissions.grant(work, share.diary_id, share.role.relation, caller.agent_id)
        await self.relations.settle(left)
        return accepted

    async def decline(self, caller: Caller, share_id: ShareId) -> Share:
        """Says no; raises InvitationNotFound and InvitationAnswered."""
        async with self.storage.writing() as work:
            share = await _addressed(work, caller, share_id)
            declined = share.decline(self.clock.now())
            await _settle(work, caller, declined)
        return declined

    async def revoke(self, caller: Caller, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        """Takes access or an invitation back; none is left once this returns. Doing so again is no error.

        Raises SharedDiaryNotFound, AgentNotFound, ShareNotFound.
        """
        async with self.storage.writing() as work:
            await _own(work, caller, diary_id)
            agent = await work.agents.find_by_fingerprint(fingerprint)
            if agent is None:
                raise AgentNotFound(fingerprint)
            share = await work.shares.find_for(diary_id, agent.id)
            # The agent may be answering at this very moment: then its answer came first, and is taken back too.
            while share and not await work.shares.replace(share.revoke(self.clock.now()), expected=share.status):
                share = await work.shares.find_for(diary_id, agent.id)
            if share is None:
                raise ShareNotFound
            left = await self.permissions.withdraw(work, diary_id, agent.id)
        await self.relations.settle(left)

    def _first(self, diary_id: DiaryId, guest: AgentId, role: ShareRole) -> Share:
        at = self.clock.now()
        share_id = ShareId(self.randomness.row_id(at))
        return Share(id=share_id, diary_id=diary_id, shared_with=guest, role=role, invited_at=at)


async def _own(work: UnitOfWork, caller: Caller, diary_id: DiaryId) -> Diary:
    diary = await work.diaries.find(diary_id)
    if diary is None or diary.owner_id != caller.agent_id:
        raise SharedDiaryNotFound
    return diary


async def _addressed(work: UnitOfWork, caller: Caller, share_id: ShareId) -> Share:
    share = await work.shares.find(share_id)
    if share is None or share.shared_with != caller.agent_id:
        raise InvitationNotFound
    return share


async def _invited(work: UnitOfWork, share: Share, existing: Share | None) -> bool:
    if existing is None:
        return await work.shares.add(share)
    return await work.shares.replace(share, expected=existing.status)


async def _settle(work: UnitOfWork, caller: Caller, answered: Share) -> None:
    if not await work.shares.replace(answered, expected=ShareStatus.PENDING):
        raise InvitationAnswered((await _addressed(work, caller, answered.id)).status)
