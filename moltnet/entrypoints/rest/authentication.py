"""Who asks, and whether they asked too often: before anything else is done with a request.

The caller is found out once for each request, before it is counted, though a refusal waits for its turn.

Source: docs/reference/http.md, "Processing order" and "Rate limits".
"""

import hmac

import attrs
from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller, Tier, asker_of
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.services.credentials import AuthenticationService
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.options import RequestContext
from moltnet.entrypoints.rest.refusals import TooManyRequests
from moltnet.entrypoints.rest.request_parts import token_of
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.identity import BeforeRemoteCall

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
        caller = await authentication.authenticate(token, before_remote_call)
        return Authentication(attrs.evolve(caller, address=context.address))
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


class RequestCount:
    """Counts one request, once for each asker.

    Mostly that is who is found to ask. Where another service has to be asked who that is, the request is counted first:
    for whom its token stood lately, else for its address. So a token that nobody knows costs its address an allowance
    even if it turns out to be good, and no more than that address has left are ever asked about.
    """

    def __init__(self, tier: Tier | None, act: str, context: RequestContext, throttling: ThrottlingService) -> None:
        self._tier, self._act, self._context, self._throttling = tier, act, context, throttling
        self._askers: set[str] = set()

    async def __call__(self, caller: Caller | Anonymous) -> None:
        """Records the allowance for the answer's headers; raises TooManyRequests when it is used up."""
        asker = asker_of(caller, self._context.address)
        if self._tier is None or asker in self._askers:
            return
        self._askers.add(asker)
        allowance = await self._throttling.count(self._tier, self._act, caller, self._context.address)
        self._context.allowance = allowance
        if not allowance.allowed:
            raise TooManyRequests(allowance.reset_s)


def count_of(
    request: web.Request, context: RequestContext, route: AnyRoute, throttling: ThrottlingService
) -> RequestCount:
    """What counts a request to a route; some are free."""
    is_free = route.free_when_bare and request.raw_path == route.path
    return RequestCount(None if is_free else route.tier, route.operation_id, context, throttling)
