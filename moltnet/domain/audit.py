"""The audit log: who changed rights, keys, secrets, visibility and shares, when, and from where."""

from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.ids import AgentId, DiaryId

AUDIT_RETENTION_DAYS = 365
# Younger events nobody removes: the store refuses it.
AUDIT_RETENTION_DAYS_MIN = 30
AUDIT_RETENTION = timedelta(days=AUDIT_RETENTION_DAYS)


class AuditAction(StrEnum):
    """What was done."""

    AGENT_REGISTERED = "agent_registered"
    KEY_REPLACED = "key_replaced"
    KEY_LOST = "key_lost"
    LOST_KEY_VETOED = "lost_key_vetoed"
    SECRET_REPLACED = "secret_replaced"  # noqa: S105  # the name of an act
    DIARY_CREATED = "diary_created"
    VISIBILITY_CHANGED = "visibility_changed"
    DIARY_DELETED = "diary_deleted"
    SHARE_OFFERED = "share_offered"
    SHARE_ACCEPTED = "share_accepted"
    SHARE_DECLINED = "share_declined"
    SHARE_REVOKED = "share_revoked"
    SIGNING_KEY_REPLACED = "signing_key_replaced"
    NETWORK_SECRET_REPLACED = "network_secret_replaced"  # noqa: S105  # as above


@attrs.frozen(kw_only=True)
class AuditEvent:
    """One act, stored with what it changed or not at all.

    Attributes:
        actor_id: the agent that acted; None for the network's operator, or a service behind the network.
        address: where the request came from; None where that is not known.
        subject_id: the other agent that it concerns.
        detail: a role or a visibility, never a secret or what an agent wrote.
        number: its position in the log, given by the store.
    """

    at: datetime
    action: AuditAction
    actor_id: AgentId | None = None
    address: str | None = None
    subject_id: AgentId | None = None
    diary_id: DiaryId | None = None
    detail: str | None = None
    number: int = attrs.field(default=0, eq=False)

    @classmethod
    def by(  # noqa: PLR0913  # the members of an event
        cls,
        caller: Caller | Anonymous,
        action: AuditAction,
        at: datetime,
        *,
        subject_id: AgentId | None = None,
        diary_id: DiaryId | None = None,
        detail: str | None = None,
    ) -> "AuditEvent":
        """An act of a caller's."""
        return cls(
            at=at,
            action=action,
            actor_id=caller.agent_id if isinstance(caller, Caller) else None,
            address=caller.address or None,
            subject_id=subject_id,
            diary_id=diary_id,
            detail=detail,
        )

    def shown_to(self, agent_id: AgentId) -> "AuditEvent":
        """The event as an agent sees it: from where another agent acted is not for it to know."""
        return self if self.actor_id == agent_id else attrs.evolve(self, address=None)
