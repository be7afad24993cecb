"""Which sites' pages may speak to this server (docs/reference/http.md, "Cross-origin requests")."""

from collections.abc import Set as AbstractSet

from aiohttp import web
from multidict import CIMultiDict

from moltnet.entrypoints.rest.keys import RequestContext
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


class Origins:
    """Refuses pages of other sites; `allowed` are exact origins, `*` is not a wildcard."""

    def __init__(self, allowed: AbstractSet[str]) -> None:
        self._allowed = {origin: CIMultiDict(_ANY, **{"Access-Control-Allow-Origin": origin}) for origin in allowed}

    def check(self, request: web.Request, context: RequestContext) -> None:
        """Records what the answer tells about origins; raises ForeignOrigin."""
        origin = request.headers.get("Origin")
        if origin is None:
            context.origin_headers = _ANY
            return
        context.origin_headers = self._allowed.get(origin, _FOREIGN)
        if origin not in self._allowed:
            raise ForeignOrigin


def preflight_response(request: web.Request) -> web.Response:
    """What a browser is told that asks what it may ask; the origin has been checked."""
    if "Origin" not in request.headers or "Access-Control-Request-Method" not in request.headers:
        return web.Response(status=400, text="Invalid Preflight Request")
    return web.Response(status=204, headers=_PREFLIGHT)
