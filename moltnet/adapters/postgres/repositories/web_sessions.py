"""The table `web_sessions`."""

from datetime import datetime

from moltnet.adapters.postgres.rows import columns_of
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import AgentId, WebSessionId
from moltnet.domain.web_sessions import SignInMethod, WebSession

# One row; web_sessions_pkey.
ADD = """
    insert into web_sessions
        (id, token_hash, agent_id, client_id, generation, scopes, method, device, created_at, used_at, expires_at)
    values (
        %(id)s, %(token_hash)s, %(agent_id)s, %(client_id)s, %(generation)s, %(scopes)s, %(method)s, %(device)s,
        %(created_at)s, %(used_at)s, %(expires_at)s
    )
"""
# One row for every session beyond the latest ones; web_sessions_agent.
END_OLDEST = """
    delete from web_sessions where id in (
        select id from web_sessions where agent_id = %(agent_id)s order by created_at desc, id desc offset %(most)s
    )
"""
SELECT_SESSIONS = """
    select id, token_hash, agent_id, client_id, generation, scopes, method, device, created_at, used_at, expires_at
    from web_sessions
"""
# The session of a token, unless it is over; web_sessions_token_hash_key.
FIND = f"{SELECT_SESSIONS} where token_hash = %(token_hash)s and expires_at > %(at)s"
# An agent's sessions that are not over; web_sessions_agent.
OF_AGENT = f"{SELECT_SESSIONS} where agent_id = %(agent_id)s and expires_at > %(at)s order by used_at desc, id"
# One row, or none for a session that was ended; web_sessions_pkey.
PUT = """
    update web_sessions
    set generation = %(generation)s, used_at = %(used_at)s, expires_at = %(expires_at)s where id = %(id)s
"""
# One row, or none; web_sessions_pkey.
END = "delete from web_sessions where id = %(id)s and agent_id = %(agent_id)s"
# One row for every session that was forgotten; web_sessions_expiry.
PURGE = "delete from web_sessions where expires_at < %(at)s"


class PostgresWebSessions(Repository):
    """Browsers that act for agents."""

    async def add(self, session: WebSession, *, most: int) -> None:
        """Stores a session in place of the oldest beyond `most`."""
        await self._session.run(ADD, **{**columns_of(session), "scopes": sorted(session.scopes)})
        await self._session.run(END_OLDEST, agent_id=session.agent_id, most=most)

    async def find(self, token_hash: bytes, at: datetime) -> WebSession | None:
        return await self._session.first(_session, FIND, token_hash=token_hash, at=at)

    async def of_agent(self, agent_id: AgentId, at: datetime) -> list[WebSession]:
        return await self._session.all(_session, OF_AGENT, agent_id=agent_id, at=at)

    async def put(self, session: WebSession) -> None:
        await self._session.run(PUT, **{**columns_of(session), "scopes": sorted(session.scopes)})

    async def end(self, agent_id: AgentId, session_id: WebSessionId) -> bool:
        return await self._session.run(END, id=session_id, agent_id=agent_id) > 0

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE, at=at)


def _session(row: Row) -> WebSession:
    scopes, method = frozenset(map(Scope, row["scopes"])), SignInMethod(row["method"])
    return WebSession(**{**row, "scopes": scopes, "method": method})
