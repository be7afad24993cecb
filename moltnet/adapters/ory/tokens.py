"""Access tokens by Hydra: issued there, verified here by its keys, and by asking it where those cannot tell.

Whose client it is and what it may do now is read from the network's own storage each time, as with built-in tokens: a
removed client and a changed scope count at once. A secret that was replaced ends tokens too. When a token says that it
was issued well after that, it is good; when not, Hydra is asked, since clocks differ and tokens tell whole seconds.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import attrs
from cachetools import LRUCache
from ory_client import OAuth2Api

from moltnet.adapters.ory.claims import Expected, SignedToken, VerifiedClaims, introspected, is_jwt, is_token
from moltnet.adapters.ory.clients import GRANT_TYPE, a_client, is_client_id, scopes_in
from moltnet.adapters.ory.published_keys import PublishedKeys
from moltnet.adapters.ory.service import OryService, malformed
from moltnet.domain.agents import Agent
from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller
from moltnet.domain.credentials import AccessToken, Client, InvalidClient, InvalidScope, InvalidToken, Scope
from moltnet.domain.ids import AgentId, ClientId, parse_uuid
from moltnet.ports.identity import BeforeRemoteCall, ask_freely
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock

# How far Hydra's clock and ours may be apart: of tokens issued so soon after a new secret, Hydra is asked.
CLOCK_DIFFERENCE = timedelta(seconds=60)
CACHED_TOKENS = 10_000
_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN = 200, 400, 401, 403
# RFC 6749 §A.1, §A.2. Hydra's hash takes a secret with NULs at its end for the secret itself.
_VSCHARS = re.compile(r"[\x20-\x7e]+")
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@attrs.frozen
class OryTokenIssuer:
    """The port `TokenIssuer`."""

    public: OryService
    keys: PublishedKeys
    storage: Storage

    async def issue(self, client_id: str, client_secret: str, scope: str | None) -> AccessToken:
        """A token for these credentials; a client whose agent is gone is refused by the token hook."""
        if not (_VSCHARS.fullmatch(client_id) and _VSCHARS.fullmatch(client_secret)):
            raise InvalidClient
        async with self.storage.autocommit() as work:
            parsed = parse_uuid(client_id)
            client = await work.clients.find(ClientId(parsed)) if parsed else None
        token = await self._issued(client_id, client_secret, scope)
        # A secret that was replaced meanwhile took its tokens with it.
        if client is not None and not client.used and not await _record_use(self.storage, client):
            raise InvalidClient
        return token

    @property
    def takes_assertions(self) -> bool:
        """Hydra verifies no EdDSA, and knows its clients by their secrets alone."""
        return False

    async def issue_for_assertion(
        self,
        assertion: str,  # noqa: ARG002  # the port's
        client_id: str | None,  # noqa: ARG002  # the port's
        scope: str | None,  # noqa: ARG002  # the port's
    ) -> AccessToken:
        """Refused."""
        raise InvalidClient("This network's token service takes no client assertions: show the client's secret")

    async def _issued(self, client_id: str, client_secret: str, scope: str | None) -> AccessToken:
        call = "issue a token"
        form = {"grant_type": GRANT_TYPE, "client_id": client_id, "client_secret": client_secret}
        fields = [*(form | ({"scope": _encodable(scope)} if scope else {})).items()]
        # The package's own call has no field for the secret (docs/reference/ory.md, "The client package").
        reply = await self.public.call(
            call,
            lambda client, timeout: (
                client.call_api(
                    "POST",
                    f"{client.configuration.host}/oauth2/token",
                    header_params=dict(_FORM),
                    post_params=fields,
                    _request_timeout=timeout,
                ).response
            ),
            {_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN},
        )
        if reply.status != _OK:
            raise InvalidScope if reply.member("error") == "invalid_scope" else InvalidClient
        text, seconds = reply.member("access_token"), reply.member("expires_in")
        if not isinstance(text, str) or not isinstance(seconds, int):
            raise malformed(self.public, call)
        return AccessToken(text=text, lifetime=timedelta(seconds=seconds), scopes=scopes_in(reply.member("scope")))

    async def published_keys(self) -> Sequence[Mapping[str, str]]:
        """Hydra's public keys."""
        return await self.keys.published()


@attrs.frozen(kw_only=True)
class OryTokenVerifier:
    """The port `TokenVerifier`.

    `scopeless_tokens_have_all` says whether a token that carries no scopes has all its client's
    (docs/reference/access.md, "Scopes").
    """

    admin: OryService
    keys: PublishedKeys
    storage: Storage
    clock: Clock
    expected: Expected
    scopeless_tokens_have_all: bool
    # Digests of tokens, with their client's generation, that Hydra said are active.
    _active: LRUCache[tuple[bytes, int], None] = attrs.field(init=False, factory=lambda: LRUCache(CACHED_TOKENS))
    # Whom the latest good tokens stood for, by their digests; used only for counting before Hydra is asked again.
    _callers: LRUCache[bytes, Caller] = attrs.field(init=False, factory=lambda: LRUCache(CACHED_TOKENS))

    async def verify(self, token: str, before_remote_call: BeforeRemoteCall = ask_freely) -> Caller:
        """The caller a token stands for, with the scopes and the key that it has now."""
        if not is_token(token):
            raise InvalidToken
        digest = sha256(token.encode("ascii")).digest()
        try:
            caller = await self._resolve(token, self._callers.get(digest, ANONYMOUS), before_remote_call)
        except InvalidToken:
            self._callers.pop(digest, None)
            raise
        self._callers[digest] = caller
        return caller

    async def _resolve(self, token: str, presumed: Caller | Anonymous, before_remote_call: BeforeRemoteCall) -> Caller:
        verified = await self._verified(token) if is_jwt(token) else None
        is_introspected = verified is None
        if verified is None:
            await before_remote_call(presumed)
            verified = await self._introspected(token)
        found = await self._stored_client(verified.client_id)
        if found is None:
            await before_remote_call(presumed)
            return await self._caller_from_elsewhere(verified if is_introspected else await self._introspected(token))
        client, agent = found
        # With a key end its tokens, at once: Hydra learns of that a moment later.
        if verified.agent_id not in (None, agent.id) or client.is_ended:
            raise InvalidToken
        if not is_introspected and verified.issued_at <= (client.secret_since + CLOCK_DIFFERENCE).timestamp():
            await before_remote_call(self._caller(verified, agent, client.id, client.scopes))
            await self._check_active(token, client)
        # Issued by Hydra to somebody who asked it directly; a secret that was replaced meanwhile took its tokens too.
        if not client.used and not await _record_use(self.storage, client):
            raise InvalidToken
        return self._caller(verified, agent, client.id, client.scopes)

    async def _verified(self, token: str) -> VerifiedClaims | None:
        """What the keys prove a token to say; None when Hydra has to be asked."""
        signed = SignedToken.parse(token)
        key = await self.keys.find(signed.kid) if signed else None
        return signed.verified(key, self.expected, self.clock.now()) if signed and key else None

    async def _introspected(self, token: str) -> VerifiedClaims:
        call = "introspect a token"
        reply = await self.admin.call(
            call,
            lambda client, timeout: OAuth2Api(client).introspect_o_auth2_token_without_preload_content(
                token, _request_timeout=timeout
            ),
            {_OK},
        )
        answer = reply.json()
        if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
            raise malformed(self.admin, call)
        return introspected(answer, self.expected, self.clock.now())

    async def _stored_client(self, client_id: str) -> tuple[Client, Agent] | None:
        parsed = parse_uuid(client_id)
        async with self.storage.autocommit() as work:
            return await work.clients.find_with_agent(ClientId(parsed)) if parsed else None

    async def _check_active(self, token: str, client: Client) -> None:
        # What was active once stays so until the client has another secret, and with it another generation.
        key = (sha256(token.encode("ascii")).digest(), client.generation)
        if key not in self._active:
            await self._introspected(token)
            self._active[key] = None

    async def _caller_from_elsewhere(self, verified: VerifiedClaims) -> Caller:
        """The caller of a client that was not made here: nothing is recorded of it, so Hydra tells all there is."""
        client_id = parse_uuid(verified.client_id)
        client = (
            await a_client(self.admin, verified.client_id) if client_id and is_client_id(verified.client_id) else None
        )
        agent_id = verified.agent_id or _agent_in(client)
        if client_id is None or client is None or agent_id is None:
            raise InvalidToken
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(agent_id)
        if agent is None:
            raise InvalidToken
        return self._caller(verified, agent, ClientId(client_id), scopes_in(client.get("scope")))

    def _caller(self, verified: VerifiedClaims, agent: Agent, client_id: ClientId, granted: frozenset[Scope]) -> Caller:
        scopes = granted
        if verified.scopes or not self.scopeless_tokens_have_all:
            scopes = frozenset(scope for scope in granted if scope.value in verified.scopes)
        return Caller(
            agent_id=agent.id, public_key=agent.public_key, client_id=client_id, scopes=scopes, client_scopes=granted
        )


async def _record_use(storage: Storage, client: Client) -> bool:
    """From the first use on a repeated registration does not get the client's secret again; False: it was replaced."""
    async with storage.transaction() as work:
        return await work.clients.mark_used(client.id, client.generation)


def _agent_in(client: Mapping[str, Any] | None) -> AgentId | None:
    """The agent that a client's metadata name, when all three parts are there (docs/reference/ory.md, "Tokens")."""
    metadata = client.get("metadata") if client else None
    values = [metadata.get(name) for name in ("identity_id", "public_key", "fingerprint")] if metadata else []
    if not values or not all(isinstance(each, str) and each for each in values):
        return None
    found = parse_uuid(str(values[0]))
    return AgentId(found) if found is not None else None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
