"""One server process: its sockets, and the REST application from ready to drained."""

import asyncio
import errno
import ipaddress
import resource
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import web

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.mcp.mount import mount_mcp
from moltnet.entrypoints.mcp.options import McpOptions
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.headers import LOOPBACK_NAMES, host_name
from moltnet.entrypoints.rest.listening import BACKLOG, listening_app
from moltnet.entrypoints.rest.options import ConnectionLimits, RestOptions, StreamLimits
from moltnet.entrypoints.settings import Settings
from moltnet.entrypoints.web.mount import mount_web
from moltnet.entrypoints.web.options import WebOptions

# Shorter than the time in which the process must end.
DRAIN_S = 5.0
SPARE_DESCRIPTORS = 256
# Files and sockets: enough for any number of clients that one process can serve; some systems set no hard limit.
ENOUGH = 65_536


class PortUnavailable(Unavailable):
    """The server cannot listen on the host and port."""

    code = "PORT_UNAVAILABLE"

    def __init__(self, host: str, port: int, reason: str, advice: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"Cannot listen on {host} port {port} ({reason}); {advice}")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortUnavailable."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason = "it is taken" if error.errno == errno.EADDRINUSE else "this user may not"
            raise PortUnavailable(host, port, reason, "choose another with --port, 0 for a free one") from error
        reason = str(error.strerror).partition(" (while")[0]  # the standard library repeats the address there
        raise PortUnavailable(host, port, reason, "choose an address of this machine with --host") from error


def address(listening: socket.socket) -> tuple[str, int]:
    """Host and port of a listening socket."""
    host, port = listening.getsockname()[:2]
    return host, port


def served_url(settings: Settings, listening: socket.socket) -> str:
    """The URL by which agents reach a server that listens on this socket."""
    host, port = address(listening)
    return settings.url(port, host)


async def serve(
    settings: Settings,
    listening: socket.socket,
    on_ready: Callable[[Services], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Serves until `stop` is set, then finishes the requests that have started. `on_ready` runs when it accepts.

    Raises:
        StorageLost: the database has ended for good; requests were finished as after `stop`.
    """
    limits = _connection_limits(settings)
    base_url = served_url(settings, listening)
    async with (
        network(settings, base_url) as services,
        listening_app(_app(settings, base_url, services, listening), listening, drain_s=DRAIN_S, limits=limits),
    ):
        await on_ready(services)
        await _until_stopped_or_lost(stop, services)


async def _until_stopped_or_lost(stop: asyncio.Event, services: Services) -> None:
    """Waits until `stop` is set; raises StorageLost when the database has ended for good."""
    stopping, lost = asyncio.create_task(stop.wait()), asyncio.create_task(services.readiness.lost())
    await asyncio.wait({stopping, lost}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if lost.done():
        raise lost.result()
    lost.cancel()


def _origin(url: str) -> str:
    """The origin of the network's own pages, which browsers send in their requests (RFC 6454 §6.2)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _app(settings: Settings, base_url: str, services: Services, listening: socket.socket) -> web.Application:
    options = RestOptions(
        cors_origins=settings.cors_origins | {_origin(base_url)},
        api_url=base_url,
        source_url=settings.source_url,
        trusted_proxies=settings.trusted_proxies,
        webhook_key=settings.ory_action_api_key if settings.ory else None,
        hosts=served_hosts(settings, base_url, address(listening)[0]),
        streams=StreamLimits(per_address=settings.streams_per_address),
    )
    app = create_app(services, options)
    mcp = McpOptions(urls=options.urls, session_secret=settings.mcp_session_secret, anonymous=settings.mcp_anonymous)
    mount_mcp(app, mcp)
    if settings.web:
        mount_web(app, WebOptions(urls=options.urls))
    return app


def served_hosts(settings: Settings, base_url: str, host: str) -> frozenset[str] | None:
    """The host names that a server on this address accepts; None, any, beyond loopback."""
    if not ipaddress.ip_address(host).is_loopback:
        return None
    names = host_name(f"[{host}]" if ":" in host else host), host_name(urlsplit(base_url).netloc.rpartition("@")[2])
    return LOOPBACK_NAMES | settings.allowed_hosts | frozenset(names) | frozenset(filter(None, [settings.mcp_alias]))


def _connection_limits(settings: Settings) -> ConnectionLimits:
    descriptors = raise_descriptor_limit()
    # The database, the model, the log and the workflows need descriptors too.
    total = min(settings.client_connections, max(descriptors - SPARE_DESCRIPTORS, descriptors // 2))
    return ConnectionLimits(total=total, per_address=settings.connections_per_address)


def raise_descriptor_limit() -> int:
    """Raises the soft limit of open files to the hard one, or to ENOUGH; returns the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    with suppress(OSError, ValueError):  # some systems have another limit of their own
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
