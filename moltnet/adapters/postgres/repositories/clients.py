"""The table `oauth_clients`."""

from datetime import datetime

from moltnet.adapters.postgres.rows import client_and_agent_from_row, client_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client
from moltnet.domain.ids import AgentId, ClientId

# One row; oauth_clients_pkey. Another secret for a stored client is another generation.
PUT = """
    insert into oauth_clients (client_id, agent_id, secret_hash, scopes, generation, used, created_at, secret_since)
    values (
        %(id)s, %(agent_id)s, %(secret_hash)s, %(scopes)s, %(generation)s, %(used)s, %(created_at)s, %(secret_since)s
    )
    on conflict (client_id) do update
    set secret_hash = excluded.secret_hash, generation = oauth_clients.generation + 1,
        secret_since = excluded.secret_since
"""
# The client of an id; oauth_clients_pkey.
FIND = """
    select client_id as id, agent_id, secret_hash, scopes, generation, used, created_at, secret_since
    from oauth_clients where client_id = %(id)s
"""
# The client of an id with its agent; oauth_clients_pkey, agent_keys_pkey.
FIND_WITH_AGENT = """
    select c.client_id as id, c.agent_id, c.secret_hash, c.scopes, c.generation, c.used, c.created_at, c.secret_since,
        a.identity_id as agent_identity_id, a.public_key_bytes as agent_public_key_bytes, a.proven as agent_proven,
        a.created_at as agent_created_at, a.updated_at as agent_updated_at
    from oauth_clients c join agent_keys a on a.identity_id = c.agent_id where c.client_id = %(id)s
"""
# An agent's newest client; oauth_clients_agent gives the order.
OF_AGENT = """
    select client_id as id, agent_id, secret_hash, scopes, generation, used, created_at, secret_since
    from oauth_clients where agent_id = %(agent_id)s order by created_at desc, client_id desc limit 1
"""
# One row, or none without such a client; oauth_clients_pkey.
ROTATE = """
    update oauth_clients
    set secret_hash = %(secret_hash)s, generation = generation + 1, used = true, secret_since = %(at)s
    where client_id = %(id)s
"""
# One row, or none when the generation is another by now; oauth_clients_pkey.
MARK_USED = "update oauth_clients set used = true where client_id = %(id)s and generation = %(generation)s"
# One row, or none when the client was used or is too old; oauth_clients_pkey.
RENEW_UNUSED = """
    update oauth_clients set secret_hash = %(secret_hash)s, generation = generation + 1, secret_since = %(at)s
    where client_id = %(id)s and not used and created_at > %(made_after)s
"""
# One row, or none without such a client; oauth_clients_pkey.
REMOVE = "delete from oauth_clients where client_id = %(id)s"


class PostgresClients:
    """OAuth2 clients."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, client: Client) -> None:
        """Stores a client, or another secret for the same one."""
        await self._session.run(
            PUT,
            id=client.id,
            agent_id=client.agent_id,
            secret_hash=client.secret_hash,
            scopes=sorted(client.scopes),
            generation=client.generation,
            used=client.used,
            created_at=client.created_at,
            secret_since=client.secret_since,
        )

    async def find(self, client_id: ClientId) -> Client | None:
        """The client of an id."""
        return await self._session.first(client_from_row, FIND, id=client_id)

    async def find_with_agent(self, client_id: ClientId) -> tuple[Client, Agent] | None:
        """The client of an id and its agent as both are now."""
        return await self._session.first(client_and_agent_from_row, FIND_WITH_AGENT, id=client_id)

    async def of_agent(self, agent_id: AgentId) -> Client | None:
        """An agent's client."""
        return await self._session.first(client_from_row, OF_AGENT, agent_id=agent_id)

    async def mark_used(self, client_id: ClientId, generation: int) -> bool:
        """Records that a client was used with the secret of a generation."""
        return await self._session.run(MARK_USED, id=client_id, generation=generation) > 0

    async def renew_unused(self, client_id: ClientId, secret_hash: bytes, made_after: datetime, at: datetime) -> bool:
        """Replaces the secret of a client that nobody used."""
        return (
            await self._session.run(RENEW_UNUSED, id=client_id, secret_hash=secret_hash, made_after=made_after, at=at)
            > 0
        )

    async def rotate(self, client_id: ClientId, secret_hash: bytes, at: datetime) -> bool:
        """Replaces the secret, counts `generation` up and records a use."""
        return await self._session.run(ROTATE, id=client_id, secret_hash=secret_hash, at=at) > 0

    async def remove(self, client_id: ClientId) -> None:
        """Removes a client."""
        await self._session.run(REMOVE, id=client_id)
