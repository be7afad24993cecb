"""The table `agent_keys`."""

from moltnet.adapters.postgres.rows import agent_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey

# One row, or none when the identity, the key or the fingerprint is stored already; any of the three unique indexes.
ADD = """
    insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, proven, created_at, updated_at)
    values (%(id)s, %(text)s, %(raw)s, %(fingerprint)s, %(proven)s, %(created_at)s, %(updated_at)s)
    on conflict do nothing
"""
# One row when the identity has this key; agent_keys_pkey.
SAME = "select from agent_keys where identity_id = %(id)s and public_key_bytes = %(raw)s"
# One row; agent_keys_pkey. Another identity's key or fingerprint breaks its unique constraint, which is KeyTaken. What
# was proven of a key says nothing of the next one.
PUT = """
    insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, proven, created_at, updated_at)
    values (%(id)s, %(text)s, %(raw)s, %(fingerprint)s, %(proven)s, %(created_at)s, %(updated_at)s)
    on conflict on constraint agent_keys_pkey do update set
        public_key = excluded.public_key, public_key_bytes = excluded.public_key_bytes,
        fingerprint = excluded.fingerprint, updated_at = excluded.updated_at,
        proven = excluded.proven or (agent_keys.proven and agent_keys.public_key_bytes = excluded.public_key_bytes)
"""
# One row, or none when the identity has another key by now, or it was recorded before; agent_keys_pkey.
MARK_PROVEN = """
    update agent_keys set proven = true
    where identity_id = %(id)s and public_key_bytes = %(raw)s and not proven
"""
# One row when there is any agent; the first that a scan meets.
ANY = "select from agent_keys limit 1"
# A page in the order of agent_keys_pkey.
AFTER = """
    select identity_id, public_key_bytes, proven, created_at, updated_at
    from agent_keys where %(id)s::uuid is null or identity_id > %(id)s order by identity_id limit %(limit)s
"""
# The agent of an identity; agent_keys_pkey.
FIND = """
    select identity_id, public_key_bytes, proven, created_at, updated_at
    from agent_keys where identity_id = %(id)s
"""
# The agent with a fingerprint; agent_keys_fingerprint_key.
FIND_BY_FINGERPRINT = """
    select identity_id, public_key_bytes, proven, created_at, updated_at
    from agent_keys where fingerprint = %(fingerprint)s
"""
# The agent with a key; agent_keys_public_key_bytes_key.
FIND_BY_KEY = """
    select identity_id, public_key_bytes, proven, created_at, updated_at
    from agent_keys where public_key_bytes = %(raw)s
"""
# The agent's diaries, entries, shares, relations, vouchers and signing requests go with it, by their foreign keys. What
# it had redeemed is open again, without a slot: its issuer may have none left. agent_keys_pkey, diary_entries_author,
# agent_vouchers_redeemer.
REMOVE = """
    with gone as (delete from agent_keys where identity_id = %(id)s)
    update agent_vouchers set redeemed_by = null, redeemed_at = null, redeemed_with = null
    where redeemed_by = %(id)s
"""


class PostgresAgents:
    """Members by identity, key and fingerprint."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, agent: Agent) -> None:
        """Stores a new agent; raises KeyTaken."""
        added = await self._session.run(ADD, **_columns(agent))
        # Asked in a second statement, which sees what another process committed while the first one waited for it.
        if not added and not await self._session.run(SAME, id=agent.id, raw=agent.public_key.raw):
            raise KeyTaken

    async def put(self, agent: Agent) -> None:
        """Stores an agent, or another key for a stored identity; raises KeyTaken."""
        await self._session.run(PUT, **_columns(agent))

    async def mark_proven(self, agent_id: AgentId, key: PublicKey) -> None:
        """Records that an agent holds the private key of the key it has."""
        await self._session.run(MARK_PROVEN, id=agent_id, raw=key.raw)

    async def any(self) -> bool:
        """Whether there is an agent at all."""
        return await self._session.run(ANY) > 0

    async def after(self, agent_id: AgentId | None, limit: int) -> list[Agent]:
        """The next agents behind an identity."""
        return await self._session.all(agent_from_row, AFTER, id=agent_id, limit=limit)

    async def find(self, agent_id: AgentId) -> Agent | None:
        """The agent of an identity."""
        return await self._session.first(agent_from_row, FIND, id=agent_id)

    async def find_by_fingerprint(self, fingerprint: Fingerprint) -> Agent | None:
        """The agent that has a fingerprint now."""
        return await self._session.first(agent_from_row, FIND_BY_FINGERPRINT, fingerprint=fingerprint.text)

    async def find_by_key(self, key: PublicKey) -> Agent | None:
        """The agent that has a key now."""
        return await self._session.first(agent_from_row, FIND_BY_KEY, raw=key.raw)

    async def remove(self, agent_id: AgentId) -> None:
        """Removes an agent and all that is its own; opens again what it redeemed."""
        await self._session.run(REMOVE, id=agent_id)


def _columns(agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "text": agent.public_key.text,
        "raw": agent.public_key.raw,
        "fingerprint": agent.fingerprint.text,
        "proven": agent.proven,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
    }
