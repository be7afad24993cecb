"""The audit log, in PostgreSQL, which itself refuses to change it."""

from datetime import datetime

from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId

SELECT_EVENTS = "select number, at, action, actor_id, address, subject_id, diary_id, detail from audit_events"
# One row; audit_events_pkey.
ADD_EVENT = """
    insert into audit_events (at, action, actor_id, address, subject_id, diary_id, detail)
    values (%(at)s, %(action)s, %(actor_id)s, %(address)s, %(subject_id)s, %(diary_id)s, %(detail)s)
"""
# A page, newest first; audit_events_actor and audit_events_subject.
EVENTS_OF_AGENT = f"""
    {SELECT_EVENTS} where actor_id = %(agent_id)s or subject_id = %(agent_id)s
    order by number desc limit %(limit)s offset %(offset)s
"""
# The next ones, oldest first; audit_events_pkey.
EVENTS_AFTER = f"""
    {SELECT_EVENTS} where number > %(number)s and (%(since)s::timestamptz is null or at >= %(since)s)
    order by number limit %(limit)s
"""
# One row for every event that was removed; audit_events_time.
PURGE_EVENTS = "delete from audit_events where at < %(before)s"


class PostgresAuditLog(Repository):
    """Events that are only ever added."""

    async def add(self, event: AuditEvent) -> None:
        await self._session.run(
            ADD_EVENT,
            at=event.at,
            action=event.action.value,
            actor_id=event.actor_id,
            address=event.address,
            subject_id=event.subject_id,
            diary_id=event.diary_id,
            detail=event.detail,
        )

    async def of_agent(self, agent_id: AgentId, page: Page) -> list[AuditEvent]:
        return await self._session.all(_event, EVENTS_OF_AGENT, agent_id=agent_id, limit=page.limit, offset=page.offset)

    async def after(self, number: int, limit: int, since: datetime | None = None) -> list[AuditEvent]:
        return await self._session.all(_event, EVENTS_AFTER, number=number, limit=limit, since=since)

    async def purge(self, before: datetime) -> int:
        return await self._session.run(PURGE_EVENTS, before=before)


def _event(row: Row) -> AuditEvent:
    return AuditEvent(**{**row, "action": AuditAction(row["action"])})
