"""Which host names and sites a server answers to, and the headers of every answer.

No other machine reaches a server on loopback, but a browser on the same machine does: a page of any site can have its
own name resolve to 127.0.0.1, and is then of the server's own origin (DNS rebinding). The name it uses is in Host.

Headers are set as the answer's head is about to be sent, so that streams and this server's own error answers have them
too. An opened stream of events tells neither of origins nor of allowances.

Source: docs/reference/http.md, "Cross-origin requests" and "Response headers".
"""

from collections.abc import Set as AbstractSet
from http import HTTPStatus
from types import MappingProxyType

from aiohttp import web
from multidict import CIMultiDict

from moltnet.domain.caller import Allowance
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT, RequestContext
from moltnet.entrypoints.rest.refusals import ForeignOrigin, MisdirectedRequest

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def refuse_unknown_host(request: web.Request, known: AbstractSet[str]) -> None:
    """Raises MisdirectedRequest for a Host that is not among the known; who sends none is not a browser."""
    if not all(host_name(host) in known for host in request.headers.getall("Host", ())):
        raise MisdirectedRequest


def host_name(authority: str) -> str:
    """The name in a Host field, without its port; an IPv6 address has its brackets (RFC 9110 §7.2)."""
    text = authority.strip().lower()
    name, bracket, _ = text.partition("]")
    return name + bracket if bracket else text.partition(":")[0].rstrip(".")


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


SECURITY_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data: https:;"
            "font-src 'self';object-src 'none';frame-ancestors 'none';form-action 'self';upgrade-insecure-requests;"
            "base-uri 'self';script-src-attr 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Origin-Agent-Cluster": "?1",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
        "X-Download-Options": "noopen",
        "X-Frame-Options": "DENY",
        "X-Permitted-Cross-Domain-Policies": "none",
        "X-XSS-Protection": "0",
    }
)
RECOVERY_HEADERS = MappingProxyType(
    {"Cache-Control": "no-store, no-cache, must-revalidate, private", "Pragma": "no-cache", "Expires": "0"}
)
PERSONAL_HEADERS = MappingProxyType({"Cache-Control": "no-store, no-cache, must-revalidate", "Pragma": "no-cache"})

EVENT_STREAM = "text/event-stream"

_SECURITY = CIMultiDict(SECURITY_HEADERS)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Completes an answer's headers; no software is named in them."""
    headers, context = response.headers, request.get(REQUEST_CONTEXT)
    headers.popall("Server", None)
    if context is None:
        return  # Refused before it came in: an expectation nobody can meet.
    headers["X-Request-ID"] = context.request_id
    if context.origin_headers is None:
        return  # An unreadable target.
    if response.status == HTTPStatus.NO_CONTENT:
        headers["Content-Length"] = "0"  # RFC 9110 §8.6 would rather not; the wire has it.
    # A page has a policy of its own.
    headers.extend(_SECURITY if "Content-Security-Policy" not in headers else _missing(headers))
    if headers.get("Content-Type") != EVENT_STREAM:
        headers.extend(context.origin_headers)
        if context.allowance is not None:
            _add_rate_limit(headers, context.allowance)
    if request.path.startswith("/recovery"):
        headers.update(RECOVERY_HEADERS)
    elif context.caller is not None:
        headers.update(PERSONAL_HEADERS)


def _missing(headers: CIMultiDict[str]) -> dict[str, str]:
    return {name: value for name, value in SECURITY_HEADERS.items() if name not in headers}


def _add_rate_limit(headers: CIMultiDict[str], allowance: Allowance) -> None:
    headers["X-RateLimit-Limit"] = str(allowance.limit)
    headers["X-RateLimit-Remaining"] = str(allowance.remaining)
    headers["X-RateLimit-Reset"] = str(allowance.reset_s)
