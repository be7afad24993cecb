"""Counts a request before anything else is done with it, and refuses one too many (rest.md §0 and §4)."""

from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.services.throttling import ThrottlingService
from moltnet.entrypoints.rest.keys import Visit
from moltnet.entrypoints.rest.refusals import TooManyRequests
from moltnet.entrypoints.rest.routing import AnyRoute


async def throttle(
    request: web.Request, visit: Visit, route: AnyRoute, caller: Caller | Anonymous, throttling: ThrottlingService
) -> None:
    """Notes the caller's allowance for the answer's headers; raises TooManyRequests when it is used up."""
    if route.tier is None or (route.free_when_bare and request.raw_path == route.path):
        return
    allowance = visit.allowance = await throttling.count(route.tier, route.operation_id, caller, visit.address)
    if not allowance.allowed:
        raise TooManyRequests(allowance.reset_s)
