"""What agents, their browsers and the network prove themselves with, in memory."""

import hmac
from datetime import datetime

import attrs

from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import RecoverySession, StoredIdentity
from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.credentials import Client
from moltnet.domain.ids import AgentId, ClientId, WebSessionId
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import CODE_ATTEMPTS, RecoveryCode
from moltnet.domain.web_sessions import WebSession
from moltnet.ports.credentials import SigningKey


class MemoryNonces(Repository):
    """Nonces that were used."""

    async def use(self, nonce: str, expires_at: datetime) -> bool:
        async with self._statements.change() as tables:
            if tables.nonces.get(nonce) is not None:
                return False
            tables.nonces.put(nonce, expires_at)
            return True

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.nonces.drop_where(lambda expires_at: expires_at < at)


class MemoryIdentities(Repository):
    """The built-in identity provider's own records."""

    async def add(self, agent_id: AgentId, public_key: PublicKey, at: datetime) -> None:
        """Stores an identity; again changes nothing."""
        async with self._statements.change() as tables:
            if tables.identities.get(agent_id) is None:
                tables.identities.put(agent_id, StoredIdentity(public_key, at))

    async def replace_key(self, agent_id: AgentId, key: PublicKey) -> None:
        async with self._statements.change() as tables:
            stored = tables.identities.get(agent_id)
            if stored is not None:
                tables.identities.put(agent_id, attrs.evolve(stored, public_key=key))

    async def remove(self, agent_id: AgentId) -> None:
        async with self._statements.change() as tables:
            tables.identities.drop(agent_id)


class MemoryClients(Repository):
    """OAuth2 clients."""

    async def put(self, client: Client) -> None:
        async with self._statements.change() as tables:
            stored = tables.clients.get(client.id)
            tables.clients.put(
                client.id, _renewed(stored, client.secret_hash, client.secret_since) if stored else client
            )

    async def find(self, client_id: ClientId) -> Client | None:
        return (await self._statements.read()).clients.get(client_id)

    async def find_with_agent(self, client_id: ClientId) -> tuple[Client, Agent] | None:
        tables = await self._statements.read()
        client = tables.clients.get(client_id)
        agent = tables.agents.get(client.agent_id) if client else None
        return (client, agent) if client and agent else None

    async def of_agent(self, agent_id: AgentId) -> Client | None:
        return (await self._statements.read()).clients.one("agent", agent_id)

    async def mark_used(self, client_id: ClientId, generation: int) -> bool:
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None or stored.generation != generation:
                return False
            tables.clients.put(client_id, attrs.evolve(stored, used=True))
            return True

    async def renew_unused(
        self, client_id: ClientId, secret_hash: bytes, created_after: datetime, at: datetime
    ) -> bool:
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None or stored.used or stored.created_at <= created_after:
                return False
            tables.clients.put(client_id, _renewed(stored, secret_hash, at))
            return True

    async def rotate(self, client_id: ClientId, secret_hash: bytes, at: datetime) -> bool:
        async with self._statements.change() as tables:
            stored = tables.clients.get(client_id)
            if stored is None:
                return False
            tables.clients.put(client_id, attrs.evolve(_renewed(stored, secret_hash, at), used=True))
            return True

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> None:
        async with self._statements.change() as tables:
            for client_id, client in list(tables.clients.sharing("agent", agent_id).items()):
                tables.clients.put(client_id, attrs.evolve(_renewed(client, b"", at), used=True))

    async def remove(self, client_id: ClientId) -> None:
        async with self._statements.change() as tables:
            tables.clients.drop(client_id)


def _renewed(client: Client, secret_hash: bytes, at: datetime) -> Client:
    return attrs.evolve(client, secret_hash=secret_hash, generation=client.generation + 1, secret_since=at)


class MemoryRecoveryCodes(Repository):
    """One-time codes by their flows, and the sessions they give."""

    async def add(self, code: RecoveryCode) -> None:
        async with self._statements.change() as tables:
            tables.recovery_codes.add(code.flow, code)

    async def try_code(self, flow: str, code_hash: bytes, at: datetime) -> RecoveryCode | None:
        async with self._statements.change() as tables:
            stored = tables.recovery_codes.get(flow)
            if stored is None:
                return None
            right = _admits(stored, code_hash, at)
            tried = attrs.evolve(stored, attempts=stored.attempts + 1)
            tables.recovery_codes.put(flow, attrs.evolve(tried, used=stored.used or right))
            return attrs.evolve(tried, used=right)

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:
        async with self._statements.change() as tables:
            tables.sessions.add(token_hash, RecoverySession(agent_id, expires_at))

    async def take_session(self, token_hash: bytes, at: datetime) -> AgentId | None:
        async with self._statements.change() as tables:
            session = tables.sessions.get(token_hash)
            if session is None or at >= session.expires_at:
                return None
            tables.sessions.drop(token_hash)
            return session.agent_id

    async def is_used(self, flow: str) -> bool:
        code = (await self._statements.read()).recovery_codes.get(flow)
        return code is not None and code.used

    async def end_of_agent(self, agent_id: AgentId) -> None:
        async with self._statements.change() as tables:
            for code in [code for code in tables.recovery_codes.rows().values() if code.agent_id == agent_id]:
                tables.recovery_codes.put(code.flow, attrs.evolve(code, used=True))
            tables.sessions.drop_where(lambda session: session.agent_id == agent_id)

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            codes = tables.recovery_codes.drop_where(lambda code: code.expires_at < at)
            return codes + tables.sessions.drop_where(lambda session: session.expires_at < at)


def _admits(code: RecoveryCode, code_hash: bytes, at: datetime) -> bool:
    is_open = not code.used and code.attempts < CODE_ATTEMPTS and at < code.expires_at
    return is_open and hmac.compare_digest(code.code_hash, code_hash)


class MemorySigningKeys(Repository):
    """The built-in token issuer's keys."""

    async def add(self, key: SigningKey) -> None:
        async with self._statements.change() as tables:
            tables.signing_keys.add(key.kid, key)

    async def add_first(self, key: SigningKey) -> bool:
        async with self._statements.change() as tables:
            if tables.signing_keys.rows():
                return False
            tables.signing_keys.put(key.kid, key)
            return True

    async def all(self) -> list[SigningKey]:
        tables = await self._statements.read()
        return sorted(tables.signing_keys.rows().values(), key=lambda key: (key.created_at, key.kid), reverse=True)

    async def replace_sealed(self, kid: str, sealed: bytes) -> None:
        async with self._statements.change() as tables:
            stored = tables.signing_keys.get(kid)
            if stored:
                tables.signing_keys.put(kid, attrs.evolve(stored, sealed=sealed))

    async def remove_all_but(self, kid: str) -> None:
        async with self._statements.change() as tables:
            tables.signing_keys.drop_where(lambda key: key.kid != kid)


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
