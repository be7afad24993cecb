"""Intents in memory."""

from datetime import datetime
from uuid import UUID

import attrs

from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import ClaimableIntent, Tables
from moltnet.domain.ids import AgentId
from moltnet.domain.intents import Change, Intent


class MemoryIntents:
    """Changes of relations that are to be delivered elsewhere."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, change: Change) -> Intent:
        """Stores a change; one transaction is open at a time, so numbers are in the order of the commits."""
        async with self._statements.change() as tables:
            number = (tables.counters.get("intents") or 0) + 1
            tables.counters.put("intents", number)
            intent = Intent(number, change)
            tables.intents.add(number, ClaimableIntent(intent))
            return intent

    async def pending_in(self, lane: UUID) -> list[Intent]:
        """What is not delivered yet of a lane."""
        return _lane(await self._statements.look(), lane)

    async def pending_of(self, agent_id: AgentId) -> list[Intent]:
        """What is not delivered yet of changes that concern an agent."""
        tables = await self._statements.look()
        rows = tables.intents.sharing("agent", agent_id) | tables.intents.sharing("agent", None)
        return [row.intent for _, row in sorted(rows.items())]

    async def claim(self, lane: UUID, through: int, at: datetime, until: datetime) -> Intent | None:
        """The oldest of a lane, unless another has it."""
        async with self._statements.change() as tables:
            oldest = next(iter(_lane(tables, lane)), None)
            row = tables.intents.get(oldest.number) if oldest else None
            if row is None or row.intent.number > through or (row.claimed_until and row.claimed_until > at):
                return None
            tables.intents.put(row.intent.number, attrs.evolve(row, claimed_until=until))
            return row.intent

    async def release(self, intent: Intent, until: datetime) -> bool:
        """Ends a claim."""
        async with self._statements.change() as tables:
            row = tables.intents.get(intent.number)
            if row is None or row.claimed_until != until:
                return False
            tables.intents.put(intent.number, ClaimableIntent(intent))
            return True

    async def settle(self, intent: Intent) -> bool:
        """Forgets an intent."""
        async with self._statements.change() as tables:
            is_there = tables.intents.get(intent.number) is not None
            tables.intents.drop(intent.number)
            return is_there

    async def latest_of_lanes(self, limit: int) -> list[Intent]:
        """The newest of each lane, the lane with the oldest first."""
        tables = await self._statements.look()
        lanes = dict.fromkeys(row.intent.change.lane for _, row in sorted(tables.intents.rows().items()))
        return [_lane(tables, lane)[-1] for lane in list(lanes)[:limit]]


def _lane(tables: Tables, lane: UUID) -> list[Intent]:
    return [row.intent for _, row in sorted(tables.intents.sharing("lane", lane).items())]
