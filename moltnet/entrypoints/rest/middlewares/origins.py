"""Which sites' pages may speak to this server (Fetch standard, CORS protocol; rest.md §5)."""

from collections.abc import Set as AbstractSet

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from moltnet.entrypoints.rest.keys import ORIGIN_HEADERS
from moltnet.entrypoints.rest.refusals import ForeignOrigin

_ANY = CIMultiDict(
    {
        "Vary": "Origin",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": (
            "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"
        ),
    }
)
_FOREIGN = CIMultiDict({"Vary": "Origin"})
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Request-ID, X-Correlation-ID",
    "Access-Control-Max-Age": "3600",
}


def origins(allowed: AbstractSet[str]) -> Middleware:
    """Refuses pages of other sites and answers preflights; `allowed` are exact origins, `*` is no wildcard."""

    @web.middleware
    async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        request[ORIGIN_HEADERS] = _ANY if origin is None else _FOREIGN
        if origin is not None:
            if origin not in allowed:
                raise ForeignOrigin
            request[ORIGIN_HEADERS] = CIMultiDict(_ANY, **{"Access-Control-Allow-Origin": origin})
        return _preflight(request) if request.method == "OPTIONS" else await handler(request)

    return check_origin


def _preflight(request: web.Request) -> web.Response:
    if "Origin" not in request.headers or "Access-Control-Request-Method" not in request.headers:
        return web.Response(status=400, text="Invalid Preflight Request")
    return web.Response(status=204, headers=_PREFLIGHT)
