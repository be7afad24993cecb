"""The table `idempotency_records`."""

from datetime import datetime

import attrs

from moltnet.adapters.postgres.rows import idempotency_record_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest

# One row, or none when there is another that has not expired; receipts_pkey, which waits for anyone who is adding it.
ADD = """
    insert into receipts (agent_id, operation, key, fingerprint, answer, created_at, expires_at)
    values (
        %(agent_id)s, %(operation)s, %(key)s, %(fingerprint)s, %(answer)s, %(created_at)s, %(expires_at)s
    )
    on conflict (agent_id, operation, key) do update
    set fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at,
        expires_at = excluded.expires_at
    where receipts.expires_at <= excluded.created_at
"""
# The idempotency record of an agent's operation under a key; receipts_pkey.
FIND = """
    select agent_id, operation, key, fingerprint, answer, created_at, expires_at from receipts
    where agent_id = %(agent_id)s and operation = %(operation)s and key = %(key)s and expires_at > %(at)s
"""
# The idempotency records that were forgotten; receipts_expiry.
PURGE = "delete from receipts where expires_at <= %(at)s"


class PostgresIdempotencyRecords:
    """At most one idempotency record for each agent, operation and key."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, record: IdempotencyRecord) -> bool:
        """Stores an answer, replacing one that had expired; raises ProfileNotFound if the agent is gone."""
        added = await self._session.run(
            ADD,
            **attrs.asdict(record.request, recurse=False),
            answer=record.answer,
            created_at=record.created_at,
            expires_at=record.expires_at,
        )
        return added > 0

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        """The idempotency record for a request, unless it has expired."""
        return await self._session.first(
            idempotency_record_from_row,
            FIND,
            agent_id=request.agent_id,
            operation=request.operation,
            key=request.key,
            at=at,
        )

    async def purge(self, at: datetime) -> int:
        """Forgets idempotency records that had expired at `at`."""
        return await self._session.run(PURGE, at=at)
