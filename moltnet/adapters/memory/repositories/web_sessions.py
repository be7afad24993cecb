"""Sessions of the console in memory."""

from datetime import datetime

from moltnet.adapters.memory.statements import Repository
from moltnet.domain.agents import ProfileNotFound
from moltnet.domain.ids import AgentId, WebSessionId
from moltnet.domain.web_sessions import WebSession


class MemoryWebSessions(Repository):
    """Browsers that act for agents."""

    async def add(self, session: WebSession, *, most: int) -> None:
        """Stores a session in place of the oldest beyond `most`."""
        async with self._statements.change() as tables:
            if tables.agents.get(session.agent_id) is None:
                raise ProfileNotFound
            tables.web_sessions.add(session.id, session)
            own = tables.web_sessions.sharing("agent", session.agent_id).values()
            for old in sorted(own, key=lambda each: (each.created_at, each.id), reverse=True)[most:]:
                tables.web_sessions.drop(old.id)

    async def find(self, token_hash: bytes, at: datetime) -> WebSession | None:
        tables = await self._statements.read()
        session = tables.web_sessions.one("token_hash", token_hash)
        return session if session and at < session.expires_at else None

    async def of_agent(self, agent_id: AgentId, at: datetime) -> list[WebSession]:
        tables = await self._statements.read()
        own = tables.web_sessions.sharing("agent", agent_id).values()
        current = [session for session in own if at < session.expires_at]
        return sorted(current, key=lambda session: (-session.used_at.timestamp(), session.id))

    async def put(self, session: WebSession) -> None:
        async with self._statements.change() as tables:
            if tables.web_sessions.get(session.id) is not None:
                tables.web_sessions.put(session.id, session)

    async def end(self, agent_id: AgentId, session_id: WebSessionId) -> bool:
        async with self._statements.change() as tables:
            session = tables.web_sessions.get(session_id)
            if session is None or session.agent_id != agent_id:
                return False
            tables.web_sessions.drop(session_id)
            return True

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.web_sessions.drop_where(lambda session: session.expires_at < at)
