"""Each request as a span in its client's trace, and as a number; wired only where telemetry is on."""

from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from moltnet.entrypoints.rest.access_log import Observer
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT, RequestContext
from moltnet.ports.telemetry import ACTIVE_REQUESTS, REQUEST_DURATION, Attributes, SpanKind, Telemetry

# A client may send any other word as a method; each would be a series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "_OTHER"


def tracing_middleware(telemetry: Telemetry) -> Middleware:
    """Traces what all the other middleware does, in the trace that the request names (W3C Trace Context)."""
    active = 0
    telemetry.observe(ACTIVE_REQUESTS, lambda: [({}, active)])

    @web.middleware
    async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal active
        method, resource = _known(request.method), request.match_info.route.resource
        route = resource.canonical if resource else ""
        attributes: Attributes = {"http.request.method": method, "http.route": route}
        active += 1
        try:
            with telemetry.continued(request.headers, f"{method} {route}".strip(), attributes, SpanKind.SERVER) as span:
                response = await handler(request)
                span.set({"http.response.status_code": response.status})
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    span.fail(str(response.status))
                caller = request[REQUEST_CONTEXT].caller
                if caller is not None:
                    span.set({"enduser.id": str(caller.agent_id)})
                return response
        finally:
            active -= 1

    return trace


def request_observer(telemetry: Telemetry) -> Observer:
    """Measures every request that the access log is told of; a stream only ends, it does not answer."""

    def observe(_: RequestContext, method: str, route: str, status: int, elapsed_s: float) -> None:
        if not route.endswith("/stream"):
            attributes: Attributes = {
                "http.request.method": _known(method),
                "http.route": route,
                "http.response.status_code": status,
            }
            telemetry.measure(REQUEST_DURATION, elapsed_s, attributes)

    return observe


def _known(method: str) -> str:
    return method if method in _METHODS else OTHER
