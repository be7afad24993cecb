"""Names each request and tells the log, in one line of JSON, what became of it.

The line holds no secret: the route's template instead of the target, so neither query, nor codes in a path; of an
unknown route, the path without its query. The logger is `moltnet.rest.access`; who runs the server gives it a handler.
"""

import logging
import re
from functools import lru_cache
from random import Random

from aiohttp import web

from moltnet.entrypoints.rest.clients import client_address
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.keys import OPTIONS, Visit

ACCESS_LOGGER = "moltnet.rest.access"
LONGEST_PATH = 200

_LOG = logging.getLogger(ACCESS_LOGGER)
# A name that can stand in a header and in a log line as it is.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")


# Names need to differ, not to be hard to guess: one question to the system for each process, not for each request.
_NAMES = Random()  # noqa: S311 - no secret


def visit_of(request: web.Request) -> Visit:
    """The request's name and its client."""
    return Visit(_request_id(request.headers.get("X-Request-ID", "")), _client_address(request))


def log_outcome(request: web.Request, visit: Visit, status: int, elapsed_s: float) -> None:
    """Tells the log what became of a request, an interrupted one included (status 0)."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    line = _line(request, visit, status, elapsed_s)
    # Not by `info`, which walks the stack for the place that called it: a third of what a line costs, for nothing.
    _LOG.handle(_LOG.makeRecord(_LOG.name, logging.INFO, __file__, 0, line, (), None))


def log_unreadable(request_id: str, peer: str, status: int) -> None:
    """Tells the log of what could not be read as a request; nothing of it is repeated."""
    _LOG.info('{"event":"unreadable","id":"%s","status":%d,"peer":%s}', request_id, status, _quoted(peer))


def new_request_id() -> str:
    """A name for a request that brings none."""
    return f"{_NAMES.getrandbits(128):032x}"


def _request_id(given: str) -> str:
    return given if given and _REQUEST_ID.fullmatch(given) else new_request_id()


def _client_address(request: web.Request) -> str:
    peer, trusted = request.remote or "", request.app[OPTIONS].trusted_proxies
    return client_address(peer, request.headers.getall("X-Forwarded-For", ()), trusted) if trusted else peer


def _line(request: web.Request, visit: Visit, status: int, elapsed_s: float) -> str:
    # Put together by hand: names of routes, agents and peers repeat, and a request id needs no escapes.
    resource, caller = request.match_info.route.resource, visit.caller
    place = f'"route":{_quoted(resource.canonical)}' if resource else f'"path":{_json(request.path[:LONGEST_PATH])}'
    agent = f',"agent":"{caller.agent_id}"' if caller else ""
    return (
        f'{{"event":"request","id":"{visit.request_id}","method":{_quoted(request.method)},{place},'
        f'"status":{status},"ms":{round(elapsed_s * 1000, 2)}{agent},"peer":{_quoted(visit.address)}}}'
    )


def _json(text: str) -> str:
    return to_json(text).decode()


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return _json(text)
