"""The tables `recovery_codes` and `recovery_sessions`."""

from datetime import datetime

from moltnet.adapters.postgres.rows import recovery_code_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.ids import AgentId
from moltnet.domain.recovery import CODE_ATTEMPTS, RecoveryCode

# One row; recovery_codes_pkey.
ADD = """
    insert into recovery_codes (flow, code_hash, agent_id, attempts, used, expires_at)
    values (%(flow)s, %(code_hash)s, %(agent_id)s, %(attempts)s, %(used)s, %(expires_at)s)
"""
# The code after one more attempt, `used` if this attempt was right; recovery_codes_pkey. The lock is taken before the
# attempt is judged, so each of several at once is judged after the one before it.
TRY_CODE = """
    with attempt as (
        select flow,
            code_hash = %(code_hash)s and not used and attempts < %(most)s and expires_at > %(at)s as is_right
        from recovery_codes where flow = %(flow)s for update
    )
    update recovery_codes c set attempts = c.attempts + 1, used = c.used or attempt.is_right
    from attempt where c.flow = attempt.flow
    returning c.flow, c.code_hash, c.agent_id, c.attempts, attempt.is_right as used, c.expires_at
"""
# One row; recovery_sessions_pkey.
ADD_SESSION = """
    insert into recovery_sessions (token_hash, agent_id, expires_at)
    values (%(token_hash)s, %(agent_id)s, %(expires_at)s)
"""
# Whose session it was; recovery_sessions_pkey.
TAKE_SESSION = """
    delete from recovery_sessions where token_hash = %(token_hash)s and expires_at > %(at)s returning agent_id
"""
# One row for every code and session that was forgotten; recovery_codes_expiry, recovery_sessions_expiry.
PURGE = """
    with codes as (delete from recovery_codes where expires_at < %(at)s returning 1),
    sessions as (delete from recovery_sessions where expires_at < %(at)s returning 1)
    select from codes union all select from sessions
"""


class PostgresRecoveryCodes:
    """One-time codes by their flows, and the sessions they give."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, code: RecoveryCode) -> None:
        """Stores a code under its flow."""
        await self._session.run(
            ADD,
            flow=code.flow,
            code_hash=code.code_hash,
            agent_id=code.agent_id,
            attempts=code.attempts,
            used=code.used,
            expires_at=code.expires_at,
        )

    async def try_code(self, flow: str, code_hash: bytes, at: datetime) -> RecoveryCode | None:
        """Counts an attempt, and answers whether it was the right one."""
        return await self._session.first(
            recovery_code_from_row, TRY_CODE, flow=flow, code_hash=code_hash, at=at, most=CODE_ATTEMPTS
        )

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:
        """Stores a session."""
        await self._session.run(ADD_SESSION, token_hash=token_hash, agent_id=agent_id, expires_at=expires_at)

    async def take_session(self, token_hash: bytes, at: datetime) -> AgentId | None:
        """Whose unexpired session this is; it is over with that."""
        return await self._session.first(_agent_id, TAKE_SESSION, token_hash=token_hash, at=at)

    async def purge(self, at: datetime) -> int:
        """Forgets codes and sessions that expired before `at`."""
        return await self._session.run(PURGE, at=at)


def _agent_id(row: Row) -> AgentId:
    return AgentId(row["agent_id"])
