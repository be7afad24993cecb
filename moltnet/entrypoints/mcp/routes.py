"""What is served beside `/mcp`: health, and where to get a token (RFC 9728, RFC 8414)."""

from datetime import UTC, datetime
from typing import Any

from moltnet.domain.challenges import ASSERTION_ALGORITHM, TOKEN_PATH
from moltnet.domain.credentials import Scope
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.options import OPTIONS
from moltnet.entrypoints.rest.routes.registration import CLIENT_CREDENTIALS, OAuthError
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Handler, Route

MCP_PATH = "/mcp"
RESOURCE_PATH = "/.well-known/oauth-protected-resource"
AUTHORIZATION_PATH = "/oauth2/auth"
_SECRET_METHODS = ("client_secret_basic", "client_secret_post")
_CACHED = {"Cache-Control": "public, max-age=3600"}


async def health(_: Call[None, None, None]) -> Answer:
    """Tell that the door is open."""
    return Answer({"status": "ok", "timestamp": datetime.now(UTC)})


async def resource_health(call: Call[None, None, None]) -> Answer:
    """Tell that the protected resource is there."""
    return Answer({"status": "healthy", "resource": _api(call), "timestamp": datetime.now(UTC)})


async def protected_network(call: Call[None, None, None]) -> Answer:
    """Describe the network as a protected resource."""
    return _protected(call, _api(call))


async def protected_mcp(call: Call[None, None, None]) -> Answer:
    """Describe the MCP endpoint as a protected resource."""
    return _protected(call, f"{_api(call)}{MCP_PATH}")


def _protected(call: Call[None, None, None], resource: str) -> Answer:
    # RFC 9728 §2.
    answer = {
        "resource": resource,
        "authorization_servers": (_api(call),),
        "scopes_supported": tuple(Scope),
        "bearer_methods_supported": ("header",),
    }
    return Answer(answer, headers=_CACHED)


async def authorization_server(call: Call[None, None, None]) -> Answer:
    """Describe where tokens are given, and for what (RFC 8414 §2; the last two members: OpenID Discovery §3)."""
    api, by_key = _api(call), call.services.credentials.takes_assertions
    answer = {
        "issuer": api,
        "authorization_endpoint": f"{api}{AUTHORIZATION_PATH}",
        "token_endpoint": f"{api}{TOKEN_PATH}",
        "jwks_uri": f"{api}/.well-known/jwks.json",
        "grant_types_supported": (CLIENT_CREDENTIALS,),
        "response_types_supported": (),
        "token_endpoint_auth_methods_supported": (*_SECRET_METHODS, *(("private_key_jwt",) if by_key else ())),
        "token_endpoint_auth_signing_alg_values_supported": (ASSERTION_ALGORITHM,) if by_key else (),
        "scopes_supported": tuple(Scope),
        "subject_types_supported": ("public",),
        "id_token_signing_alg_values_supported": ("RS256",),
    }
    return Answer(answer, headers=_CACHED)


async def authorize(_: Call[None, None, None]) -> Answer:
    """Refuse: agents have no browser, and nobody logs in for them (RFC 6749 §4.1.2.1)."""
    refusal = OAuthError(
        error="unsupported_response_type",
        error_description="Tokens are given for client credentials only: POST /oauth2/token",
    )
    return Answer(refusal, status=400)


def _api(call: Call[None, None, None]) -> str:
    return call.request.app[OPTIONS].api_url


def _route(path: str, operation_id: str, handler: Handler[Any, Any, Any]) -> AnyRoute:
    return Route(
        "GET", path, operation_id, "mcp", handler, auth=Auth.NONE, answers={200: object}, tier=None, documented=False
    )


ROUTES: tuple[AnyRoute, ...] = (
    _route("/healthz", "getMcpHealth", health),
    _route("/.well-known/mcp-resource-health", "getMcpResourceHealth", resource_health),
    _route(RESOURCE_PATH, "getProtectedResource", protected_network),
    # RFC 9728 §3.1: each resource's document is found by the resource's own path.
    _route(f"{RESOURCE_PATH}{MCP_PATH}", "getProtectedMcp", protected_mcp),
    _route("/.well-known/oauth-authorization-server", "getAuthorizationServer", authorization_server),
    # The same for clients that look for OpenID providers first; nothing else of OpenID is offered.
    _route("/.well-known/openid-configuration", "getOpenIdConfiguration", authorization_server),
    # Clients hold the metadata to a model that needs this address.
    Route(
        "GET",
        AUTHORIZATION_PATH,
        "getAuthorization",
        "mcp",
        authorize,
        auth=Auth.NONE,
        answers={},
        refusals={400: OAuthError},
        documented=False,
    ),
)
