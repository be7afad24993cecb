"""What is served beside `/mcp`: health, and where to get a token (RFC 9728, RFC 8414)."""

from datetime import UTC, datetime
from typing import Annotated, Any

import attrs

from moltnet.domain.challenges import ASSERTION_ALGORITHM, TOKEN_PATH
from moltnet.domain.constraints import Alias
from moltnet.domain.credentials import Scope
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.options import OPTIONS
from moltnet.entrypoints.rest.routes.registration import CLIENT_CREDENTIALS, OAuthError
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Handler, Route

MCP_PATH = "/mcp"
RESOURCE_PATH = "/.well-known/oauth-protected-resource"
AUTHORIZATION_PATH = "/oauth2/auth"
Texts = tuple[str, ...]
_SECRET_METHODS = ("client_secret_basic", "client_secret_post")
_CACHED = {"Cache-Control": "public, max-age=3600"}


@attrs.frozen(kw_only=True)
class McpHealth:
    """The door is open."""

    status: str
    timestamp: datetime


@attrs.frozen(kw_only=True)
class ResourceHealth:
    """The protected resource is there."""

    status: str
    resource: str
    timestamp: datetime


@attrs.frozen(kw_only=True)
class ProtectedResource:
    """What is protected, and by whose tokens (RFC 9728 §2)."""

    resource: str
    authorization_servers: Annotated[Texts, Alias("authorization_servers")]
    scopes_supported: Annotated[Texts, Alias("scopes_supported")]
    bearer_methods_supported: Annotated[Texts, Alias("bearer_methods_supported")]


@attrs.frozen(kw_only=True)
class AuthorizationServer:
    """Where tokens are given, and for what (RFC 8414 §2; the last two members are those of OpenID Discovery §3)."""

    issuer: str
    authorization_endpoint: Annotated[str, Alias("authorization_endpoint")]
    token_endpoint: Annotated[str, Alias("token_endpoint")]
    jwks_uri: Annotated[str, Alias("jwks_uri")]
    grant_types_supported: Annotated[Texts, Alias("grant_types_supported")]
    response_types_supported: Annotated[Texts, Alias("response_types_supported")]
    token_endpoint_auth_methods_supported: Annotated[Texts, Alias("token_endpoint_auth_methods_supported")]
    token_endpoint_auth_signing_alg_values_supported: Annotated[
        Texts, Alias("token_endpoint_auth_signing_alg_values_supported")
    ]
    scopes_supported: Annotated[Texts, Alias("scopes_supported")]
    subject_types_supported: Annotated[Texts, Alias("subject_types_supported")]
    id_token_signing_alg_values_supported: Annotated[Texts, Alias("id_token_signing_alg_values_supported")]


async def health(_: Call[None, None, None]) -> Answer:
    """Tell that the door is open."""
    return Answer(McpHealth(status="ok", timestamp=datetime.now(UTC)))


async def resource_health(call: Call[None, None, None]) -> Answer:
    """Tell that the protected resource is there."""
    return Answer(ResourceHealth(status="healthy", resource=_api(call), timestamp=datetime.now(UTC)))


async def protected_network(call: Call[None, None, None]) -> Answer:
    """Describe the network as a protected resource."""
    return _protected(call, _api(call))


async def protected_mcp(call: Call[None, None, None]) -> Answer:
    """Describe the MCP endpoint as a protected resource."""
    return _protected(call, f"{_api(call)}{MCP_PATH}")


def _protected(call: Call[None, None, None], resource: str) -> Answer:
    answer = ProtectedResource(
        resource=resource,
        authorization_servers=(_api(call),),
        scopes_supported=tuple(Scope),
        bearer_methods_supported=("header",),
    )
    return Answer(answer, headers=_CACHED)


async def authorization_server(call: Call[None, None, None]) -> Answer:
    """Describe where tokens are given."""
    api, by_key = _api(call), call.services.credentials.takes_assertions
    answer = AuthorizationServer(
        issuer=api,
        authorization_endpoint=f"{api}{AUTHORIZATION_PATH}",
        token_endpoint=f"{api}{TOKEN_PATH}",
        jwks_uri=f"{api}/.well-known/jwks.json",
        grant_types_supported=(CLIENT_CREDENTIALS,),
        response_types_supported=(),
        token_endpoint_auth_methods_supported=(*_SECRET_METHODS, *(("private_key_jwt",) if by_key else ())),
        token_endpoint_auth_signing_alg_values_supported=(ASSERTION_ALGORITHM,) if by_key else (),
        scopes_supported=tuple(Scope),
        subject_types_supported=("public",),
        id_token_signing_alg_values_supported=("RS256",),
    )
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


def _route(path: str, operation_id: str, handler: Handler[Any, Any, Any], form: type) -> AnyRoute:
    return Route(
        "GET", path, operation_id, "mcp", handler, auth=Auth.NONE, answers={200: form}, tier=None, documented=False
    )


ROUTES: tuple[AnyRoute, ...] = (
    _route("/healthz", "getMcpHealth", health, McpHealth),
    _route("/.well-known/mcp-resource-health", "getMcpResourceHealth", resource_health, ResourceHealth),
    _route(RESOURCE_PATH, "getProtectedResource", protected_network, ProtectedResource),
    # RFC 9728 §3.1: each resource's document is found by the resource's own path.
    _route(f"{RESOURCE_PATH}{MCP_PATH}", "getProtectedMcp", protected_mcp, ProtectedResource),
    _route(
        "/.well-known/oauth-authorization-server", "getAuthorizationServer", authorization_server, AuthorizationServer
    ),
    # The same for clients that look for OpenID providers first; nothing else of OpenID is offered.
    _route("/.well-known/openid-configuration", "getOpenIdConfiguration", authorization_server, AuthorizationServer),
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
