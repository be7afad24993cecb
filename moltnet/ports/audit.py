"""The audit log of a network."""

from datetime import datetime
from typing import Protocol

from moltnet.domain.audit import AuditEvent
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId


class AuditLog(Protocol):
    """Events that are only ever added; none is changed, and none is removed before its time."""

    async def add(self, event: AuditEvent) -> None:
        """Stores an event behind all others; its `number` is given here."""

    async def of_agent(self, agent_id: AgentId, page: Page) -> list[AuditEvent]:
        """A page of the events in which an agent is actor or subject, newest first."""

    async def after(self, number: int, limit: int, since: datetime | None = None) -> list[AuditEvent]:
        """The next events of anybody behind a number, oldest first; those from before `since` are left out."""

    async def purge(self, before: datetime) -> int:
        """Removes events from before a time, which is AUDIT_RETENTION_DAYS_MIN ago or earlier; answers how many."""
