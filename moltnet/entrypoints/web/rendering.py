"""Turns what a page's handler returns into an answer, and errors into pages that say what to do next."""

from http import HTTPStatus
from types import MappingProxyType

import jinja2
from aiohttp import web

from moltnet.domain.errors import MoltNetError
from moltnet.domain.services import Services
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.refusals import Refusal, UnknownRoute
from moltnet.entrypoints.web.routing import IS_PAGE, Html, PageRequest, PageRoute

# The policy allows nothing that is not a file of this server's own.
PAGE_HEADERS = MappingProxyType(
    {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';"
            "manifest-src 'self';form-action 'self';frame-ancestors 'none';base-uri 'none';"
            "require-trusted-types-for 'script';trusted-types 'none'"
        ),
        "Cache-Control": "no-cache",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "same-origin",
    }
)

_POLICY = "Content-Security-Policy"
# Of a page that has a script work beside it: it may name that script, and no other address.
WITH_WORKER = MappingProxyType(
    {_POLICY: PAGE_HEADERS[_POLICY].replace("trusted-types 'none'", "trusted-types moltnet-worker")}
)


def prefers_html(accept: str) -> bool:
    """Whether an Accept field (RFC 9110 §12.5.1) names HTML, and JSON not before it."""
    return _weight(accept, "text/html") > 0 and _weight(accept, "text/html") >= _weight(accept, "application/json")


def _weight(accept: str, media_type: str) -> float:
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name == media_type:
            weights = [each[2:] for each in parameters if each.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0


ENVIRONMENT = web.AppKey("web_environment", jinja2.Environment)
_TITLES = {
    404: "Nothing is here",
    429: "A little slower, please",
    502: "Something behind this server does not answer",
    503: "Something behind this server does not answer",
}


class PageEndpoint:
    """A page with its checks made; `handle` is what the router calls."""

    def __init__(self, route: PageRoute, services: Services) -> None:
        self._route, self._services = route, services

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The page; what it refuses is raised, and made a page by `error_page`."""
        request[IS_PAGE] = True
        asked = PageRequest(self._services, request)
        await asked.count(self._route.tier, self._route.act)
        answer = await self._route.handler(asked)
        if not isinstance(answer, Html):
            return answer
        text = await self._services.workers.run(lambda: render(request, answer), answer.size)
        return web.Response(status=answer.status, body=text, headers={**PAGE_HEADERS, **answer.headers})


def render(request: web.Request, page: Html) -> bytes:
    """The text of a page, in UTF-8."""
    template = request.app[ENVIRONMENT].get_template(page.template)
    return template.render(path=request.path, **page.values).encode("utf-8", "replace")


def error_page(request: web.Request, error: Exception, answer: web.Response) -> web.Response:
    """The page of an error, for a browser that asked for a page or for what does not exist; else the same answer."""
    is_unknown = isinstance(error, UnknownRoute | web.HTTPNotFound | web.HTTPMethodNotAllowed)
    if not (request.get(IS_PAGE) or is_unknown) or not prefers_html(request.headers.get("Accept", "")):
        return answer
    status = HTTPStatus(answer.status)
    values = {
        "status": answer.status,
        "title": _TITLES.get(answer.status, status.phrase),
        "detail": None if is_unknown else _detail(error, status),
        "request_id": request[REQUEST_CONTEXT].request_id,
    }
    headers = {**PAGE_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}
    if "Retry-After" in answer.headers:
        headers["Retry-After"] = answer.headers["Retry-After"]
    return web.Response(status=answer.status, body=render(request, Html("error.html", values)), headers=headers)


def _detail(error: Exception, status: int) -> str | None:
    # As in a problem document: what a fault of ours would say is for the log alone.
    is_disclosed = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return error.detail if is_disclosed and isinstance(error, MoltNetError | Refusal) else None
