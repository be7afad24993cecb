"""The table `agent_key_history`, which the triggers of `agent_keys` fill."""

from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange, SignedStatement
from moltnet.domain.keys import Fingerprint, PublicKey

# One row, or none when the agent has another key by now; agent_keys_pkey. A key that any agent has or had breaks one of
# the unique constraints, which is KeyTaken.
REPLACE_KEY = """
    update agent_keys set
        public_key = %(text)s, public_key_bytes = %(raw)s, fingerprint = %(fingerprint)s, proven = true,
        updated_at = %(at)s
    where identity_id = %(agent_id)s and public_key_bytes = %(former)s
"""
# One row; agent_key_history_pkey.
STORE_STATEMENT = """
    update agent_key_history
    set payload = %(payload)s, former_signature = %(former_signature)s, signature = %(signature)s
    where public_key_bytes = %(raw)s
"""
# One row, or none when the agent has another key by now; agent_keys_pkey. Whoever replaces it waits.
HOLD_KEY = "select from agent_keys where identity_id = %(agent_id)s and public_key_bytes = %(raw)s for share"
SELECT_KEYS = """
    select public_key_bytes, agent_id, since, until, payload, former_signature, signature from agent_key_history
"""
# An agent's keys in their order; agent_key_history_agent.
KEYS_OF_AGENT = f"{SELECT_KEYS} where agent_id = %(agent_id)s order by since, until nulls last"
# The key with a fingerprint; agent_key_history_fingerprint_key.
FIND_KEY = f"{SELECT_KEYS} where fingerprint = %(fingerprint)s"


class PostgresKeyHistory(Repository):
    """The keys of agents, each with its time."""

    async def replace(self, change: KeyChange) -> bool:
        key, statement = change.key, change.statement
        replaced = await self._session.run(
            REPLACE_KEY,
            agent_id=change.agent_id,
            former=change.former.raw,
            text=key.text,
            raw=key.raw,
            fingerprint=key.fingerprint.text,
            at=change.at,
        )
        if not replaced:
            return False
        await self._session.run(
            STORE_STATEMENT,
            raw=key.raw,
            payload=statement.payload,
            former_signature=statement.former_signature,
            signature=statement.signature,
        )
        return True

    async def hold(self, agent_id: AgentId, key: PublicKey) -> bool:
        return await self._session.run(HOLD_KEY, agent_id=agent_id, raw=key.raw) > 0

    async def of_agent(self, agent_id: AgentId) -> list[AgentKey]:
        return await self._session.all(_agent_key, KEYS_OF_AGENT, agent_id=agent_id)

    async def find(self, fingerprint: Fingerprint) -> AgentKey | None:
        return await self._session.first(_agent_key, FIND_KEY, fingerprint=fingerprint.text)


def _agent_key(row: Row) -> AgentKey:
    payload, signature = row["payload"], row["signature"]
    statement = None
    if payload is not None and signature is not None:
        statement = SignedStatement(payload=payload, former_signature=row["former_signature"], signature=signature)
    return AgentKey(
        agent_id=AgentId(row["agent_id"]),
        public_key=PublicKey(row["public_key_bytes"]),
        since=row["since"],
        until=row["until"],
        statement=statement,
    )
