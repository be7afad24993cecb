"""Identities, recovery and whom a client's tokens stand for, in the network's own database.

What is remembered of a client identifies the caller, never what they may do: permissions are read with the request. A
replaced secret counts at once in the process that replaced it, in the others as soon as its commit is told to them, and
everywhere after `CACHE_TTL` even if nothing was told.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import attrs
from cachetools import TLRUCache

from moltnet.domain.agents import Agent
from moltnet.domain.credentials import SECRET_BYTES, hash_secret, secret_text
from moltnet.domain.ids import AgentId, ClientId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import (
    CODE_DIGITS,
    CODE_LIFETIME,
    SESSION_LIFETIME,
    FlowAnswer,
    FlowNotFound,
    InvalidProof,
    InvalidSession,
    RecoveredAgent,
    Recovery,
    RecoveryCode,
    flow_address,
)
from moltnet.ports.identity import ClientDirectory, ClientInvalidations, ClientRecord
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness

SESSION_PREFIX = "ms_st_"
# Never changes: a repeated registration must come to the same identity, whichever release repeats it.
_IDENTITIES = UUID("5b0ad1f6-6b5e-4c0e-9d0c-2f1c6d6f7a51")


@attrs.frozen
class BuiltinIdentityProvider:
    """The ports `IdentityProvider` and `RecoveryFlows`.

    Attributes:
        base_url: where this network's REST interface is reached from outside.
        secret: hides the codes that are stored: eight digits alone are guessed back from any plain hash. The same in
            every process, and not in the database.
    """

    storage: Storage
    clock: Clock
    randomness: Randomness
    base_url: str
    secret: bytes = attrs.field(repr=False)

    async def create(self, registration: str, key: PublicKey, voucher_code: str | None) -> AgentId:  # noqa: ARG002 the voucher is kept with the vouchers
        identity = _identity_of(registration)
        async with self.storage.transaction() as work:
            await work.identities.add(identity, key, self.clock.now())
        return identity

    async def delete(self, registration: str, key: PublicKey) -> None:  # noqa: ARG002 the registration says it all
        async with self.storage.transaction() as work:
            await work.identities.remove(_identity_of(registration))

    async def replace_key(self, agent: Agent) -> None:
        """Records it; codes and sessions are in this database, and ended with the key's own transaction."""
        async with self.storage.transaction() as work:
            await work.identities.replace_key(agent.id, agent.public_key)

    async def begin_recovery(self, identity: AgentId, key: PublicKey | None = None) -> Recovery:
        """A code of eight digits, good for 15 minutes, once, and for five tries, and the flow it belongs to."""
        flow, code = str(self.randomness.nonce()), self.randomness.digits(CODE_DIGITS)
        code_record = RecoveryCode(
            flow=flow,
            code_hash=self._code_hash(flow, code),
            agent_id=identity,
            expires_at=self.clock.now() + CODE_LIFETIME,
        )
        async with self.storage.transaction() as work:
            if key is not None and not await work.keys.hold(identity, key):
                raise InvalidProof
            await work.recovery_codes.add(code_record)
        return Recovery(code=code, flow_url=flow_address(self.base_url, flow))

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """Tries a code; the right one gives a session token, in the same transaction that uses the code up."""
        parsed = parse_uuid(flow)
        if parsed is None:
            raise FlowNotFound
        flow, now = str(parsed), self.clock.now()
        submitted_hash = self._code_hash(flow, code)
        token = SESSION_PREFIX + secret_text(self.randomness.secret(SECRET_BYTES))
        async with self.storage.transaction() as work:
            tried = await work.recovery_codes.try_code(flow, submitted_hash, now)
            if tried is not None and tried.used:
                await work.recovery_codes.add_session(hash_secret(token), tried.agent_id, now + SESSION_LIFETIME)
        # Refused outside of the transaction: a try that fails must count.
        if tried is None:
            raise FlowNotFound
        passed = tried.passed(submitted_hash, now)
        return FlowAnswer(
            flow=flow,
            url=flow_address(self.base_url, flow),
            issued_at=tried.issued_at,
            expires_at=tried.flow_expires_at,
            session_token=token if passed else None,
        )

    async def finish_recovery(self, session_token: str) -> RecoveredAgent:
        async with self.storage.transaction() as work:
            identity = await work.recovery_codes.take_session(hash_secret(session_token), self.clock.now())
            # Whoever replaces the key meanwhile waits for the session to be gone, so this is the key that it was for.
            agent = await work.agents.find(identity) if identity is not None else None
        if identity is None:
            raise InvalidSession
        return RecoveredAgent(id=identity, key=agent.public_key if agent else None)

    def _code_hash(self, flow: str, code: str) -> bytes:
        text = f"{flow}:{code}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.secret, text, hashlib.sha256)


def _identity_of(registration: str) -> AgentId:
    return AgentId(uuid5(_IDENTITIES, registration))


CACHE_TTL = timedelta(seconds=1)
MOST_REMEMBERED = 10_000


@attrs.frozen
class StoredClientDirectory:
    """The port `ClientDirectory` that remembers nothing."""

    storage: Storage

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent, as they are stored now."""
        async with self.storage.autocommit() as work:
            return await work.clients.find_with_agent(client_id)

    def forget(self, client_id: ClientId) -> None:
        """There is nothing to forget."""


class CachedClientDirectory:
    """The port `ClientDirectory` that remembers what it read lately, as long as changes are announced to it."""

    def __init__(
        self, stored: ClientDirectory, changes: ClientInvalidations, clock: Clock, most: int = MOST_REMEMBERED
    ) -> None:
        self._stored = stored
        self._changes = changes
        self._clock = clock
        # With the time until which each may be used: counted from before it was read, not from when it came.
        self._cache: TLRUCache[ClientId, tuple[ClientRecord, datetime], datetime] = TLRUCache(
            most, lambda _, entry, __: entry[1], clock.now
        )
        # Counts what was told. What was read before a change was told is not remembered after it.
        self._generation = 0
        changes.subscribe(self._forget)

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent, as they were stored less than `CACHE_TTL` ago and no change was told since."""
        if not self._changes.connected:
            return await self._stored.find(client_id)
        cached = self._cache.get(client_id)
        if cached is not None:
            return cached[0]
        until, generation = self._clock.now() + CACHE_TTL, self._generation
        record = await self._stored.find(client_id)
        if record is not None and self._generation == generation and self._changes.connected:
            self._cache[client_id] = record, until
        return record

    def forget(self, client_id: ClientId) -> None:
        """Does not wait to be told by the database."""
        self._forget(client_id)

    def _forget(self, client_id: ClientId | None) -> None:
        self._generation += 1
        if client_id is None:
            self._cache.clear()
        else:
            self._cache.pop(client_id, None)
