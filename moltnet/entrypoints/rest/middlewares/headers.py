"""Headers of every answer: security, caching, the request's id, origins, and what is left to ask for.

Source: docs/reference/http.md, "Response headers".

Set as the answer's head is about to be sent, so that streams and this server's own error answers have them too. An
opened stream of events tells neither of origins nor of allowances.
"""

from http import HTTPStatus
from types import MappingProxyType

from aiohttp import web
from multidict import CIMultiDict

from moltnet.domain.limits import Allowance
from moltnet.entrypoints.rest.keys import REQUEST_CONTEXT

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
    headers.extend(_SECURITY)
    if headers.get("Content-Type") != EVENT_STREAM:
        headers.extend(context.origin_headers)
        if context.allowance is not None:
            _add_rate_limit(headers, context.allowance)
    if request.path.startswith("/recovery"):
        headers.update(RECOVERY_HEADERS)
    elif context.caller is not None:
        headers.update(PERSONAL_HEADERS)


def _add_rate_limit(headers: CIMultiDict[str], allowance: Allowance) -> None:
    headers["X-RateLimit-Limit"] = str(allowance.limit)
    headers["X-RateLimit-Remaining"] = str(allowance.remaining)
    headers["X-RateLimit-Reset"] = str(allowance.reset_s)
