"""The one cookie of the console (RFC 6265; ADR-47): a random token, bound to this server and to nothing else."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from moltnet.domain.web_sessions import LIFETIME
from moltnet.entrypoints.web.routing import WEB_OPTIONS

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def token_of(request: web.Request) -> str | None:
    """The token that a browser shows; None for none, and for a text that nobody was given."""
    token = request.cookies.get(_name(request), "")
    return token if _TOKEN.fullmatch(token) else None


def set_token(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """Has the browser show this token from now on, in place of any other."""
    response.set_cookie(
        _name(request),
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        secure=_is_https(request),
        samesite="Strict",
    )


def is_own_origin(request: web.Request) -> bool:
    """Whether a request comes from a page of this very server, or from an address that somebody typed.

    Other sites that may speak to the REST interface may not do so with a session.
    """
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    is_fetched = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    if origin is not None:
        return urlsplit(origin).netloc == request.host
    return site in {"same-origin", "none"} or not is_fetched


def _is_https(request: web.Request) -> bool:
    return request.app[WEB_OPTIONS].urls.api_url.startswith("https:")


def _name(request: web.Request) -> str:
    # Browsers show a cookie to every port of a host: networks on one machine do not sign each other out.
    port = request.host.rpartition(":")[2]
    return "__Host-moltnet" if _is_https(request) else f"moltnet-{port if port.isdigit() else 80}"
