"""Who asks: found out once for each request, before it is counted, though a refusal waits for its turn.

Source: docs/reference/http.md, "Processing order".
"""

import hmac

import attrs
from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.services.authentication import AuthenticationService
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.bearer import token_of
from moltnet.entrypoints.rest.keys import RequestContext
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.tokens import BeforeRemoteCall

WEBHOOK_HEADER = "X-Ory-Api-Key"


@attrs.frozen
class Authentication:
    """What a request's token came to: a caller, nobody in particular, or an error that is not raised yet."""

    caller: Caller | Anonymous
    refusal: MoltNetError | None = None


def anonymous_authentication(context: RequestContext) -> Authentication:
    """A request whose token nobody looked at, or that has none: it is known by its address."""
    return Authentication(Anonymous(context.address))


async def authenticate(
    request: web.Request,
    context: RequestContext,
    authentication: AuthenticationService,
    before_remote_call: BeforeRemoteCall,
) -> Authentication:
    """Verifies the token of a request; raises what `before_remote_call` another service of it raises."""
    try:
        token = token_of(request.headers)
        if token is None:
            return anonymous_authentication(context)
        return Authentication(await authentication.authenticate(token, before_remote_call))
    except MoltNetError as error:
        return Authentication(Anonymous(context.address), error)


def authorize(context: RequestContext, route: AnyRoute, authentication: Authentication) -> Caller | Anonymous:
    """The caller, if the route is open to it.

    Raises what the token met; Unauthenticated for none where one is needed; MissingScope.
    """
    if authentication.refusal is not None:
        raise authentication.refusal
    if isinstance(authentication.caller, Caller):
        context.caller = authentication.caller
        authentication.caller.require(*route.scopes)
    elif route.auth is Auth.REQUIRED:
        raise Unauthenticated("Missing authorization header")
    return authentication.caller


def check_webhook_key(request: web.Request, expected: str | None) -> None:
    """Raises Unauthenticated for no key, and for a wrong one."""
    keys = request.headers.getall(WEBHOOK_HEADER, [])
    if len(keys) != 1 or not keys[0]:
        raise Unauthenticated("Missing webhook API key")
    sent_key = keys[0].encode("utf-8", "surrogateescape")
    if expected is None or not hmac.compare_digest(sent_key, expected.encode()):
        raise Unauthenticated("Invalid webhook API key")
