"""The one middleware: what every request passes on its way to a route, and its answer on the way back."""

from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moltnet.entrypoints.rest.keys import VISIT
from moltnet.entrypoints.rest.middlewares.access import AccessLog, visit_of
from moltnet.entrypoints.rest.middlewares.origins import Origins, preflight_response
from moltnet.entrypoints.rest.middlewares.refusals import refusal_response, refuse_unreadable
from moltnet.entrypoints.rest.options import RestOptions


def door(options: RestOptions, log: AccessLog) -> Middleware:
    """Lets in programs, and the pages of named sites; what became of each request is noted in the log."""
    origins, trusted = Origins(options.cors_origins), options.trusted_proxies

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        visit = request[VISIT] = visit_of(request, trusted)
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
            log.note(request, visit, status, perf_counter() - started)
        return response

    return enter
