"""What agents, their browsers and the network prove themselves with, each kind in a table of its own."""

from datetime import datetime
from operator import itemgetter

from moltnet.adapters.postgres.rows import (
    client_and_agent_from_row,
    client_from_row,
    columns_of,
    recovery_code_from_row,
    signing_key_from_row,
)
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client, Scope
from moltnet.domain.ids import AgentId, ClientId, WebSessionId
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import CODE_ATTEMPTS, RecoveryCode
from moltnet.domain.web_sessions import SignInMethod, WebSession
from moltnet.ports.credentials import SigningKey

# One row, or none when the nonce was used up before; used_recovery_nonces_pkey.
USE_NONCE = """
    insert into used_recovery_nonces (nonce, expires_at) values (%(nonce)s, %(expires_at)s) on conflict do nothing
"""
# The nonces that were forgotten; used_recovery_nonces_expiry.
PURGE_NONCES = "delete from used_recovery_nonces where expires_at < %(at)s"


class PostgresNonces(Repository):
    """Nonces that were used."""

    async def use(self, nonce: str, expires_at: datetime) -> bool:
        return await self._session.run(USE_NONCE, nonce=nonce, expires_at=expires_at) > 0

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_NONCES, at=at)


# One row, or none when the identity is stored; identities_pkey.
ADD_IDENTITY = """
    insert into identities (identity_id, public_key, created_at) values (%(id)s, %(public_key)s, %(created_at)s)
    on conflict do nothing
"""
# One row, or none when there is no such identity; identities_pkey.
REPLACE_IDENTITY_KEY = "update identities set public_key = %(public_key)s where identity_id = %(id)s"
# One row, or none when there is no such identity; identities_pkey.
REMOVE_IDENTITY = "delete from identities where identity_id = %(id)s"


class PostgresIdentities(Repository):
    """The built-in identity provider's own records."""

    async def add(self, agent_id: AgentId, public_key: PublicKey, at: datetime) -> None:
        """Stores an identity; again changes nothing."""
        await self._session.run(ADD_IDENTITY, id=agent_id, public_key=public_key.text, created_at=at)

    async def replace_key(self, agent_id: AgentId, key: PublicKey) -> None:
        await self._session.run(REPLACE_IDENTITY_KEY, id=agent_id, public_key=key.text)

    async def remove(self, agent_id: AgentId) -> None:
        await self._session.run(REMOVE_IDENTITY, id=agent_id)


# One row; oauth_clients_pkey. Another secret for a stored client is another generation.
PUT_CLIENT = """
    insert into oauth_clients (client_id, agent_id, secret_hash, scopes, generation, used, created_at, secret_since)
    values (
        %(id)s, %(agent_id)s, %(secret_hash)s, %(scopes)s, %(generation)s, %(used)s, %(created_at)s, %(secret_since)s
    )
    on conflict (client_id) do update
    set secret_hash = excluded.secret_hash, generation = oauth_clients.generation + 1,
        secret_since = excluded.secret_since
"""
SELECT_CLIENTS = """
    select client_id as id, agent_id, secret_hash, scopes, generation, used, created_at, secret_since
    from oauth_clients
"""
# The client of an id; oauth_clients_pkey.
FIND_CLIENT = f"{SELECT_CLIENTS} where client_id = %(id)s"
# The client of an id with its agent; oauth_clients_pkey, agent_keys_pkey.
FIND_CLIENT_WITH_AGENT = """
    select c.client_id as id, c.agent_id, c.secret_hash, c.scopes, c.generation, c.used, c.created_at, c.secret_since,
        a.identity_id as agent_identity_id, a.public_key_bytes as agent_public_key_bytes, a.proven as agent_proven,
        a.created_at as agent_created_at, a.updated_at as agent_updated_at
    from oauth_clients c join agent_keys a on a.identity_id = c.agent_id where c.client_id = %(id)s
"""
# An agent's newest client; oauth_clients_agent gives the order.
CLIENT_OF_AGENT = f"{SELECT_CLIENTS} where agent_id = %(agent_id)s order by created_at desc, client_id desc limit 1"
# One row, or none without such a client; oauth_clients_pkey.
ROTATE_CLIENT = """
    update oauth_clients
    set secret_hash = %(secret_hash)s, generation = generation + 1, used = true, secret_since = %(at)s
    where client_id = %(id)s
"""
# One row, or none when the generation is another by now; oauth_clients_pkey.
MARK_CLIENT_USED = "update oauth_clients set used = true where client_id = %(id)s and generation = %(generation)s"
# One row, or none when the client was used or is too old; oauth_clients_pkey.
RENEW_UNUSED_CLIENT = """
    update oauth_clients set secret_hash = %(secret_hash)s, generation = generation + 1, secret_since = %(at)s
    where client_id = %(id)s and not used and created_at > %(made_after)s
"""
# One row for each client of an agent; oauth_clients_agent. No secret has an empty hash.
END_CLIENTS_OF_AGENT = """
    update oauth_clients set secret_hash = '', generation = generation + 1, used = true, secret_since = %(at)s
    where agent_id = %(agent_id)s
"""
# One row, or none without such a client; oauth_clients_pkey.
REMOVE_CLIENT = "delete from oauth_clients where client_id = %(id)s"


class PostgresClients(Repository):
    """OAuth2 clients."""

    async def put(self, client: Client) -> None:
        await self._session.run(PUT_CLIENT, **{**columns_of(client), "scopes": sorted(client.scopes)})

    async def find(self, client_id: ClientId) -> Client | None:
        return await self._session.first(client_from_row, FIND_CLIENT, id=client_id)

    async def find_with_agent(self, client_id: ClientId) -> tuple[Client, Agent] | None:
        return await self._session.first(client_and_agent_from_row, FIND_CLIENT_WITH_AGENT, id=client_id)

    async def of_agent(self, agent_id: AgentId) -> Client | None:
        return await self._session.first(client_from_row, CLIENT_OF_AGENT, agent_id=agent_id)

    async def mark_used(self, client_id: ClientId, generation: int) -> bool:
        return await self._session.run(MARK_CLIENT_USED, id=client_id, generation=generation) > 0

    async def renew_unused(self, client_id: ClientId, secret_hash: bytes, made_after: datetime, at: datetime) -> bool:
        return (
            await self._session.run(
                RENEW_UNUSED_CLIENT, id=client_id, secret_hash=secret_hash, made_after=made_after, at=at
            )
            > 0
        )

    async def rotate(self, client_id: ClientId, secret_hash: bytes, at: datetime) -> bool:
        return await self._session.run(ROTATE_CLIENT, id=client_id, secret_hash=secret_hash, at=at) > 0

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> None:
        await self._session.run(END_CLIENTS_OF_AGENT, agent_id=agent_id, at=at)

    async def remove(self, client_id: ClientId) -> None:
        await self._session.run(REMOVE_CLIENT, id=client_id)


# One row; recovery_codes_pkey.
ADD_CODE = """
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
# One row when the code under the flow is used; recovery_codes_pkey.
IS_USED = "select from recovery_codes where flow = %(flow)s and used"
# One row for every code, and for every session; no index: both tables hold an hour's recoveries. Codes come first: a
# session that one of them is just becoming is waited for, and seen by the second statement.
END_CODES_OF_AGENT = "update recovery_codes set used = true where agent_id = %(agent_id)s"
END_SESSIONS_OF_AGENT = "delete from recovery_sessions where agent_id = %(agent_id)s"
# One row for every code and session that was forgotten; recovery_codes_expiry, recovery_sessions_expiry.
PURGE_CODES = """
    with codes as (delete from recovery_codes where expires_at < %(at)s returning 1),
    sessions as (delete from recovery_sessions where expires_at < %(at)s returning 1)
    select from codes union all select from sessions
"""


class PostgresRecoveryCodes(Repository):
    """One-time codes by their flows, and the sessions they give."""

    async def add(self, code: RecoveryCode) -> None:
        await self._session.run(ADD_CODE, **columns_of(code))

    async def try_code(self, flow: str, code_hash: bytes, at: datetime) -> RecoveryCode | None:
        return await self._session.first(
            recovery_code_from_row, TRY_CODE, flow=flow, code_hash=code_hash, at=at, most=CODE_ATTEMPTS
        )

    async def add_session(self, token_hash: bytes, agent_id: AgentId, expires_at: datetime) -> None:
        await self._session.run(ADD_SESSION, token_hash=token_hash, agent_id=agent_id, expires_at=expires_at)

    async def take_session(self, token_hash: bytes, at: datetime) -> AgentId | None:
        return await self._session.first(itemgetter("agent_id"), TAKE_SESSION, token_hash=token_hash, at=at)

    async def is_used(self, flow: str) -> bool:
        return await self._session.run(IS_USED, flow=flow) > 0

    async def end_of_agent(self, agent_id: AgentId) -> None:
        await self._session.run(END_CODES_OF_AGENT, agent_id=agent_id)
        await self._session.run(END_SESSIONS_OF_AGENT, agent_id=agent_id)

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_CODES, at=at)


# One row; token_keys_pkey.
ADD_KEY = "insert into token_keys (kid, sealed, created_at) values (%(kid)s, %(sealed)s, %(created_at)s)"
# One row, or none when there is a key. Of several at once token_keys_is_first_key lets one through.
ADD_FIRST_KEY = """
    insert into token_keys (kid, sealed, created_at, is_first)
    select %(kid)s, %(sealed)s, %(created_at)s, true where not exists (select from token_keys)
    on conflict do nothing
"""
# One row, or none; token_keys_pkey.
REPLACE_SEALED = "update token_keys set sealed = %(sealed)s where kid = %(kid)s"
# A handful of rows; no index.
REMOVE_OTHER_KEYS = "delete from token_keys where kid <> %(kid)s"
# Every key, newest first; no index for a handful of rows.
ALL_KEYS = "select kid, sealed, created_at from token_keys order by created_at desc, kid desc"


class PostgresSigningKeys(Repository):
    """The built-in token issuer's keys."""

    async def add(self, key: SigningKey) -> None:
        await self._session.run(ADD_KEY, **columns_of(key))

    async def add_first(self, key: SigningKey) -> bool:
        return await self._session.run(ADD_FIRST_KEY, **columns_of(key)) > 0

    async def all(self) -> list[SigningKey]:
        return await self._session.all(signing_key_from_row, ALL_KEYS)

    async def replace_sealed(self, kid: str, sealed: bytes) -> None:
        await self._session.run(REPLACE_SEALED, kid=kid, sealed=sealed)

    async def remove_all_but(self, kid: str) -> None:
        await self._session.run(REMOVE_OTHER_KEYS, kid=kid)


# One row; web_sessions_pkey.
ADD_WEB_SESSION = """
    insert into web_sessions
        (id, token_hash, agent_id, client_id, generation, scopes, method, device, created_at, used_at, expires_at)
    values (
        %(id)s, %(token_hash)s, %(agent_id)s, %(client_id)s, %(generation)s, %(scopes)s, %(method)s, %(device)s,
        %(created_at)s, %(used_at)s, %(expires_at)s
    )
"""
# One row for every session beyond the latest ones; web_sessions_agent.
END_OLDEST_WEB_SESSIONS = """
    delete from web_sessions where id in (
        select id from web_sessions where agent_id = %(agent_id)s order by created_at desc, id desc offset %(most)s
    )
"""
SELECT_WEB_SESSIONS = """
    select id, token_hash, agent_id, client_id, generation, scopes, method, device, created_at, used_at, expires_at
    from web_sessions
"""
# The session of a token, unless it is over; web_sessions_token_hash_key.
FIND_WEB_SESSION = f"{SELECT_WEB_SESSIONS} where token_hash = %(token_hash)s and expires_at > %(at)s"
# An agent's sessions that are not over; web_sessions_agent.
WEB_SESSIONS_OF_AGENT = (
    f"{SELECT_WEB_SESSIONS} where agent_id = %(agent_id)s and expires_at > %(at)s order by used_at desc, id"
)
# One row, or none for a session that was ended; web_sessions_pkey.
PUT_WEB_SESSION = """
    update web_sessions
    set generation = %(generation)s, used_at = %(used_at)s, expires_at = %(expires_at)s where id = %(id)s
"""
# One row, or none; web_sessions_pkey.
END_WEB_SESSION = "delete from web_sessions where id = %(id)s and agent_id = %(agent_id)s"
# One row for every session that was forgotten; web_sessions_expiry.
PURGE_WEB_SESSIONS = "delete from web_sessions where expires_at < %(at)s"


class PostgresWebSessions(Repository):
    """Browsers that act for agents."""

    async def add(self, session: WebSession, *, most: int) -> None:
        """Stores a session in place of the oldest beyond `most`."""
        await self._session.run(ADD_WEB_SESSION, **{**columns_of(session), "scopes": sorted(session.scopes)})
        await self._session.run(END_OLDEST_WEB_SESSIONS, agent_id=session.agent_id, most=most)

    async def find(self, token_hash: bytes, at: datetime) -> WebSession | None:
        return await self._session.first(_web_session, FIND_WEB_SESSION, token_hash=token_hash, at=at)

    async def of_agent(self, agent_id: AgentId, at: datetime) -> list[WebSession]:
        return await self._session.all(_web_session, WEB_SESSIONS_OF_AGENT, agent_id=agent_id, at=at)

    async def put(self, session: WebSession) -> None:
        await self._session.run(PUT_WEB_SESSION, **{**columns_of(session), "scopes": sorted(session.scopes)})

    async def end(self, agent_id: AgentId, session_id: WebSessionId) -> bool:
        return await self._session.run(END_WEB_SESSION, id=session_id, agent_id=agent_id) > 0

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_WEB_SESSIONS, at=at)


def _web_session(row: Row) -> WebSession:
    scopes, method = frozenset(map(Scope, row["scopes"])), SignInMethod(row["method"])
    return WebSession(**{**row, "scopes": scopes, "method": method})
