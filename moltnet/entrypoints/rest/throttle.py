"""Counts a request before anything else is done with it, and refuses one too many.

Source: docs/reference/http.md, "Rate limits".
"""

from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.limits import Tier, asker_of
from moltnet.domain.services.throttling import ThrottlingService
from moltnet.entrypoints.rest.keys import RequestContext
from moltnet.entrypoints.rest.refusals import TooManyRequests
from moltnet.entrypoints.rest.routing import AnyRoute


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
