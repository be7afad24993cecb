"""The database itself keeps the audit log as it is."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.ids import AgentId
from tests.support.postgres import a_database, execute, rows

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    "statement",
    ["update audit_events set detail = 'other'", "delete from audit_events", "truncate audit_events"],
)
async def test_events_are_neither_changed_nor_removed(statement: str) -> None:
    actor = AgentId(uuid4())
    async with a_database() as conninfo:
        async with PostgresStorage.open(conninfo, max_connections=2) as storage, storage.transaction() as work:
            await work.audit.add(
                AuditEvent(at=datetime.now(UTC), action=AuditAction.KEY_REPLACED, actor_id=actor, detail="one")
            )
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            await execute(conninfo, statement)
        assert await rows(conninfo, "select detail from audit_events where actor_id = %(a)s", a=actor) == [("one",)]
