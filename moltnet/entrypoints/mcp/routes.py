"""What stands beside `/mcp`: health, and where to get a token (RFC 9728, RFC 8414)."""

from datetime import UTC, datetime
from typing import Annotated, Any

import attrs

from moltnet.domain.credentials import Scope
from moltnet.entrypoints.rest.keys import OPTIONS
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Handler, Route
from moltnet.entrypoints.schema.declare import Wire

Texts = tuple[str, ...]
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
    authorization_servers: Annotated[Texts, Wire("authorization_servers")]
    scopes_supported: Annotated[Texts, Wire("scopes_supported")]
    bearer_methods_supported: Annotated[Texts, Wire("bearer_methods_supported")]


@attrs.frozen(kw_only=True)
class AuthorizationServer:
    """Where tokens are given, and for what (RFC 8414 §2)."""

    issuer: str
    token_endpoint: Annotated[str, Wire("token_endpoint")]
    jwks_uri: Annotated[str, Wire("jwks_uri")]
    grant_types_supported: Annotated[Texts, Wire("grant_types_supported")]
    response_types_supported: Annotated[Texts, Wire("response_types_supported")]
    token_endpoint_auth_methods_supported: Annotated[Texts, Wire("token_endpoint_auth_methods_supported")]
    scopes_supported: Annotated[Texts, Wire("scopes_supported")]


async def health(_: Call[None, None, None]) -> Answer:
    """Tell that the door is open."""
    return Answer(McpHealth(status="ok", timestamp=datetime.now(UTC)))


async def resource_health(call: Call[None, None, None]) -> Answer:
    """Tell that the protected resource is there."""
    return Answer(ResourceHealth(status="healthy", resource=_api(call), timestamp=datetime.now(UTC)))


async def protected_resource(call: Call[None, None, None]) -> Answer:
    """Tell whose tokens are good here."""
    api = _api(call)
    answer = ProtectedResource(
        resource=api,
        authorization_servers=(api,),
        scopes_supported=tuple(Scope),
        bearer_methods_supported=("header",),
    )
    return Answer(answer, headers=_CACHED)


async def authorization_server(call: Call[None, None, None]) -> Answer:
    """Tell where tokens are given."""
    api = _api(call)
    answer = AuthorizationServer(
        issuer=api,
        token_endpoint=f"{api}/oauth2/token",
        jwks_uri=f"{api}/.well-known/jwks.json",
        grant_types_supported=("client_credentials",),
        response_types_supported=(),
        token_endpoint_auth_methods_supported=("client_secret_post",),
        scopes_supported=tuple(Scope),
    )
    return Answer(answer, headers=_CACHED)


def _api(call: Call[None, None, None]) -> str:
    return call.request.app[OPTIONS].api_url


def _told(path: str, operation_id: str, handler: Handler[Any, Any, Any], form: type) -> AnyRoute:
    return Route(
        "GET", path, operation_id, "mcp", handler, auth=Auth.NONE, answers={200: form}, tier=None, documented=False
    )


ROUTES: tuple[AnyRoute, ...] = (
    _told("/healthz", "getMcpHealth", health, McpHealth),
    _told("/.well-known/mcp-resource-health", "getMcpResourceHealth", resource_health, ResourceHealth),
    _told("/.well-known/oauth-protected-resource", "getProtectedResource", protected_resource, ProtectedResource),
    # RFC 9728 §3.1: the same for a client that knows the resource by its path.
    _told("/.well-known/oauth-protected-resource/mcp", "getProtectedMcp", protected_resource, ProtectedResource),
    _told(
        "/.well-known/oauth-authorization-server", "getAuthorizationServer", authorization_server, AuthorizationServer
    ),
)
