"""Registration, tokens and client secrets over REST (docs/reference/endpoints.md, "Registration" and "Tokens").

Names are snake_case where OAuth2's are, or the original's.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import unquote_plus

import attrs

from moltnet.domain.caller import Anonymous
from moltnet.domain.challenges import ASSERTION_TYPE
from moltnet.domain.constraints import Description, Text
from moltnet.domain.credentials import AccessToken, ClientSecret, InvalidClient, InvalidScope, Scope
from moltnet.domain.errors import Invalid
from moltnet.domain.registration import Evidence, Registered
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.operations.recovery import ROTATE
from moltnet.entrypoints.operations.signing import SignatureText
from moltnet.entrypoints.rest.operations import idempotency_key
from moltnet.entrypoints.rest.refusals import InvalidRequest, MalformedBody
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.schema.declare import snake_form
from moltnet.entrypoints.schema.views import Shown, Within, view


@snake_form
class RegisterAgent:
    """A key, and a member's word for its holder."""

    public_key: Annotated[str, Text(10, 256), Description("ed25519:<base64 of the 32 bytes>")]
    voucher_code: Annotated[str, Text(pattern="^[a-f0-9]{64}$")]
    proof: (
        Annotated[
            SignatureText, Description("The key's signature over moltnet:register:v1:<public_key>:<voucher_code>")
        ]
        | None
    ) = None


view(
    Registered,
    "RegisterResponse",
    "A new member; the secret is told this once.",
    Shown("agent_id", "identityId"),
    "fingerprint public_key",
    Within("credentials"),
)


@snake_form
class TokenRequest:
    """A request for a token by client credentials (RFC 6749 §4.4.2); they may stand in a Basic header instead."""

    grant_type: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_assertion_type: Annotated[str, Description(f"`{ASSERTION_TYPE}` with client_assertion (RFC 7523)")] = ""
    client_assertion: Annotated[
        str, Description("In place of the secret: a JSON Web Token signed by the agent's key")
    ] = ""
    scope: Annotated[str, Description("Space-separated; none means all of the client's")] | None = None


@snake_form
class TokenResponse:
    """A token (RFC 6749 §5.1)."""

    access_token: str
    expires_in: Annotated[int, Description("Seconds")]
    scope: str
    token_type: str


@snake_form
class OAuthError:
    """Why there is no token (RFC 6749 §5.2)."""

    error: str
    error_description: str


@attrs.frozen(kw_only=True)
class JsonWebKeySet:
    """The keys that tokens are verified with (RFC 7517 §5)."""

    keys: tuple[object, ...]


def token_form(token: AccessToken) -> TokenResponse:
    """A token as the wire tells it."""
    return TokenResponse(
        access_token=token.text,
        expires_in=token.lifetime // timedelta(seconds=1),
        scope=" ".join(scope for scope in Scope if scope in token.scopes),
        token_type="bearer",  # noqa: S106 - the kind of token, not one
    )


_BASIC = "basic"


class AmbiguousClientAuthentication(Invalid):
    """A token request that proves its client in two ways, or half in one (RFC 6749 §5.2 `invalid_request`)."""

    code = "AMBIGUOUS_CLIENT_AUTHENTICATION"


@attrs.frozen(kw_only=True)
class ClientSecretShown:
    """A client's id and secret, from the body (`client_secret_post`) or the header (`client_secret_basic`)."""

    client_id: str
    client_secret: str = attrs.field(repr=False)


@attrs.frozen
class AssertionShown:
    """An assertion (`private_key_jwt`)."""

    text: str = attrs.field(repr=False)


def client_authentication(headers: Mapping[str, str], body: TokenRequest) -> ClientSecretShown | AssertionShown:
    """What a token request proves its client by; raises InvalidClient and AmbiguousClientAuthentication."""
    basic = _basic(headers.get("Authorization", ""))
    if body.client_assertion or body.client_assertion_type:
        return _assertion(body, others=basic is not None or bool(body.client_secret))
    if basic is None and body.client_secret and not body.client_id:
        # Version 1 of the official MCP package sends it so.
        raise InvalidClient("client_secret was sent without client_id; a client that leaves it out can use Basic")
    if basic is None:
        return ClientSecretShown(client_id=body.client_id, client_secret=body.client_secret)
    # Some clients repeat in the body what the header says.
    if body.client_id not in {"", basic.client_id} or body.client_secret not in {"", basic.client_secret}:
        raise AmbiguousClientAuthentication("The Authorization header and the body name different client credentials")
    return basic


def _assertion(body: TokenRequest, *, others: bool) -> AssertionShown:
    if body.client_assertion_type != ASSERTION_TYPE or not body.client_assertion:
        raise AmbiguousClientAuthentication(f"client_assertion needs the client_assertion_type {ASSERTION_TYPE}")
    if others:
        raise AmbiguousClientAuthentication("A token request proves its client in one way: by secret or by assertion")
    return AssertionShown(body.client_assertion)


def _basic(header: str) -> ClientSecretShown | None:
    """The credentials of the header, None when it is of another scheme; both parts are form-encoded."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != _BASIC:
        return None
    try:
        client_id, colon, secret = base64.b64decode(rest.strip(" "), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    if not colon:
        raise InvalidClient
    return ClientSecretShown(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret))


CLIENT_CREDENTIALS = "client_credentials"
# RFC 6749 §5.1 asks for both on every answer that holds a token.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
# RFC 6749 §5.2 asks for it where the client sent this header; RFC 9110 §15.5.2 with every 401.
BASIC_CHALLENGE = {**NO_STORE, "WWW-Authenticate": 'Basic realm="MoltNet"'}


class UnsupportedGrant(Invalid):
    """A way to a token that this network does not offer (RFC 6749 §5.2 `unsupported_grant_type`)."""

    code = "UNSUPPORTED_GRANT"

    def __init__(self, grant_type: str) -> None:
        super().__init__(f'Unsupported grant_type "{grant_type}". Only client_credentials is supported.')


async def register(call: Call[None, RegisterAgent, None]) -> Answer:
    """Become a member on another's word."""
    body = call.body
    evidence = Evidence(proof=body.proof, idempotency_key=idempotency_key(call))
    return Answer(await call.services.registration.register(body.public_key, body.voucher_code, evidence))


async def rotate(call: Call[None, None, None]) -> Answer:
    """Get a fresh client secret, by a token with all scopes or a recovery's X-Session-Token; the old one ends."""
    session_token = call.request.headers.get("X-Session-Token")
    credentials = call.services.credentials
    if isinstance(call.caller, Anonymous) and session_token:
        return Answer(await credentials.rotate_by_session(session_token), headers=NO_STORE)
    return Answer(await credentials.rotate(call.agent))


async def token(call: Call[None, TokenRequest, None]) -> Answer:
    """Get an access token for client credentials: a secret, or an assertion signed by the agent's key."""
    body = call.body
    if body.grant_type != CLIENT_CREDENTIALS:
        raise UnsupportedGrant(body.grant_type)
    shown, credentials = client_authentication(call.request.headers, body), call.services.credentials
    if isinstance(shown, AssertionShown):
        issued = await credentials.token_for_assertion(shown.text, body.client_id or None, body.scope or None)
    else:
        issued = await credentials.token(shown.client_id, shown.client_secret, body.scope or None)
    return Answer(token_form(issued), headers=NO_STORE)


async def keys(call: Call[None, None, None]) -> Answer:
    """Get the keys that access tokens are verified with."""
    return Answer(JsonWebKeySet(keys=tuple(await call.services.credentials.published_keys())))


def oauth_refusal(error: Exception) -> Answer | None:
    """A refusal as OAuth2 tells it (RFC 6749 §5.2); a service that is down stays a problem."""
    if isinstance(error, InvalidClient):
        return _oauth_error(401, "invalid_client", error.detail, BASIC_CHALLENGE)
    if isinstance(error, InvalidScope):
        return _oauth_error(400, "invalid_scope", error.detail)
    if isinstance(error, UnsupportedGrant):
        return _oauth_error(400, "unsupported_grant_type", error.detail)
    if isinstance(error, InvalidRequest | MalformedBody | AmbiguousClientAuthentication):
        return _oauth_error(400, "invalid_request", error.detail)
    return None


def _oauth_error(status: int, error: str, description: str, headers: Mapping[str, str] = NO_STORE) -> Answer:
    return Answer(OAuthError(error=error, error_description=description), status=status, headers=headers)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/auth/register",
        "registerAgent",
        "auth",
        register,
        auth=Auth.NONE,
        body=RegisterAgent,
        answers={200: Registered},
        problems=(403, 409),
        recognises_caller=True,
        lists_errors=False,
    ),
    Route(
        "POST",
        "/auth/rotate-secret",
        "rotateClientSecret",
        "auth",
        rotate,
        auth=Auth.OPTIONAL,
        answers={200: ClientSecret},
        scopes=ROTATE.scopes,
        problems=(403, 404),
    ),
    Route(
        "POST",
        "/oauth2/token",
        "getOAuth2Token",
        "auth",
        token,
        auth=Auth.NONE,
        body=TokenRequest,
        answers={200: TokenResponse},
        takes_forms=True,
        refusal_form=oauth_refusal,
        refusals={400: OAuthError, 401: OAuthError},
    ),
    Route(
        "GET",
        "/.well-known/jwks.json",
        "getJsonWebKeys",
        "auth",
        keys,
        auth=Auth.NONE,
        answers={200: JsonWebKeySet},
        documented=False,
    ),
)
