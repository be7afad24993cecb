"""Takes connections from a listening socket, serves an application on them, and answers malformed requests.

The standard library's own loop continues accepting when there are no descriptors left: up to a thousand lines in the
log for each attempt, and as many attempts a second later. This one rests.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from moltnet.entrypoints.rest.access_log import log_unreadable, new_request_id
from moltnet.entrypoints.rest.connections import OpenConnections
from moltnet.entrypoints.rest.headers import SECURITY_HEADERS
from moltnet.entrypoints.rest.options import LIFECYCLE, OPTIONS, ConnectionLimits
from moltnet.entrypoints.rest.problems import problem_answer
from moltnet.entrypoints.rest.refusals import HeaderTooLarge, MalformedMessage

BACKLOG = 1024
REST_S = 0.1
_AT_ONCE = 64
_GONE = frozenset({errno.ECONNABORTED, errno.EPERM, errno.EPROTO, errno.EINTR})

_LOG = logging.getLogger(__name__)


class Acceptor:
    """Hands connections to protocols from `start` to `close`."""

    def __init__(
        self,
        listening: socket.socket,
        connections: OpenConnections,
        protocol: Callable[[], web.RequestHandler],
        silence_s: float,
    ) -> None:
        self._listening, self._connections, self._protocol = listening, connections, protocol
        self._silence_ms = int(silence_s * 1000)
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None
        self._handing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins to accept."""
        self._listening.settimeout(0)
        self._listening.listen(BACKLOG)
        self._watch()

    def close(self) -> None:
        """Accepts those that have connected already, and no more; the socket is closed."""
        self._accept()
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _watch(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, peer = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in _GONE:
                    self._rest(error)
                    return
            else:
                self._admit(accepted, str(peer[0]) if peer else "")

    def _rest(self, error: OSError) -> None:
        # No descriptors or memory: an idle connection gives its own back, and the backlog waits a little.
        self._connections.close_idle()
        _LOG.warning("no connection can be accepted: %s", error.strerror)
        self._loop.remove_reader(self._listening)
        self._resting = self._loop.call_later(REST_S, self._watch)

    def _admit(self, accepted: socket.socket, address: str) -> None:
        if not self._connections.admits(address):
            accepted.close()
            return
        connection = self._protocol()
        self._connections.add(connection, address)
        task = self._loop.create_task(self._hand_over(accepted, connection))
        self._handing.add(task)
        task.add_done_callback(self._handing.discard)

    async def _hand_over(self, accepted: socket.socket, connection: web.RequestHandler) -> None:
        try:
            accepted.settimeout(0)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._silence_ms)
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
        except BaseException as error:
            self._connections.remove(connection)
            accepted.close()
            if not isinstance(error, OSError):  # else it was over before it began
                raise


# The endpoint says what became of a request. The library takes None for no log, but its signature forgot.
_NONE = cast("logging.Logger", None)
_STANDARD = ConnectionLimits()


@asynccontextmanager
async def listening_app(
    app: web.Application, listening: socket.socket, *, drain_s: float, limits: ConnectionLimits = _STANDARD
) -> AsyncIterator[None]:
    """Accepts connections until the context is left; what has started then has `drain_s` to end."""
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=limits.keep_alive_s, shutdown_timeout=drain_s)
    await runner.setup()
    connections = OpenConnections(limits, app[OPTIONS].trusted_proxies)

    def connected() -> web.RequestHandler:
        assert runner.server  # noqa: S101 - there is one until the cleanup
        return Connection(runner.server, connections, limits)

    try:
        acceptor = Acceptor(listening, connections, connected, limits.silence_s)
        acceptor.start()
        try:
            yield
        finally:
            app[LIFECYCLE].is_ending = True
            acceptor.close()
            await connections.wait_left(limits.leave_s)
    finally:
        await runner.cleanup()


class Connection(web.RequestHandler):
    """A client's connection, with a time for everything that the client does."""

    def __init__(self, server: web.Server, connections: OpenConnections, limits: ConnectionLimits) -> None:
        # Nothing that a client sends is unpacked, and nothing is read that no route asked for.
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.keep_alive_s,
            access_log=_NONE,
            auto_decompress=False,
            lingering_time=0,
        )
        self._connections, self._limits = connections, limits
        self._is_busy = False
        self._head_time: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._connections.mark_idle(self)
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends all that waits."""
        self._connections.remove(self)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what arrived: a head must come to its end in time; what follows it is its route's."""
        super().data_received(data)
        if self._messages:  # heads that are complete, and wait for their turn
            self._is_busy = True
            self._stop_waiting()
            self._connections.mark_busy(self)
        elif data and not self._is_busy and self._head_time is None:
            self._await_head()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends an answer; a client that does not take it is cut off."""
        try:
            async with asyncio.timeout(self._limits.answer_s):
                result, is_lost = await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                cast("asyncio.WriteTransport", self.transport).abort()
            return resp, True
        if not (is_lost or request.content.is_eof()):
            await self._take_leave()
        if not self._messages:
            self._is_busy = False
            self._connections.mark_idle(self)
        return result, is_lost

    async def _take_leave(self) -> None:
        # Closing while a client sends makes its system throw away what it has not read yet, our answer too. So our end
        # is closed first (RFC 9112 §9.6), and nothing is read: what the client still sends stays in its own machine.
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        cast("asyncio.ReadTransport", transport).pause_reading()
        cast("asyncio.WriteTransport", transport).write_eof()
        await asyncio.sleep(self._limits.farewell_s)
        self.force_close()

    def _await_head(self) -> None:
        self._head_time = asyncio.get_running_loop().call_later(self._limits.head_s, self.force_close)

    def _stop_waiting(self) -> None:
        if self._head_time is not None:
            self._head_time.cancel()
            self._head_time = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - it follows from the error
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what the client sent
    ) -> web.StreamResponse:
        """The problem of what cannot be read, or of what went wrong outside of a route; the connection ends with it."""
        if request.writer.output_size > 0 or self.transport is None:
            raise ConnectionError("the answer has begun, or nobody is there to read it")
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
