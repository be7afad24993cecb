"""The audit log, in memory."""

from datetime import datetime

import attrs

from moltnet.adapters.memory.statements import Repository
from moltnet.domain.audit import AuditEvent
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId


class MemoryAuditLog(Repository):
    """Events that are only ever added."""

    async def add(self, event: AuditEvent) -> None:
        async with self._statements.change() as tables:
            number = (tables.counters.get("audit") or 0) + 1
            tables.counters.put("audit", number)
            tables.audit.put(number, attrs.evolve(event, number=number))

    async def of_agent(self, agent_id: AgentId, page: Page) -> list[AuditEvent]:
        tables = await self._statements.read()
        own = tables.audit.sharing("actor", agent_id) | tables.audit.sharing("subject", agent_id)
        newest = [own[number] for number in sorted(own, reverse=True)]
        return newest[page.offset : page.offset + page.limit]

    async def after(self, number: int, limit: int, since: datetime | None = None) -> list[AuditEvent]:
        events = (await self._statements.read()).audit.rows()
        chosen = [events[each] for each in sorted(events) if each > number]
        return [event for event in chosen if since is None or event.at >= since][:limit]

    async def purge(self, before: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.audit.drop_where(lambda event: event.at < before)
