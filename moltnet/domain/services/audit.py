"""Reading the audit log."""

from collections.abc import AsyncGenerator
from datetime import datetime

import attrs

from moltnet.domain.audit import AuditEvent
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.ports.storage import Storage

READ_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class AuditService:
    """Shows agents what concerns them, and operators everything."""

    storage: Storage

    async def of_caller(self, caller: Caller, page: Page) -> list[AuditEvent]:
        """A page of what the caller did and what others did that concerns it, newest first."""
        async with self.storage.autocommit() as work:
            events = await work.audit.of_agent(caller.agent_id, page)
        return [event.shown_to(caller.agent_id) for event in events]

    async def all(self, since: datetime | None = None) -> AsyncGenerator[AuditEvent]:
        """Every event, oldest first, for an operator."""
        number = 0
        while True:
            async with self.storage.autocommit() as work:
                events = await work.audit.after(number, READ_AT_ONCE, since)
            for event in events:
                yield event
            if len(events) < READ_AT_ONCE:
                return
            number = events[-1].number
