"""Sharing: invite, answer, take back. Relations change in the same unit of work as the share they follow from."""

from collections.abc import Iterable, Mapping

import attrs

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import LARGEST_PAGE, Page
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services.relations import RelationService
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.domain.sharing import (
    InvitationAnswered,
    InvitationChanged,
    InvitationLimits,
    InvitationNotFound,
    SelfShare,
    Share,
    SharedDiaryNotFound,
    ShareExists,
    ShareNotFound,
    ShareRole,
    ShareStatus,
)
from moltnet.ports.permissions import Permissions
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class SharingService:
    """What an owner and an invited agent do with a diary."""

    storage: Storage
    permissions: Permissions
    relations: RelationService
    clock: Clock
    randomness: Randomness
    limits: InvitationLimits = attrs.field(factory=InvitationLimits)

    async def share(
        self,
        caller: Caller,
        diary_id: DiaryId,
        fingerprint: Fingerprint,
        role: ShareRole,
        record: SaveResponse[Share] = unrecorded,
    ) -> Share:
        """Invites an agent, or invites it again after it declined or access was revoked.

        Raises SharedDiaryNotFound, AgentNotFound, SelfShare, ShareExists, InvitationLimitReached, InvitationsRefused.
        """
        async with self.storage.transaction() as work:
            diary = await _owned_diary(work, caller, diary_id)
            agent = await work.agents.find_by_fingerprint(fingerprint)
            if agent is None:
                raise AgentNotFound(fingerprint)
            if agent.id == diary.owner_id:
                raise SelfShare
            existing = await work.shares.find_for(diary_id, agent.id)
            share = existing.invite_again(role) if existing else self._first(diary_id, agent.id, role)
            self.limits.check(await work.shares.counts(diary.owner_id, agent.id), self.clock.now())
            await record(work, share)
            if not await _invited(work, share, existing):
                raise ShareExists(None)
            await self._audit(work, caller, AuditAction.SHARE_OFFERED, share, agent.id)
        return share

    async def shares(self, caller: Caller, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending and accepted shares of the caller's diary; raises SharedDiaryNotFound."""
        async with self.storage.snapshot() as work:
            await _owned_diary(work, caller, diary_id)
            return await work.shares.open_of(diary_id, page)

    async def invitations(self, caller: Caller, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the invitations the caller has not answered yet, oldest first."""
        async with self.storage.autocommit() as work:
            return await work.shares.pending_for(caller.agent_id, page)

    async def inviters(self, invitations: Iterable[Share]) -> Mapping[DiaryId, Fingerprint]:
        """Who offers each of these diaries, by the name that others know it by; those that are gone are left out."""
        async with self.storage.snapshot() as work:
            diaries = [await work.diaries.find(share.diary_id) for share in invitations]
            owners = [(diary.id, await work.agents.find(diary.owner_id)) for diary in diaries if diary is not None]
        return {diary_id: owner.fingerprint for diary_id, owner in owners if owner is not None}

    async def accept(self, caller: Caller, share_id: ShareId) -> Share:
        """Says yes; access holds once this returns. What is accepted is the invitation as it stands.

        Raises InvitationNotFound, InvitationAnswered and InvitationChanged.
        """
        async with self.storage.transaction() as work:
            share = await _addressed(work, caller, share_id)
            accepted = share.accept(self.clock.now())
            await _store_answer(work, caller, share, accepted)
            owner = await _owner(work, share)
            await work.shares.remember_refusals(owner, caller.agent_id, None)
            await self._audit(work, caller, AuditAction.SHARE_ACCEPTED, share, owner)
            pending = await self.permissions.grant(work, share.diary_id, share.role.relation, caller.agent_id)
        await self.relations.complete(pending)
        return accepted

    async def decline(self, caller: Caller, share_id: ShareId) -> Share:
        """Says no; raises InvitationNotFound, InvitationAnswered and InvitationChanged."""
        async with self.storage.transaction() as work:
            share = await _addressed(work, caller, share_id)
            at = self.clock.now()
            declined = share.decline(at)
            owner = await _owner(work, share)
            # Before the answer is written, as `share` does: two that wait for each other would both be lost.
            before = (await work.shares.counts(owner, caller.agent_id)).refusals
            await _store_answer(work, caller, share, declined)
            await work.shares.remember_refusals(owner, caller.agent_id, self.limits.after_refusal(before, at))
            await self._audit(work, caller, AuditAction.SHARE_DECLINED, share, owner)
        return declined

    async def revoke(self, caller: Caller, diary_id: DiaryId, fingerprint: Fingerprint) -> None:
        """Takes access or an invitation back; none is left once this returns. Repeating it is not an error.

        Raises SharedDiaryNotFound, AgentNotFound, ShareNotFound.
        """
        async with self.storage.transaction() as work:
            await _owned_diary(work, caller, diary_id)
            agent = await work.agents.find_by_fingerprint(fingerprint)
            if agent is None:
                raise AgentNotFound(fingerprint)
            share = await work.shares.find_for(diary_id, agent.id)
            # The agent may be answering at this very moment: then its answer came first, and is taken back too.
            while share and not await work.shares.replace(share.revoke(self.clock.now()), expected=share):
                share = await work.shares.find_for(diary_id, agent.id)
            if share is None:
                raise ShareNotFound
            pending = await self.permissions.withdraw(work, diary_id, agent.id)
            await self._audit(work, caller, AuditAction.SHARE_REVOKED, share, agent.id)
        await self.relations.complete(pending)

    async def _audit(self, work: UnitOfWork, caller: Caller, action: AuditAction, share: Share, other: AgentId) -> None:
        event = AuditEvent.by(
            caller, action, self.clock.now(), subject_id=other, diary_id=share.diary_id, detail=share.role.value
        )
        await work.audit.add(event)

    def _first(self, diary_id: DiaryId, collaborator: AgentId, role: ShareRole) -> Share:
        at = self.clock.now()
        share_id = ShareId(self.randomness.row_id(at))
        return Share(id=share_id, diary_id=diary_id, shared_with=collaborator, role=role, invited_at=at)


async def _owned_diary(work: UnitOfWork, caller: Caller, diary_id: DiaryId) -> Diary:
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
    return await work.shares.replace(share, expected=existing)


async def _owner(work: UnitOfWork, share: Share) -> AgentId:
    diary = await work.diaries.find(share.diary_id)
    if diary is None:
        raise InvitationNotFound
    return diary.owner_id


async def _store_answer(work: UnitOfWork, caller: Caller, read: Share, answered: Share) -> None:
    if await work.shares.replace(answered, expected=read):
        return
    current = await _addressed(work, caller, answered.id)
    if current.status is ShareStatus.PENDING:
        raise InvitationChanged
    raise InvitationAnswered(current.status)
