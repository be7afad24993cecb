"""Registration, tokens and client secrets over REST (docs/reference/endpoints.md, "Registration" and "Tokens")."""

from collections.abc import Mapping

from moltnet.domain.caller import Anonymous
from moltnet.domain.credentials import ClientSecret, InvalidClient, InvalidScope
from moltnet.domain.errors import Invalid
from moltnet.domain.registration import Evidence
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.operations.recovery import ROTATE
from moltnet.entrypoints.rest.client_authentication import (
    AmbiguousClientAuthentication,
    AssertionShown,
    client_authentication,
)
from moltnet.entrypoints.rest.idempotency import idempotency_key
from moltnet.entrypoints.rest.refusals import InvalidRequest, MalformedBody
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.registration import (
    JsonWebKeySet,
    OAuthError,
    RegisterAgent,
    RegisterResponse,
    TokenRequest,
    TokenResponse,
    registered_form,
    token_form,
)

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
    registered = await call.services.registration.register(body.public_key, body.voucher_code, evidence)
    return Answer(registered_form(registered))


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
        answers={200: RegisterResponse},
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
