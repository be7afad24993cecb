"""Serves an application on a socket, and answers what is no HTTP: there is no request yet for a middleware to see."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from moltnet.entrypoints.rest.middlewares.access import log_unreadable, new_request_id
from moltnet.entrypoints.rest.middlewares.headers import SECURITY_HEADERS
from moltnet.entrypoints.rest.problems import problem_answer
from moltnet.entrypoints.rest.refusals import HeaderTooLarge, MalformedMessage

BACKLOG = 1024

# The door tells what became of a request. The library takes None for no log, but its signature forgot.
_NONE = cast("logging.Logger", None)
_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def listening_app(
    app: web.Application, listening: socket.socket, *, keep_alive_s: float, drain_s: float
) -> AsyncIterator[None]:
    """Accepts connections until the context is left; what has begun then has `drain_s` to end."""
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=keep_alive_s, shutdown_timeout=drain_s)
    await runner.setup()
    loop = asyncio.get_running_loop()

    def connected() -> web.RequestHandler:
        assert runner.server  # noqa: S101 - there is one until the cleanup
        return Connection(runner.server, loop=loop, keepalive_timeout=keep_alive_s, access_log=_NONE)

    try:
        accepting = await loop.create_server(connected, sock=listening, backlog=BACKLOG)
        try:
            yield
        finally:
            accepting.close()
    finally:
        await runner.cleanup()


class Connection(web.RequestHandler):
    """A client's connection."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - it follows from the error
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what the client sent
    ) -> web.StreamResponse:
        """The problem of what cannot be read, or of what went wrong outside of a route; the connection ends with it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        request_id = new_request_id()
        if isinstance(exc, HttpProcessingError):
            error: Exception = HeaderTooLarge() if isinstance(exc, LineTooLong) else MalformedMessage()
        else:
            error = RuntimeError()
            _LOG.error("%s: unexpected error", request_id, exc_info=exc)
        answer = problem_answer(error, "/")
        answer.headers.update(SECURITY_HEADERS)
        # The library would name itself and its version.
        answer.headers.update({"X-Request-ID": request_id, "Server": "moltnet"})
        answer.force_close()
        log_unreadable(request_id, request.remote or "", answer.status)
        return answer
