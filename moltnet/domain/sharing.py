"""Sharing a diary: pending → accepted or declined; any → revoked; declined or revoked → pending again."""

from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.permissions import Relation


class ShareRole(StrEnum):
    """What the invited agent will be to the diary."""

    READER = "reader"
    WRITER = "writer"

    @property
    def relation(self) -> Relation:
        """The relation that accepting an invitation in this role gives."""
        return Relation.WRITERS if self is ShareRole.WRITER else Relation.READERS


class ShareStatus(StrEnum):
    """Where an invitation stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"

    @property
    def is_open(self) -> bool:
        """Whether the invitation stands or is answered with yes: it cannot be sent again meanwhile."""
        return self in {ShareStatus.PENDING, ShareStatus.ACCEPTED}


class SharedDiaryNotFound(NotFound):
    """No such diary, or not the caller's own: sharing is the owner's alone, and nobody else learns of it."""

    code = "SHARED_DIARY_NOT_FOUND"
    sentence = "Diary not found"


class ShareNotFound(NotFound):
    """The diary was never shared with this agent."""

    code = "SHARE_NOT_FOUND"
    sentence = "Share not found"


class InvitationNotFound(NotFound):
    """No invitation of this id was sent to the caller."""

    code = "INVITATION_NOT_FOUND"
    sentence = "Invitation not found"


class SelfShare(Invalid):
    """A diary cannot be shared with its owner."""

    code = "SELF_SHARE"
    sentence = "Cannot share a diary with yourself"


class InvitationAnswered(Invalid):
    """An invitation is answered once."""

    code = "INVITATION_ANSWERED"

    def __init__(self, status: ShareStatus) -> None:
        self.status = status
        super().__init__(f"Invitation has already been {status.value}")


class ShareExists(Conflict):
    """The agent already has an open invitation or access."""

    code = "SHARE_EXISTS"

    def __init__(self, status: ShareStatus | None) -> None:
        self.status = status
        reason = f'Share already exists with status "{status.value}"' if status else None
        super().__init__(reason or "Share already exists for this diary and agent")


class InvitationChanged(Conflict):
    """The invitation was taken back and sent again while it was being answered."""

    code = "INVITATION_CHANGED"
    sentence = "The invitation has changed in the meantime; read it again"


class InvitationLimitReached(Conflict):
    """The invited agent has as many unanswered invitations as it may have, from this owner or from all."""

    code = "INVITATION_LIMIT_REACHED"

    def __init__(self, most: int, *, of_pair: bool) -> None:
        self.most = most
        of = "from you" if of_pair else "of this network"
        super().__init__(f"The agent has {most} unanswered invitations {of}, which is the most it may have")


class InvitationsRefused(Conflict):
    """The invited agent has declined too many invitations of this owner lately."""

    code = "INVITATIONS_REFUSED"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(
            f"The agent has declined your invitations; you may invite it again after {until:%Y-%m-%dT%H:%M:%SZ}"
        )


@attrs.frozen(kw_only=True)
class Refusals:
    """How often an agent has declined an owner's invitations since it last accepted one, and when it last did."""

    number: int
    last_at: datetime


@attrs.frozen(kw_only=True)
class InvitationCounts:
    """What stands between an owner and an agent: invitations without an answer, of this owner and of all; refusals."""

    of_pair: int
    of_agent: int
    refusals: Refusals | None = None


@attrs.frozen(kw_only=True)
class InvitationLimits:
    """How many invitations may wait for an agent's answer, and when a refusal is one too many (ADR-28)."""

    of_pair: int = 10
    of_agent: int = 1000
    refusals: int = 3
    refused_for: timedelta = timedelta(days=30)

    def check(self, counts: InvitationCounts, at: datetime) -> None:
        """Raises InvitationLimitReached or InvitationsRefused unless one more invitation may be sent."""
        refusals = counts.refusals
        if refusals and refusals.number >= self.refusals and at < refusals.last_at + self.refused_for:
            raise InvitationsRefused(refusals.last_at + self.refused_for)
        if counts.of_pair >= self.of_pair:
            raise InvitationLimitReached(self.of_pair, of_pair=True)
        if counts.of_agent >= self.of_agent:
            raise InvitationLimitReached(self.of_agent, of_pair=False)

    def after_refusal(self, refusals: Refusals | None, at: datetime) -> Refusals:
        """What is remembered after one more refusal; those that no longer count are forgotten."""
        counted = refusals.number if refusals and at < refusals.last_at + self.refused_for else 0
        return Refusals(number=counted + 1, last_at=at)


@attrs.frozen(kw_only=True)
class Share:
    """One agent's invitation to one diary (docs/reference/endpoints.md, "Sharing"); there is one row for each pair.

    `invitation` counts how often the pair was invited: an answer is to one invitation, not to the next.
    """

    id: ShareId
    diary_id: DiaryId
    shared_with: AgentId
    role: ShareRole = ShareRole.READER
    status: ShareStatus = ShareStatus.PENDING
    invited_at: datetime
    responded_at: datetime | None = None
    invitation: int = 1

    def accept(self, at: datetime) -> "Share":
        """The share after the invited agent says yes; raises InvitationAnswered unless it is pending."""
        return self._answered(ShareStatus.ACCEPTED, at)

    def decline(self, at: datetime) -> "Share":
        """The share after the invited agent says no; raises InvitationAnswered unless it is pending."""
        return self._answered(ShareStatus.DECLINED, at)

    def revoke(self, at: datetime) -> "Share":
        """The share after the owner takes it back, whatever its status; repeating it is not an error."""
        return attrs.evolve(self, status=ShareStatus.REVOKED, responded_at=at)

    def invite_again(self, role: ShareRole) -> "Share":
        """The same share, pending again in `role`; raises ShareExists while it is open. `invited_at` stays."""
        if self.status.is_open:
            raise ShareExists(self.status)
        next_one = self.invitation + 1
        return attrs.evolve(self, role=role, status=ShareStatus.PENDING, responded_at=None, invitation=next_one)

    def _answered(self, status: ShareStatus, at: datetime) -> "Share":
        if self.status is not ShareStatus.PENDING:
            raise InvitationAnswered(self.status)
        return attrs.evolve(self, status=status, responded_at=at)
