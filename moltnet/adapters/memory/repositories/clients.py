"""OAuth2 clients in memory."""

from datetime import datetime

import attrs

from moltnet.adapters.memory.statements import Statements
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client
from moltnet.domain.ids import AgentId, ClientId


class MemoryClients:
    """OAuth2 clients."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def put(self, client: Client) -> None:
        """Stores a client, or another secret for the same one."""
        async with self._statements.change() as tables:
            stored = tables.clients.get(client.id)
            tables.clients.put(
                client.id, _renewed(stored, client.secret_hash, client.secret_since) if stored else client
            )

    async def find(self, client_id: ClientId) -> Client | None:
        """The client of an id."""
        tables = await self._statements.read()
        return tables.clients.get(client_id)

    async def find_with_agent(self, client_id: ClientId) -> tuple[Client, Agent] | None:
        """The client of an id and its agent as both are now."""
        tables = await self._statements.read()
        client = tables.clients.get(client_id)
        agent = tables.agents.get(client.agent_id) if client else None
        return (client, agent) if client and agent else None

    async def of_agent(self, agent_id: AgentId) -> Client | None:
        """An agent's client."""
        tables = await self._statements.read()
        return next(iter(tables.clients.sharing("agent", agent_id).values()), None)

    async def mark_used(self, client_id: ClientId, generation: int) -> bool:
        """Records that a client was used with the secret of a generation."""
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None or stored.generation != generation:
                return False
            tables.clients.put(client_id, attrs.evolve(stored, used=True))
            return True

    async def renew_unused(
        self, client_id: ClientId, secret_hash: bytes, created_after: datetime, at: datetime
    ) -> bool:
        """Replaces the secret of a client that nobody used."""
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None or stored.used or stored.created_at <= created_after:
                return False
            tables.clients.put(client_id, _renewed(stored, secret_hash, at))
            return True

    async def rotate(self, client_id: ClientId, secret_hash: bytes, at: datetime) -> bool:
        """Replaces the secret, counts `generation` up and records a use."""
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None:
                return False
            tables.clients.put(client_id, attrs.evolve(_renewed(stored, secret_hash, at), used=True))
            return True

    async def remove(self, client_id: ClientId) -> None:
        """Removes a client."""
        async with self._statements.change() as tables:
            tables.clients.drop(client_id)


def _renewed(client: Client, secret_hash: bytes, at: datetime) -> Client:
    return attrs.evolve(client, secret_hash=secret_hash, generation=client.generation + 1, secret_since=at)
