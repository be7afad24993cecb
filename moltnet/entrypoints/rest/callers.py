"""Who asks: found out once for each request, before it is counted, though a refusal waits for its turn.

Source: docs/reference/http.md, "Processing order".
"""

import hmac

import attrs
from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.services.authentication import AuthenticationService
from moltnet.entrypoints.rest.bearer import token_of
from moltnet.entrypoints.rest.keys import Visit
from moltnet.entrypoints.rest.routing import AnyRoute, Auth
from moltnet.ports.tokens import BeforeAsking

WEBHOOK_HEADER = "X-Ory-Api-Key"


@attrs.frozen
class Presented:
    """What a request's token came to: a caller, nobody in particular, or an error that is not raised yet."""

    caller: Caller | Anonymous
    refusal: MoltNetError | None = None


def nothing_presented(visit: Visit) -> Presented:
    """A request whose token nobody looked at, or that has none: it is known by its address."""
    return Presented(Anonymous(visit.address))


async def presented(
    request: web.Request, visit: Visit, authentication: AuthenticationService, before_asking: BeforeAsking
) -> Presented:
    """Verifies the token of a request; raises what `before_asking` another service of it raises."""
    try:
        token = token_of(request.headers)
        if token is None:
            return nothing_presented(visit)
        return Presented(await authentication.authenticate(token, before_asking))
    except MoltNetError as error:
        return Presented(Anonymous(visit.address), error)


def admitted(visit: Visit, route: AnyRoute, told: Presented) -> Caller | Anonymous:
    """The caller, if the route is open to it.

    Raises what the token met; Unauthenticated for none where one is needed; MissingScope.
    """
    if told.refusal is not None:
        raise told.refusal
    if isinstance(told.caller, Caller):
        visit.caller = told.caller
        told.caller.require(*route.scopes)
    elif route.auth is Auth.REQUIRED:
        raise Unauthenticated("Missing authorization header")
    return told.caller


def check_webhook_key(request: web.Request, expected: str | None) -> None:
    """Raises Unauthenticated for no key, and for a wrong one."""
    keys = request.headers.getall(WEBHOOK_HEADER, [])
    if len(keys) != 1 or not keys[0]:
        raise Unauthenticated("Missing webhook API key")
    given = keys[0].encode("utf-8", "surrogateescape")
    if expected is None or not hmac.compare_digest(given, expected.encode()):
        raise Unauthenticated("Invalid webhook API key")
