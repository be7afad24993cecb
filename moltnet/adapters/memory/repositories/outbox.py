"""Outbox messages in memory."""

from datetime import datetime
from uuid import UUID

import attrs

from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import ClaimableMessage, Tables
from moltnet.domain.ids import AgentId
from moltnet.domain.outbox import Change, OutboxMessage


class MemoryOutbox:
    """Changes of relations that are to be delivered elsewhere."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, change: Change) -> OutboxMessage:
        """Stores a change; one transaction is open at a time, so numbers are in the order of the commits."""
        async with self._statements.change() as tables:
            number = (tables.counters.get("intents") or 0) + 1
            tables.counters.put("intents", number)
            message = OutboxMessage(number, change)
            tables.outbox.add(number, ClaimableMessage(message))
            return message

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        """What is not delivered yet of a partition."""
        return _partition(await self._statements.read(), partition_key)

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        """What is not delivered yet of changes that concern an agent."""
        tables = await self._statements.read()
        rows = tables.outbox.sharing("agent", agent_id) | tables.outbox.sharing("agent", None)
        return [row.message for _, row in sorted(rows.items())]

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        """The oldest of a partition, unless another has it."""
        async with self._statements.change() as tables:
            oldest = next(iter(_partition(tables, partition_key)), None)
            row = tables.outbox.get(oldest.number) if oldest else None
            if row is None or row.message.number > through or (row.claimed_until and row.claimed_until > at):
                return None
            tables.outbox.put(row.message.number, attrs.evolve(row, claimed_until=until))
            return row.message

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        """Ends a claim."""
        async with self._statements.change() as tables:
            row = tables.outbox.get(message.number)
            if row is None or row.claimed_until != until:
                return False
            tables.outbox.put(message.number, ClaimableMessage(message))
            return True

    async def complete(self, message: OutboxMessage) -> bool:
        """Removes an outbox message."""
        async with self._statements.change() as tables:
            is_there = tables.outbox.get(message.number) is not None
            tables.outbox.drop(message.number)
            return is_there

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        """The newest of each partition, the partition with the oldest first."""
        tables = await self._statements.read()
        partition_keys = dict.fromkeys(
            row.message.change.partition_key for _, row in sorted(tables.outbox.rows().items())
        )
        return [_partition(tables, partition_key)[-1] for partition_key in list(partition_keys)[:limit]]


def _partition(tables: Tables, partition_key: UUID) -> list[OutboxMessage]:
    return [row.message for _, row in sorted(tables.outbox.sharing("partition_key", partition_key).items())]
