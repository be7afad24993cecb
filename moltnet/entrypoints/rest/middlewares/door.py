"""The one middleware: what every request passes on its way to a route, and its answer on the way back."""

from collections.abc import Set as AbstractSet
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moltnet.entrypoints.rest.keys import VISIT
from moltnet.entrypoints.rest.middlewares.access import log_outcome, visit_of
from moltnet.entrypoints.rest.middlewares.origins import Origins, preflight_response
from moltnet.entrypoints.rest.middlewares.refusals import refusal_response, refuse_unreadable


def door(cors_origins: AbstractSet[str]) -> Middleware:
    """Lets in programs, and the pages of these sites."""
    origins = Origins(cors_origins)

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT] = visit_of(request)
        started, status = perf_counter(), 0
        try:
            refuse_unreadable(request)
            origins.check(request, visit)
            response = preflight_response(request) if request.method == "OPTIONS" else await handler(request)
            status = response.status
        except Exception as error:  # noqa: BLE001 - the last place that can still answer; it is logged there
            response = refusal_response(error, request)
            status = response.status
        finally:
            log_outcome(request, visit, status, perf_counter() - started)
        return response

    return enter
