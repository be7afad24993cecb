"""The REST application: routes, middleware and headers put together around the use cases.

The one middleware is what every request passes on its way to a route, and its answer on the way back. Each request is
named and its client found out, its target is read and its origin checked, then it is the route's; whatever it meets
becomes an answer, which gets its headers and its line in the log. A foreign origin is refused before it is counted.
Counting is the route's own first act, since routes are counted apart.

A route runs from the path on (docs/reference/http.md, "Processing order").

1. path parameters short enough; 2. the request counted; 3. a webhook's key; 4. content type, size and text of the body;
5. path, body and query against their forms; 6. token and scopes; 7. the handler.
"""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moltnet.domain.services import Services
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.access_log import ACCESS_LOG, AccessLog, request_context
from moltnet.entrypoints.rest.authentication import (
    Authentication,
    anonymous_authentication,
    authenticate,
    authorize,
    check_webhook_key,
    count_of,
)
from moltnet.entrypoints.rest.bodies import (
    MAX_BODY_BYTES,
    UPLOADS,
    Uploads,
    form_text,
    read_body,
    read_json,
    refuse_encoded,
    size_of,
)
from moltnet.entrypoints.rest.headers import Origins, add_headers, preflight_response, refuse_unknown_host
from moltnet.entrypoints.rest.options import (
    ERROR_PAGES,
    LIFECYCLE,
    OPTIONS,
    REQUEST_CONTEXT,
    SERVICES,
    Lifecycle,
    RequestContext,
    RestOptions,
)
from moltnet.entrypoints.rest.problems import refusal_response, refuse_unreadable
from moltnet.entrypoints.rest.reference import REFERENCE, Reference
from moltnet.entrypoints.rest.refusals import BodyInterrupted, InvalidRequest, UnknownRoute
from moltnet.entrypoints.rest.request_parts import query_values
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call
from moltnet.entrypoints.rest.stream import STREAMS, OpenStreams
from moltnet.entrypoints.rest.tracing import request_observer, tracing_middleware
from moltnet.entrypoints.schema.convert import reader
from moltnet.entrypoints.schema.declare import Members
from moltnet.entrypoints.schema.validate import Refused, form_checker
from moltnet.ports.system import IS_AWAITED, Workers

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
        if status in _CLOSING or not request.content.is_eof() or request.app[LIFECYCLE].is_ending:
            # Rather than read on: a body is read by its route or not at all. At the end a client, or the proxy before
            # it, learns that its next request belongs to another connection (RFC 9112 §9.6).
            response.force_close()
        return response

    return enter


def _is_client_disconnect(error: Exception, request: web.Request) -> bool:
    # Its connection ended while it sent, or while something was sent to it: nobody's fault here, and nobody to answer.
    is_disconnected = not _is_connected(request)
    return isinstance(error, BodyInterrupted) or (is_disconnected and isinstance(error, ConnectionError))


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


LONGEST_PARAMETER = 100
_JSON = "application/json; charset=utf-8"


class Endpoint:
    """A route with its checks made; `handle` is what the router calls."""

    def __init__(self, route: AnyRoute, services: Services, options: RestOptions) -> None:
        self._route, self._services, self._options = route, services, options
        self._reads_token = route.auth in {Auth.REQUIRED, Auth.OPTIONAL}
        self._takes_body, self._takes_query = route.reads_body, route.query is not None
        self._params = _taker("params", route.params, lists_faults=route.lists_errors)
        self._body = _taker("body", route.body, lists_faults=route.lists_errors)
        self._query = _taker("querystring", route.query, lists_faults=route.lists_errors)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The route's answer; what it refuses is raised, unless the route renders refusals in a form of its own."""
        named, context = request.match_info, request[REQUEST_CONTEXT]
        if named:
            _refuse_long(named.values())
        count = count_of(request, context, self._route, self._services.throttling)
        if self._reads_token:
            authentication = await authenticate(request, context, self._services.authentication, count)
        else:
            authentication = anonymous_authentication(context)
        await count(authentication.caller)
        try:
            if self._route.auth is Auth.WEBHOOK:
                check_webhook_key(request, self._options.webhook_key)
            answer = await self._answer(request, context, authentication)
        except Exception as error:
            refusal = self._route.refusal_form(error) if self._route.refusal_form else None
            if refusal is None:
                raise
            answer = refusal
        return await json_response(answer, self._services.workers) if isinstance(answer, Answer) else answer

    async def _answer(
        self, request: web.Request, context: RequestContext, authentication: Authentication
    ) -> Answer | web.StreamResponse:
        value = await self._body_value(request) if self._takes_body else None
        params = self._params(request.match_info)
        body = await read_json(self._services.workers, lambda: self._body(value), size_of(value))
        query = self._query(query_values(request.rel_url.raw_query_string)) if self._takes_query else None
        caller = authorize(context, self._route, authentication)
        call = Call(services=self._services, caller=caller, params=params, body=body, query=query, request=request)
        return await self._route.handler(call)

    async def _body_value(self, request: web.Request) -> object:
        is_required = self._route.body is not None
        return await read_body(
            request,
            self._services.workers,
            max_bytes=MAX_BODY_BYTES,
            is_required=is_required,
            takes_forms=self._route.takes_forms,
        )


async def json_response(answer: Answer, workers: Workers) -> web.Response:
    """An answer as JSON text with its headers."""
    return web.Response(
        status=answer.status,
        body=await form_text(workers, answer.body),
        headers={"Content-Type": _JSON, **answer.headers},
    )


def _refuse_long(values: Iterable[str]) -> None:
    if any(len(value) > LONGEST_PARAMETER for value in values):
        raise UnknownRoute


def _taker(part: str, shape: Members | None, *, lists_faults: bool) -> Callable[[object], object]:
    if shape is None:
        return lambda _: None
    # Parts of an operation's input are put together first, and read then.
    check = form_checker(shape)
    read: Callable[[dict[str, object]], object] = dict if shape.is_part else reader(shape.form)

    def take(value: object) -> object:
        try:
            values = check(value)
        except Refused as refused:
            raise InvalidRequest(part, refused.faults, lists_faults=lists_faults) from None
        return read(values)

    return take


def create_app(
    services: Services, options: RestOptions | None = None, routes: Iterable[AnyRoute] = ROUTES
) -> web.Application:
    """An application that serves these routes over these services; anyone who runs it starts and stops it.

    Webhooks are served only where there is a key for them.
    """
    chosen = options or RestOptions()
    table = tuple(route for route in routes if chosen.webhook_key or route.auth is not Auth.WEBHOOK)
    log = AccessLog(services.telemetry)
    middlewares = [request_middleware(chosen, log)]
    if services.telemetry.is_on:
        middlewares.insert(0, tracing_middleware(services.telemetry))
        log.observers.append(request_observer(services.telemetry))
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
    app[SERVICES] = services
    app[ACCESS_LOG] = log
    app[OPTIONS] = chosen
    app[LIFECYCLE] = Lifecycle()
    app[STREAMS] = streams = OpenStreams(chosen.streams)
    app.on_shutdown.append(streams.end_all)
    app[UPLOADS] = Uploads(chosen.bodies)
    app[REFERENCE] = Reference(table, chosen.api_url)
    app.on_response_prepare.append(add_headers)

    async def write_last_lines(_: web.Application) -> None:
        log.write()

    app.on_cleanup.append(write_last_lines)
    for route in table:
        add_route(app, route)
    return app


def add_route(app: web.Application, route: AnyRoute) -> None:
    """Serves a route; every GET also answers HEAD."""
    handle = Endpoint(route, app[SERVICES], app[OPTIONS]).handle
    for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
        app.router.add_route(method, route.path, handle)
