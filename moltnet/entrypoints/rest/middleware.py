"""The one middleware: what every request passes on its way to a route, and its answer on the way back.

Each request is named and its client found out, its target is read and its origin checked, then it is the route's;
whatever it meets becomes an answer, which gets its headers and its line in the log. A foreign origin is refused before
it is counted. Counting is the route's own first act, since routes are counted apart; a throttled request is refused
before its body is read (docs/reference/http.md, "Processing order").
"""

from functools import partial
from http import HTTPStatus
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moltnet.entrypoints.rest.access_log import AccessLog, request_context
from moltnet.entrypoints.rest.bodies import refuse_encoded
from moltnet.entrypoints.rest.headers import Origins, preflight_response, refuse_unknown_host
from moltnet.entrypoints.rest.options import ERROR_PAGES, REQUEST_CONTEXT, RequestContext, RestOptions
from moltnet.entrypoints.rest.problems import refusal_response, refuse_unreadable
from moltnet.entrypoints.rest.refusals import BodyInterrupted
from moltnet.ports.system import IS_AWAITED

# After these there is a body that nobody reads, or none that could be told from the next request.
_CLOSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
)
_INTERRUPTED = 0


def request_middleware(options: RestOptions, log: AccessLog) -> Middleware:
    """Lets in programs, and the pages of named sites; what became of each request is recorded in the log."""
    origins, trusted = Origins(options.cors_origins), options.trusted_proxies

    def check(request: web.Request, context: RequestContext) -> None:
        refuse_unreadable(request)
        origins.check(request, context)
        if options.hosts is not None:
            refuse_unknown_host(request, options.hosts)
        refuse_encoded(request)

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        context = request[REQUEST_CONTEXT] = request_context(request, trusted)
        started, status = perf_counter(), _INTERRUPTED
        before = IS_AWAITED.set(partial(_is_connected, request))
        try:
            check(request, context)
            response = preflight_response(request) if request.method == "OPTIONS" else await handler(request)
            status = response.status
        except Exception as error:  # noqa: BLE001 - the last place that can still answer; it is logged there
            if _is_client_disconnect(error, request):
                response = web.Response(status=HTTPStatus.BAD_REQUEST)  # goes nowhere
            else:
                response = refusal_response(error, request)
                if ERROR_PAGES in request.app:
                    response = request.app[ERROR_PAGES].answer(request, error, response)
                status = response.status
        finally:
            IS_AWAITED.reset(before)
            log.record(request, context, status, perf_counter() - started)
        if status in _CLOSING or not request.content.is_eof():
            response.force_close()  # rather than read on: a body is read by its route or not at all
        return response

    return enter


def _is_client_disconnect(error: Exception, request: web.Request) -> bool:
    # Its connection ended while it sent, or while something was sent to it: nobody's fault here, and nobody to answer.
    is_disconnected = not _is_connected(request)
    return isinstance(error, BodyInterrupted) or (is_disconnected and isinstance(error, ConnectionError))


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()
