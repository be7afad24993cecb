"""Recovery codes and their sessions in memory."""

import hmac
from datetime import datetime

import attrs

from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Session
from moltnet.domain.ids import AgentId
from moltnet.domain.recovery import CODE_ATTEMPTS, RecoveryCode


class MemoryRecoveryCodes:
    """One-time codes by their flows, and the sessions they give."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, code: RecoveryCode) -> None:
        """Stores a code under its flow."""
        async with self._statements.change() as tables:
            tables.recovery_codes.add(code.flow, code)

    async def try_code(self, flow: str, code_hash: bytes, at: datetime) -> RecoveryCode | None:
        """Counts an attempt, and answers whether it was the right one."""
        async with self._statements.change() as tables:
            stored = tables.recovery_codes.get(flow)
            if stored is None:
                return None
            right = _admits(stored, code_hash, at)
            tried = attrs.evolve(stored, attempts=stored.attempts + 1)
            tables.recovery_codes.put(flow, attrs.evolve(tried, used=stored.used or right))
            return attrs.evolve(tried, used=right)

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:
        """Stores a session."""
        async with self._statements.change() as tables:
            tables.sessions.add(token_hash, Session(agent_id, expires_at))

    async def take_session(self, token_hash: bytes, at: datetime) -> AgentId | None:
        """Whose unexpired session this is; it is over with that."""
        async with self._statements.change() as tables:
            session = tables.sessions.get(token_hash)
            if session is None or at >= session.expires_at:
                return None
            tables.sessions.drop(token_hash)
            return session.agent_id

    async def purge(self, at: datetime) -> int:
        """Forgets codes and sessions that expired before `at`."""
        async with self._statements.change() as tables:
            flows = [flow for flow, code in tables.recovery_codes.rows().items() if code.expires_at < at]
            hashes = [token for token, session in tables.sessions.rows().items() if session.expires_at < at]
            for flow in flows:
                tables.recovery_codes.drop(flow)
            for token in hashes:
                tables.sessions.drop(token)
            return len(flows) + len(hashes)


def _admits(code: RecoveryCode, code_hash: bytes, at: datetime) -> bool:
    is_open = not code.used and code.attempts < CODE_ATTEMPTS and at < code.expires_at
    return is_open and hmac.compare_digest(code.code_hash, code_hash)
