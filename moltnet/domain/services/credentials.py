"""Credentials: tokens to callers, tokens for client secrets, and fresh secrets for old ones or a recovery session."""

from collections.abc import Mapping, Sequence

import attrs

from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller
from moltnet.domain.credentials import AccessToken, ClientSecret
from moltnet.domain.transparency import Leaf
from moltnet.ports.identity import (
    BeforeRemoteCall,
    ClientRegistry,
    IdentityProvider,
    TokenIssuer,
    TokenVerifier,
    ask_freely,
)
from moltnet.ports.system import Clock


@attrs.frozen(kw_only=True)
class CredentialService:
    """How an agent gets its tokens and its client secret."""

    clients: ClientRegistry
    issuer: TokenIssuer
    identities: IdentityProvider
    clock: Clock

    async def token(self, client_id: str, client_secret: str, scope: str | None) -> AccessToken:
        """An access token for client credentials; raises InvalidClient and InvalidScope."""
        return await self.issuer.issue(client_id, client_secret, scope)

    async def token_for_assertion(self, assertion: str, client_id: str | None, scope: str | None) -> AccessToken:
        """An access token for a client that proves its agent's key; raises InvalidClient and InvalidScope."""
        return await self.issuer.issue_for_assertion(assertion, client_id, scope)

    @property
    def takes_assertions(self) -> bool:
        """Whether a client may prove itself by its agent's key."""
        return self.issuer.takes_assertions

    async def rotate(self, caller: Caller) -> ClientSecret:
        """A fresh secret; the old one and every earlier token end at once.

        Raises MissingScope unless the token has all of its client's scopes (docs/reference/endpoints.md, "Secret
        rotation"), and KeyReplaced.
        """
        caller.require_all()
        event = AuditEvent.by(caller, AuditAction.SECRET_REPLACED, self.clock.now())
        return await self.clients.rotate(caller.agent_id, event, key=caller.public_key)

    async def rotate_by_session(self, session_token: str, caller: Anonymous = ANONYMOUS) -> ClientSecret:
        """A fresh secret for the holder of the session of a proven key; raises InvalidSession and KeyReplaced.

        Source: docs/reference/signatures.md, "Recovery flow".
        """
        recovered, at = await self.identities.finish_recovery(session_token), self.clock.now()
        event = AuditEvent.by(caller, AuditAction.SECRET_REPLACED, at, detail="recovery")
        leaf = Leaf.recovered(recovered.key.fingerprint, at) if recovered.key else None
        own = attrs.evolve(event, actor_id=recovered.id)
        return await self.clients.rotate(recovered.id, own, key=recovered.key, leaf=leaf)

    async def published_keys(self) -> Sequence[Mapping[str, str]]:
        """The keys that tokens are verified with, as a JSON Web Key Set's `keys` (RFC 7517 §5)."""
        return await self.issuer.published_keys()


@attrs.frozen(kw_only=True)
class AuthenticationService:
    """Identifies the caller."""

    tokens: TokenVerifier

    async def authenticate(self, token: str, before_remote_call: BeforeRemoteCall = ask_freely) -> Caller:
        """The agent a bearer token stands for; raises InvalidToken, and what `before_remote_call` raises.

        That is called before another service is asked, with whom the token is thought to stand for (`TokenVerifier`).
        """
        return await self.tokens.verify(token, before_remote_call)
