"""Identities in memory."""

from datetime import datetime

from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Identity
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import PublicKey


class MemoryIdentities:
    """The built-in identity provider's own records."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, agent_id: AgentId, public_key: PublicKey, at: datetime) -> None:
        """Stores an identity; again changes nothing."""
        async with self._statements.change() as tables:
            if tables.identities.get(agent_id) is None:
                tables.identities.put(agent_id, Identity(public_key, at))

    async def remove(self, agent_id: AgentId) -> None:
        """Removes an identity."""
        async with self._statements.change() as tables:
            tables.identities.drop(agent_id)
