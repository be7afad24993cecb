"""One server process: sockets, signals, and the REST application between ready and drained."""

import asyncio
import errno
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.container import network
from moltnet.entrypoints.rest.app import RestOptions, create_app
from moltnet.entrypoints.settings import Settings

BACKLOG = 1024
KEEP_ALIVE_S = 72.0
DRAIN_S = 10.0


class PortUnavailable(Unavailable):
    """The server cannot listen where it was told to."""

    code = "PORT_UNAVAILABLE"

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port = host, port
        super().__init__(
            f"Cannot listen on {host} port {port} ({reason}); choose another with --port, 0 for a free one"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortUnavailable."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise PortUnavailable(host, port, "it is taken" if taken else str(error)) from error


def address(listening: socket.socket) -> tuple[str, int]:
    """Host and port of a listening socket."""
    host, port = listening.getsockname()[:2]
    return host, port


def log_to_stderr(level: int = logging.INFO) -> None:
    """Sends the log to standard error: warnings of libraries, and our own notes from `level` up."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("moltnet").setLevel(level)


async def serve(
    settings: Settings,
    listening: socket.socket,
    on_ready: Callable[[Services], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Serves until `stop` is set, then finishes the requests that have begun. `on_ready` runs when it accepts."""
    base_url = settings.url(address(listening)[1])
    async with network(settings, base_url) as services, _listening_app(settings, base_url, services, listening):
        await on_ready(services)
        await stop.wait()


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def _listening_app(
    settings: Settings, base_url: str, services: Services, listening: socket.socket
) -> AsyncIterator[None]:
    options = RestOptions(cors_origins=settings.cors_origins, api_url=base_url)
    runner = web.AppRunner(
        create_app(services, options), access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=DRAIN_S
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
