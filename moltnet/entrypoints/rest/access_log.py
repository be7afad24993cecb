"""Names each request and logs, in one line of JSON, what became of it.

The line holds no secret: the route's template instead of the target, so neither query, nor codes in a path; of an
unknown route, the path without its query. The logger is `moltnet.rest.access`; who runs the server gives it a handler.

Lines are written together, some twenty times a second: made one after another, they cost a third of what each costs
between two requests. A process that is killed loses the last `FLUSH_WITHIN_S` of them.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import TypeAlias

import attrs
from aiohttp import web
from aiohttp.web_urldispatcher import AbstractResource

from moltnet.entrypoints.rest.connections import Network, client_address
from moltnet.entrypoints.rest.json_text import escaped, to_json
from moltnet.entrypoints.rest.options import RequestContext
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

ACCESS_LOGGER = "moltnet.rest.access"
FLUSH_WITHIN_S = 0.05
LONGEST_PATH = 200

_LOG = logging.getLogger(ACCESS_LOGGER)
_RECORD = dict(vars(_LOG.makeRecord(ACCESS_LOGGER, logging.INFO, __file__, 0, "", (), None)))
# A name that can stand in a header and in a log line as it is.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}")


# Names need to differ, not to be hard to guess: one question to the system for each process, not for each request.
_NAMES = Random()  # noqa: S311 - no secret


@attrs.frozen
class Outcome:
    """What became of a request; an interrupted one has the status 0. `path` is stored for an unknown route alone."""

    context: RequestContext
    method: str
    resource: AbstractResource | None
    path: str
    status: int
    elapsed_s: float
    at: float
    trace: str = ""


Observer: TypeAlias = Callable[[RequestContext, str, str, int, float], None]
"""Takes a context, a method, a route (empty for an unknown one), a status, and how long it took, in seconds."""


class AccessLog:
    """The lines of one application that are still to be written."""

    def __init__(self, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._outcomes: list[Outcome] = []
        self._telemetry = telemetry
        self.observers: list[Observer] = []
        """Who else is told of each request as it ends."""

    def record(self, request: web.Request, context: RequestContext, status: int, elapsed_s: float) -> None:
        """Takes down what became of a request."""
        resource = request.match_info.route.resource
        for observe in self.observers:
            observe(context, request.method, resource.canonical if resource else "", status, elapsed_s)
        if not _LOG.isEnabledFor(logging.INFO):
            return
        path = "" if resource else request.path[:LONGEST_PATH]
        trace = self._telemetry.trace()
        if not self._outcomes:
            asyncio.get_running_loop().call_later(FLUSH_WITHIN_S, self.write)
        self._outcomes.append(Outcome(context, request.method, resource, path, status, elapsed_s, time.time(), trace))

    def write(self) -> None:
        """Logs what was taken down so far."""
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            # Every line is logged from the same place. Finding that out again is half of what one costs.
            record = logging.LogRecord.__new__(logging.LogRecord)
            members = {"msg": _line(outcome), "trace": outcome.trace}
            record.__dict__.update(_RECORD, **members, created=outcome.at, msecs=outcome.at % 1 * 1000)
            _LOG.handle(record)


ACCESS_LOG = web.AppKey("access_log", AccessLog)


def request_context(request: web.Request, trusted: Sequence[Network]) -> RequestContext:
    """The request's name and its client; proxies of these networks are trusted."""
    address = request.remote or ""
    if trusted:
        address = client_address(address, request.headers.getall("X-Forwarded-For", ()), trusted)
    return RequestContext(_request_id(request.headers.get("X-Request-ID", "")), address)


def log_unreadable(request_id: str, peer: str, status: int) -> None:
    """Logs what could not be read as a request; nothing of it is repeated."""
    _LOG.info('{"event":"unreadable","id":"%s","status":%d,"peer":%s}', request_id, status, _quoted(peer))


def new_request_id() -> str:
    """A name for a request that brings none."""
    return f"{_NAMES.getrandbits(128):032x}"


def _request_id(header: str) -> str:
    return header if header and _REQUEST_ID.fullmatch(header) else new_request_id()


def _line(outcome: Outcome) -> str:
    # Put together by hand: names of routes and peers repeat, and a request id needs no escapes.
    context, resource = outcome.context, outcome.resource
    location = f'"route":{_quoted(resource.canonical)}' if resource else f'"path":{_json(outcome.path)}'
    agent = f',"agent":"{context.caller.agent_id}"' if context.caller else ""
    trace = f',"trace_id":"{outcome.trace.partition("-")[0]}"' if outcome.trace else ""
    peer = _quoted(context.address)
    return (
        f'{{"event":"request","id":"{context.request_id}","method":{_quoted(outcome.method)},{location},'
        f'"status":{outcome.status},"ms":{round(outcome.elapsed_s * 1000, 2)}{agent}{trace},"peer":{peer}}}'
    )


def _json(text: str) -> str:
    return escaped(to_json(text).decode())


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return _json(text)
