"""What an agent proves itself with after its key: client secrets, scopes, and what a token may claim.

Secrets are 32 random bytes, so a plain SHA-256 is enough to keep them by: there is no dictionary to guess from.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from moltnet.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from moltnet.domain.ids import AgentId, ClientId, parse_uuid

TOKEN_LIFETIME = timedelta(hours=1)
CLOCK_SKEW = timedelta(seconds=5)
"""How far the clocks of a fleet's hosts may be apart: a token is good that much before it was issued."""
FIRST_SECRET_WINDOW = timedelta(minutes=10)
SECRET_BYTES = 32


class Scope(StrEnum):
    """What a token may be used for (docs/reference/access.md, "Scopes")."""

    DIARY_READ = "diary:read"
    DIARY_WRITE = "diary:write"
    DIARY_DELETE = "diary:delete"
    DIARY_SHARE = "diary:share"
    AGENT_PROFILE = "agent:profile"
    AGENT_DIRECTORY = "agent:directory"
    CRYPTO_SIGN = "crypto:sign"


ALL_SCOPES = frozenset(Scope)


class InvalidToken(Unauthenticated):
    """A token nobody issued, that has expired, or whose credentials were replaced since."""

    code = "INVALID_TOKEN"
    sentence = "Invalid or expired token"


class InvalidClient(Unauthenticated):
    """Client credentials that do not match (RFC 6749 §5.2 `invalid_client`); unknown and wrong are answered alike."""

    code = "INVALID_CLIENT"
    sentence = "Client authentication failed (unknown client or wrong secret)"


class ClientNotFound(NotFound):
    """No OAuth2 client has this id."""

    code = "CLIENT_NOT_FOUND"
    sentence = "OAuth2 client not found"


class ClientWithoutAgent(Forbidden):
    """An OAuth2 client whose metadata name no agent: it was not made by this network."""

    code = "CLIENT_WITHOUT_AGENT"
    sentence = "The OAuth2 client's metadata does not name an agent of this network"


class MalformedClientId(Invalid):
    """A text that names no OAuth2 client of a network."""

    code = "MALFORMED_CLIENT_ID"
    sentence = "A client id is a UUID"


class InvalidScope(Invalid):
    """Scopes were asked for that the client does not have (RFC 6749 §5.2 `invalid_scope`)."""

    code = "INVALID_SCOPE"
    sentence = "The requested scope is invalid, unknown, or not granted to the client"


@attrs.frozen(kw_only=True)
class Client:
    """An OAuth2 client of one agent; the secret itself is not here, only what it is recognised by.

    `generation` counts the secrets: a token of an earlier generation is no longer good. `used` says whether a token
    was ever given for one, or one was asked for in another's place. `secret_since` says when the present one took
    effect, for tokens that do not say their generation.
    """

    id: ClientId
    agent_id: AgentId
    secret_hash: bytes = attrs.field(repr=False)
    scopes: frozenset[Scope]
    generation: int = 1
    used: bool = False
    created_at: datetime
    secret_since: datetime = attrs.field(default=attrs.Factory(lambda self: self.created_at, takes_self=True))

    @property
    def is_ended(self) -> bool:
        """Whether its secret has ended, and there is no other yet: its agent's key was replaced a moment ago."""
        return not self.secret_hash

    def accepts(self, secret: str) -> bool:
        """Whether this is the client's secret; compared in constant time."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret))

    def grant(self, requested: str | None) -> frozenset[Scope]:
        """The scopes a token gets when it asks for `requested` (space-separated); empty means none were named.

        Raises InvalidScope for any that the client does not have (RFC 6749 §3.3).
        """
        names = (requested or "").split()
        granted = frozenset(scope for scope in self.scopes if scope.value in names)
        if len(granted) != len(set(names)):
            raise InvalidScope
        return granted


@attrs.frozen(kw_only=True)
class ClientSecret:
    """A client's credentials as they are returned once, at registration or rotation."""

    client_id: ClientId
    secret: str = attrs.field(repr=False)

    @classmethod
    def of(cls, client_id: str, secret: str) -> "ClientSecret":
        """The credentials of two texts; raises MalformedClientId."""
        parsed = parse_uuid(client_id.strip())
        if parsed is None:
            raise MalformedClientId
        return cls(client_id=ClientId(parsed), secret=secret)


@attrs.frozen(kw_only=True)
class AccessToken:
    """An answer of the token endpoint (RFC 6749 §5.1)."""

    text: str = attrs.field(repr=False)
    lifetime: timedelta
    scopes: frozenset[Scope]


@attrs.frozen(kw_only=True)
class TokenClaims:
    """What a verified token says: whose it is, of which generation, and the scopes it carries (none: all).

    It is good from `not_before` until `expires_at`, both in Unix seconds.
    """

    client_id: ClientId
    agent_id: AgentId
    generation: int
    scopes: frozenset[Scope]
    not_before: float
    expires_at: float

    def good_at(self, at: datetime) -> bool:
        """Whether its time has come and is not over: not on or after its end (RFC 7519 §4.1.4)."""
        return self.not_before <= at.timestamp() < self.expires_at


def secret_text(random_bytes: bytes) -> str:
    """The text form of a secret made of random bytes: base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode("ascii")


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
