"""Idempotency records in memory."""

from datetime import datetime

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import IdempotencyRecordKey
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest


class MemoryIdempotencyRecords:
    """At most one idempotency record for each agent, operation and key."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, record: IdempotencyRecord) -> bool:
        """Stores an idempotency record, in the place of one that had expired."""
        async with self._statements.change() as tables:
            referenced_agent(tables, record.request.agent_id)
            key = IdempotencyRecordKey.of(record.request)
            stored = tables.idempotency_records.get(key)
            if stored and stored.expires_at > record.created_at:
                return False
            tables.idempotency_records.put(key, record)
            return True

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        """The idempotency record for a request, unless it has expired."""
        tables = await self._statements.read()
        stored = tables.idempotency_records.get(IdempotencyRecordKey.of(request))
        return stored if stored and stored.expires_at > at else None

    async def purge(self, at: datetime) -> int:
        """Forgets idempotency records that had expired at `at`."""
        async with self._statements.change() as tables:
            old = [key for key, record in tables.idempotency_records.rows().items() if record.expires_at <= at]
            for key in old:
                tables.idempotency_records.drop(key)
            return len(old)
