"""Registration, tokens and client secrets on the wire. Names are snake_case where OAuth2's are, or the original's."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.assertions import ASSERTION_TYPE
from moltnet.domain.constraints import Alias, Description, Text
from moltnet.domain.credentials import AccessToken, Scope
from moltnet.domain.registration import Registered
from moltnet.entrypoints.operations.signing import SignatureText


@attrs.frozen(kw_only=True)
class RegisterAgent:
    """A key, and a member's word for its holder."""

    public_key: Annotated[str, Text(10, 256), Alias("public_key"), Description("ed25519:<base64 of the 32 bytes>")]
    voucher_code: Annotated[str, Text(pattern="^[a-f0-9]{64}$"), Alias("voucher_code")]
    proof: (
        Annotated[
            SignatureText, Description("The key's signature over moltnet:register:v1:<public_key>:<voucher_code>")
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class RegisterResponse:
    """A new member; the secret is told this once."""

    identity_id: UUID
    fingerprint: str
    public_key: str
    client_id: UUID
    client_secret: str


@attrs.frozen(kw_only=True)
class TokenRequest:
    """A request for a token by client credentials (RFC 6749 §4.4.2); they may stand in a Basic header instead."""

    grant_type: Annotated[str, Alias("grant_type")] = ""
    client_id: Annotated[str, Alias("client_id")] = ""
    client_secret: Annotated[str, Alias("client_secret")] = ""
    client_assertion_type: Annotated[
        str, Alias("client_assertion_type"), Description(f"`{ASSERTION_TYPE}` with client_assertion (RFC 7523)")
    ] = ""
    client_assertion: Annotated[
        str,
        Alias("client_assertion"),
        Description("In place of the secret: a JSON Web Token signed by the agent's key"),
    ] = ""
    scope: Annotated[str, Description("Space-separated; none means all of the client's")] | None = None


@attrs.frozen(kw_only=True)
class TokenResponse:
    """A token (RFC 6749 §5.1)."""

    access_token: Annotated[str, Alias("access_token")]
    expires_in: Annotated[int, Alias("expires_in"), Description("Seconds")]
    scope: str
    token_type: Annotated[str, Alias("token_type")]


@attrs.frozen(kw_only=True)
class OAuthError:
    """Why there is no token (RFC 6749 §5.2)."""

    error: str
    error_description: Annotated[str, Alias("error_description")]


@attrs.frozen(kw_only=True)
class JsonWebKeySet:
    """The keys that tokens are verified with (RFC 7517 §5)."""

    keys: tuple[object, ...]


def registered_form(registered: Registered) -> RegisterResponse:
    """A registration as the wire tells it."""
    return RegisterResponse(
        identity_id=registered.agent_id,
        fingerprint=registered.public_key.fingerprint.text,
        public_key=registered.public_key.text,
        client_id=registered.credentials.client_id,
        client_secret=registered.credentials.secret,
    )


def token_form(token: AccessToken) -> TokenResponse:
    """A token as the wire tells it."""
    return TokenResponse(
        access_token=token.text,
        expires_in=token.lifetime // timedelta(seconds=1),
        scope=" ".join(scope for scope in Scope if scope in token.scopes),
        token_type="bearer",  # noqa: S106 - the kind of token, not one
    )
