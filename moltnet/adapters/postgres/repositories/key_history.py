"""The table `agent_key_history`, which the triggers of `agent_keys` fill, and the table `lost_keys`."""

from datetime import datetime

from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange, SignedStatement
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.lost_keys import LostKey

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


# None that is open and has expired keeps another from being open; lost_keys_open.
END_EXPIRED = """
    update lost_keys set ended_at = expires_at
    where agent_id = %(agent_id)s and ended_at is null and expires_at <= %(asked_at)s
"""
# One row. Another open one of the agent breaks lost_keys_open, which is LostKeyOpen; a key that waits or waited breaks
# lost_keys_pkey or lost_keys_fingerprint_key, which is KeyTaken.
ADD_LOST = """
    insert into lost_keys (
        public_key_bytes, fingerprint, agent_id, former_key_bytes, payload, signature, asked_by, asked_at, due_at,
        expires_at, ended_at
    ) values (
        %(raw)s, %(fingerprint)s, %(agent_id)s, %(former)s, %(payload)s, %(signature)s, %(asked_by)s, %(asked_at)s,
        %(due_at)s, %(expires_at)s, %(ended_at)s
    )
"""
SELECT_LOST = """
    select public_key_bytes, agent_id, former_key_bytes, payload, signature, asked_by, asked_at, due_at, expires_at,
        ended_at
    from lost_keys
"""
# The one with a fingerprint; lost_keys_fingerprint_key.
FIND_LOST = f"{SELECT_LOST} where fingerprint = %(fingerprint)s"
# The open one of an agent; lost_keys_open.
OPEN_OF_AGENT = f"{SELECT_LOST} where agent_id = %(agent_id)s and ended_at is null and expires_at > %(at)s"
# A page of those that are open, of which there are few; lost_keys_open.
OPEN_LOST = f"""
    {SELECT_LOST} where ended_at is null and expires_at > %(at)s
    order by asked_at desc, public_key_bytes desc limit %(limit)s offset %(offset)s
"""
# One row, or none when it is not open; lost_keys_pkey and lost_keys_open.
END_LOST = """
    update lost_keys set ended_at = %(at)s
    where public_key_bytes = %(raw)s and ended_at is null and expires_at > %(at)s
"""
END_LOST_OF_AGENT = """
    update lost_keys set ended_at = %(at)s where agent_id = %(agent_id)s and ended_at is null and expires_at > %(at)s
"""
# The number of rows; lost_keys_expiry.
PURGE_LOST = "delete from lost_keys where expires_at < %(at)s"


class PostgresLostKeys(Repository):
    """Keys that wait, by themselves."""

    async def add(self, lost: LostKey) -> None:
        await self._session.run(END_EXPIRED, agent_id=lost.agent_id, asked_at=lost.asked_at)
        await self._session.run(
            ADD_LOST,
            raw=lost.key.raw,
            fingerprint=lost.key.fingerprint.text,
            agent_id=lost.agent_id,
            former=lost.former.raw,
            payload=lost.payload,
            signature=lost.signature,
            asked_by=lost.asked_by,
            asked_at=lost.asked_at,
            due_at=lost.due_at,
            expires_at=lost.expires_at,
            ended_at=lost.ended_at,
        )

    async def find(self, fingerprint: Fingerprint) -> LostKey | None:
        return await self._session.first(_lost_key, FIND_LOST, fingerprint=fingerprint.text)

    async def of_agent(self, agent_id: AgentId, at: datetime) -> LostKey | None:
        return await self._session.first(_lost_key, OPEN_OF_AGENT, agent_id=agent_id, at=at)

    async def open(self, at: datetime, page: Page) -> list[LostKey]:
        return await self._session.all(_lost_key, OPEN_LOST, at=at, limit=page.limit, offset=page.offset)

    async def end(self, key: PublicKey, at: datetime) -> bool:
        return await self._session.run(END_LOST, raw=key.raw, at=at) > 0

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> bool:
        return await self._session.run(END_LOST_OF_AGENT, agent_id=agent_id, at=at) > 0

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_LOST, at=at)


def _lost_key(row: Row) -> LostKey:
    keys = {"key": PublicKey(row["public_key_bytes"]), "former": PublicKey(row["former_key_bytes"])}
    return LostKey(**{name: value for name, value in row.items() if not name.endswith("_key_bytes")} | keys)
