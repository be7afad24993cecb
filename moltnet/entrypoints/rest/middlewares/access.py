"""Names each request and tells the log, in one line of JSON, what became of it.

The line holds no secret: the route's template instead of the target, so neither query, nor codes in a path; of an
unknown route, the path without its query. The logger is `moltnet.rest.access`; who runs the server gives it a handler.
"""

import logging
import re
from secrets import token_hex
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler

from moltnet.entrypoints.rest.clients import client_address
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.keys import CALLER, CLIENT_ADDRESS, OPTIONS, REQUEST_ID

ACCESS_LOGGER = "moltnet.rest.access"
LONGEST_PATH = 200

_LOG = logging.getLogger(ACCESS_LOGGER)
# A name that can stand in a header and in a log line as it is.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Names the request and its client, and logs the outcome, an interrupted one included (status 0)."""
    request[REQUEST_ID] = _request_id(request.headers.get("X-Request-ID", ""))
    request[CLIENT_ADDRESS] = _client_address(request)
    if not _LOG.isEnabledFor(logging.INFO):
        return await handler(request)
    started, status = perf_counter(), 0
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        _LOG.info("%s", _line(request, status, perf_counter() - started))


def _request_id(given: str) -> str:
    return given if _REQUEST_ID.fullmatch(given) else token_hex(16)


def _client_address(request: web.Request) -> str:
    forwarded = request.headers.getall("X-Forwarded-For", ())
    return client_address(request.remote or "", forwarded, request.app[OPTIONS].trusted_proxies)


def _line(request: web.Request, status: int, elapsed_s: float) -> str:
    resource, caller = request.match_info.route.resource, request.get(CALLER)
    line = {
        "event": "request",
        "id": request[REQUEST_ID],
        "method": request.method,
        "route": resource.canonical if resource else None,
        "path": None if resource else request.path[:LONGEST_PATH],
        "status": status,
        "ms": round(elapsed_s * 1000, 2),
        "agent": str(caller.agent_id) if caller else None,
        "peer": request[CLIENT_ADDRESS],
    }
    return to_json({name: value for name, value in line.items() if value is not None}).decode()
