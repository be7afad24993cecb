"""Takes connections from a listening socket.

The standard library's own loop continues accepting when there are no descriptors left: up to a thousand lines in the
log for each attempt, and as many attempts a second later. This one rests.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from aiohttp import web

from moltnet.entrypoints.rest.connections import OpenConnections

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
        """Accepts no more; the socket is closed."""
        if self._resting is not None:
            self._resting.cancel()
        self._loop.remove_reader(self._listening)
        for task in self._handing:
            task.cancel()
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
