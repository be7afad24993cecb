"""OAuth2 clients and their access tokens, stored in the network's own database.

A token is trusted for what it says of *which* client it stands for; what that client may do its client record tells
(`client_directory`). So a rotated secret, a removed client and a changed scope count at once.
"""

from collections.abc import Mapping, Sequence

import attrs
from cachetools import LRUCache

from moltnet.adapters.builtin.claims import ParsedAssertion, ParsedToken, sign, token_claims
from moltnet.adapters.builtin.keys import TokenKeys
from moltnet.domain.agents import Agent, KeyReplaced, ProfileNotFound
from moltnet.domain.audit import AuditEvent
from moltnet.domain.caller import Caller
from moltnet.domain.challenges import InvalidAssertion, NetworkAddress
from moltnet.domain.credentials import (
    ALL_SCOPES,
    FIRST_SECRET_WINDOW,
    SECRET_BYTES,
    TOKEN_LIFETIME,
    AccessToken,
    Client,
    ClientNotFound,
    ClientSecret,
    InvalidClient,
    InvalidToken,
    Scope,
    TokenClaims,
    hash_secret,
    secret_text,
)
from moltnet.domain.ids import AgentId, ClientId, parse_uuid
from moltnet.domain.keys import PublicKey
from moltnet.domain.transparency import Leaf
from moltnet.ports.identity import BeforeRemoteCall, ClientDirectory, ClientRecord, ask_freely
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness

CACHED_TOKENS = 10_000


@attrs.frozen
class BuiltinClients:
    """The port `ClientRegistry`."""

    storage: Storage
    clock: Clock
    randomness: Randomness
    client_directory: ClientDirectory

    async def create(self, client_id: ClientId, agent: Agent, scopes: frozenset[Scope]) -> ClientSecret:
        secret = self._secret()
        async with self.storage.transaction() as work:
            await work.clients.put(self._client(client_id, agent, secret, scopes))
        self.client_directory.forget(client_id)
        return ClientSecret(client_id=client_id, secret=secret)

    async def first_secret(self, agent_id: AgentId, event: AuditEvent | None = None) -> ClientSecret | None:
        secret, now = self._secret(), self.clock.now()
        async with self.storage.transaction() as work:
            client = await work.clients.of_agent(agent_id)
            if client is None or not await work.clients.renew_unused(
                client.id, hash_secret(secret), now - FIRST_SECRET_WINDOW, now
            ):
                return None
            if event is not None:
                await work.audit.add(event)
        self.client_directory.forget(client.id)
        return ClientSecret(client_id=client.id, secret=secret)

    async def rotate(
        self,
        agent_id: AgentId,
        event: AuditEvent | None = None,
        *,
        key: PublicKey | None = None,
        leaf: Leaf | None = None,
    ) -> ClientSecret:
        secret = self._secret()
        async with self.storage.transaction() as work:
            client, agent = await work.clients.of_agent(agent_id), await work.agents.find(agent_id)
            if agent is None:
                raise ProfileNotFound
            if key is not None and not await work.keys.hold(agent_id, key):
                raise KeyReplaced
            if client is None:
                client = self._client(ClientId(self.randomness.nonce()), agent, secret, ALL_SCOPES)
                await work.clients.put(client)
            await work.clients.rotate(client.id, hash_secret(secret), self.clock.now())
            if event is not None:
                await work.audit.add(event)
            if leaf is not None:
                await work.transparency.add(leaf)
        self.client_directory.forget(client.id)
        return ClientSecret(client_id=client.id, secret=secret)

    async def agent_of(self, client_id: str) -> AgentId | None:
        parsed = parse_uuid(client_id)
        async with self.storage.autocommit() as work:
            client = await work.clients.find(ClientId(parsed)) if parsed else None
        if client is None:
            raise ClientNotFound
        return client.agent_id

    async def delete(self, client_id: ClientId) -> None:
        """Removes a client; its tokens end with it."""
        async with self.storage.transaction() as work:
            await work.clients.remove(client_id)
        self.client_directory.forget(client_id)

    def _secret(self) -> str:
        return secret_text(self.randomness.secret(SECRET_BYTES))

    def _client(self, client_id: ClientId, agent: Agent, secret: str, scopes: frozenset[Scope]) -> Client:
        return Client(
            id=client_id,
            agent_id=agent.id,
            secret_hash=hash_secret(secret),
            scopes=scopes,
            created_at=self.clock.now(),
        )


@attrs.frozen
class BuiltinTokenIssuer:
    """The port `TokenIssuer`.

    `issuer` is what every token names; `network` is where clients reach it, as they name it in their assertions.
    """

    storage: Storage
    clock: Clock
    randomness: Randomness
    keys: TokenKeys
    issuer: str
    network: NetworkAddress
    signatures: Signatures

    @property
    def takes_assertions(self) -> bool:
        return True

    async def issue(self, client_id: str, client_secret: str, scope: str | None) -> AccessToken:
        """A token for these credentials; an unknown client and a wrong secret are answered alike, in the same time."""
        async with self.storage.autocommit() as work:
            client = await _authenticated(work, client_id, client_secret)
            agent = await work.agents.find(client.agent_id)
            await _record_use(work, client)
        if agent is None:
            raise InvalidClient
        return await self._token(client, agent, client.grant(scope))

    async def issue_for_assertion(self, assertion: str, client_id: str | None, scope: str | None) -> AccessToken:
        """A token for the client that the assertion names; its nonce is used up only if the signature holds."""
        parsed = ParsedAssertion.parse(assertion)
        claims = parsed.claims
        claims.check(self.network, self.clock.now())
        if client_id is not None and parse_uuid(client_id) != claims.client_id:
            raise InvalidAssertion("client_id must be the client that the assertion names")
        async with self.storage.autocommit() as work:
            record = await work.clients.find_with_agent(claims.client_id)
            if record is None or not parsed.is_signed_by(record[1].public_key, self.signatures):
                raise InvalidClient("Client authentication failed (unknown client, or not signed by its agent's key)")
            client, agent = record
            scopes = client.grant(scope)
            if not await work.nonces.use(claims.nonce, claims.forgotten_at):
                raise InvalidAssertion("The client assertion was used before; sign another, with another jti")
            await _record_use(work, client)
        return await self._token(client, agent, scopes)

    async def published_keys(self) -> Sequence[Mapping[str, str]]:
        """The public keys, newest first: the newest signs, all verify."""
        return await self.keys.published()

    async def _token(self, client: Client, agent: Agent, scopes: frozenset[Scope]) -> AccessToken:
        key = await self.keys.signing()
        claims = token_claims(client, agent, scopes, self.randomness.nonce(), self.clock.now())
        return AccessToken(text=sign(self.issuer, claims, key), lifetime=TOKEN_LIFETIME, scopes=scopes)


@attrs.define(eq=False)
class _VerifiedToken:
    """What a token says, by which key, and whom it stands for by the client record that was read last."""

    claims: TokenClaims
    kid: str
    client_record: ClientRecord | None = None
    caller: Caller | None = None


@attrs.frozen
class BuiltinTokenVerifier:
    """The port `TokenVerifier` for the tokens of `BuiltinTokenIssuer`.

    `scopeless_tokens_have_all` says whether a token that carries no scopes has all its client's
    (docs/reference/access.md, "Scopes").
    """

    client_directory: ClientDirectory
    clock: Clock
    keys: TokenKeys
    issuer: str
    scopeless_tokens_have_all: bool
    # Tokens whose signature was checked: one that held once holds as long as its token and its key last.
    _verified: LRUCache[str, _VerifiedToken] = attrs.field(init=False, factory=lambda: LRUCache(CACHED_TOKENS))

    async def verify(
        self,
        token: str,
        before_remote_call: BeforeRemoteCall = ask_freely,  # noqa: ARG002  # nobody else is asked
    ) -> Caller:
        """The caller a token stands for, with the scopes and the key that it has now."""
        verified = self._verified.get(token)
        # A signature that held does so no longer once its key was removed: anyone may have the key by now.
        if (
            verified is None
            or not verified.claims.good_at(self.clock.now())
            or await self.keys.verifying(verified.kid) is None
        ):
            verified = self._verified[token] = await self._checked(token)
        record = await self.client_directory.find(verified.claims.client_id)
        if record is None:
            raise InvalidToken
        # The same record is returned while it is cached.
        if verified.client_record is not record or verified.caller is None:
            verified.client_record, verified.caller = record, self._caller(verified.claims, record)
        return verified.caller

    def _caller(self, claims: TokenClaims, record: ClientRecord) -> Caller:
        client, agent = record
        if agent.id != claims.agent_id or client.generation != claims.generation:
            raise InvalidToken
        return Caller(
            agent_id=agent.id,
            public_key=agent.public_key,
            client_id=client.id,
            scopes=self._effective_scopes(claims.scopes, client.scopes),
            client_scopes=client.scopes,
        )

    async def _checked(self, token: str) -> _VerifiedToken:
        parsed = ParsedToken.parse(token)
        key = await self.keys.verifying(parsed.kid)
        if key is None:
            raise InvalidToken
        claims = parsed.claims(key, issuer=self.issuer, at=self.clock.now())
        return _VerifiedToken(claims, parsed.kid)

    def _effective_scopes(self, carried: frozenset[Scope], granted: frozenset[Scope]) -> frozenset[Scope]:
        if carried or not self.scopeless_tokens_have_all:
            return carried & granted
        return granted


async def _record_use(work: UnitOfWork, client: Client) -> None:
    # Written once in a client's life: from here on a repeated registration does not get its secret again.
    if not client.used and not await work.clients.mark_used(client.id, client.generation):
        raise InvalidClient


async def _authenticated(work: UnitOfWork, client_id: str, client_secret: str) -> Client:
    parsed = parse_uuid(client_id)
    client = await work.clients.find(ClientId(parsed)) if parsed else None
    if client is None:
        hash_secret(client_secret)  # takes as long as finding a secret wrong
        raise InvalidClient
    if not client.accepts(client_secret):
        raise InvalidClient
    return client
