"""One server process, from its sockets to the drained application; and several on one port.

A supervisor listens and starts workers, which accept connections from the socket they inherit. A worker that dies is
replaced. When the supervisor ends, in whatever way, a pipe to its workers closes, and they drain.
"""

import asyncio
import errno
import ipaddress
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import attrs
from aiohttp import web

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import WORKER_ENDS_WITHIN_S, Ending, end_at_once
from moltnet.entrypoints.cli.logs import logged_by
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.databases import migrate as migrate_database
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.telemetry import telemetry_of
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.headers import LOOPBACK_NAMES, host_name
from moltnet.entrypoints.rest.listening import BACKLOG, listening_app
from moltnet.entrypoints.rest.options import ConnectionLimits, RestOptions, StreamLimits
from moltnet.entrypoints.settings import Settings
from moltnet.entrypoints.web.mount import mount_web
from moltnet.entrypoints.web.routing import WebOptions

# Shorter than the time in which the process must end.
DRAIN_S = 5.0
SPARE_DESCRIPTORS = 256
ACTIVATED_FD = 3  # sd_listen_fds(3): the first descriptor of those that a service manager passes on
# Files and sockets: enough for any number of clients that one process can serve; some systems set no hard limit.
ENOUGH = 65_536


class PortUnavailable(Unavailable):
    """The server cannot listen on the host and port."""

    code = "PORT_UNAVAILABLE"

    def __init__(self, host: str, port: int, reason: str, advice: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"Cannot listen on {host} port {port} ({reason}); {advice}")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: the one that systemd listens on already, else a new one; port 0 takes a free one.

    Raises PortUnavailable.
    """
    if os.environ.pop("LISTEN_PID", None) == str(os.getpid()) and int(os.environ.pop("LISTEN_FDS", "0")) > 0:
        return socket.socket(fileno=ACTIVATED_FD)
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
    settings: Settings, listening: socket.socket, on_ready: Callable[[Services], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Serves until `stop` is set, then finishes the requests that have started. `on_ready` runs when it accepts.

    Raises:
        StorageLost: the database has ended for good; requests were finished as after `stop`.
    """
    limits = _connection_limits(settings)
    base_url = served_url(settings, listening)
    with telemetry_of(settings.telemetry) as telemetry, logged_by(telemetry):
        async with (
            network(settings, base_url, telemetry=telemetry) as services,
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


def _own_origins(base_url: str, listening: socket.socket) -> frozenset[str]:
    """By which origins browsers know the network's own pages: its address, and on loopback each name of the machine."""
    host, port = address(listening)
    names = LOOPBACK_NAMES if ipaddress.ip_address(host).is_loopback else ()
    return frozenset({_origin(base_url), *(f"http://{name}:{port}" for name in names)})


def _is_operators_machine(settings: Settings, listening: socket.socket) -> bool:
    """Whether only people at this machine reach the server: on loopback, and nothing lets others through."""
    is_passed_on = settings.public_url or settings.allowed_hosts or settings.trusted_proxies or settings.database_url
    return ipaddress.ip_address(address(listening)[0]).is_loopback and not is_passed_on


def _app(settings: Settings, base_url: str, services: Services, listening: socket.socket) -> web.Application:
    options = RestOptions(
        cors_origins=settings.cors_origins | _own_origins(base_url, listening),
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
        mount_web(
            app,
            WebOptions(
                urls=options.urls,
                operator_token=settings.operator_token,
                is_operators_machine=_is_operators_machine(settings, listening),
            ),
        )
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


READY = b"r"
# A worker ends by itself earlier.
STOP_WITHIN_S = WORKER_ENDS_WITHIN_S + 0.5


class WorkerFailed(Unavailable):
    """A worker ended before it was ready; what it wrote to standard error says why."""

    code = "WORKER_FAILED"
    sentence = "A server process could not start; its own message is above"


@attrs.frozen
class _Pipes:
    """`ready`: workers write to it when they accept. `alive`: closed when the supervisor has ended."""

    ready: tuple[int, int]
    alive: tuple[int, int]

    @classmethod
    def open(cls) -> "_Pipes":
        return cls(os.pipe(), os.pipe())

    def close(self) -> None:
        for descriptor in (*self.ready, *self.alive):
            os.close(descriptor)


async def supervise(
    settings: Settings, listening: socket.socket, count: int, on_ready: Callable[[], None], ending: Ending
) -> None:
    """Runs `count` workers until `ending` is asked; `on_ready` is called when all of them accept."""
    with database(settings):
        await migrate_database(settings)
        ending.started()
        pipes = _Pipes.open()
        try:
            await _run_workers(_Pool(settings, listening, pipes), count, on_ready, ending.asked)
        finally:
            pipes.close()


async def work(settings: Settings, listening: socket.socket, ready: int, alive: int) -> None:
    """Runs one worker: it serves until a signal, or until the supervisor has ended."""
    ending = Ending.on_signals()
    loop = asyncio.get_running_loop()

    def on_supervisor_ended() -> None:
        loop.remove_reader(alive)  # a closed pipe stays readable
        if ending.asked.is_set():
            end_at_once(0)  # a second signal ended the supervisor
        signal.raise_signal(signal.SIGTERM)

    async def announce(_: Services) -> None:
        ending.started()
        os.write(ready, READY)

    loop.add_reader(alive, on_supervisor_ended)
    await serve(settings, listening, announce, ending.asked)


@attrs.frozen
class _Pool:
    settings: Settings
    listening: socket.socket
    pipes: _Pipes

    async def start(self) -> asyncio.subprocess.Process:
        descriptors = (self.listening.fileno(), self.pipes.ready[1], self.pipes.alive[0])
        named = zip(("--socket", "--ready", "--alive"), map(str, descriptors), strict=True)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "moltnet", "worker", "--data", str(self.settings.data_dir)),
            *(word for pair in named for word in pair),
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C on a terminal reaches the supervisor alone, which signals the workers
        )


async def _run_workers(pool: _Pool, count: int, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
    serving = asyncio.Event()
    stopping = asyncio.create_task(stop.wait())
    workers = [asyncio.create_task(_run_worker(pool, serving, stop)) for _ in range(count)]
    all_ready = asyncio.create_task(_wait_ready(pool.pipes.ready[0], count))
    try:
        await asyncio.wait([all_ready, stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
        if all_ready.done():
            serving.set()
            on_ready()
        await asyncio.wait([stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        all_ready.cancel()
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
        await asyncio.gather(stopping, all_ready, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _run_worker(pool: _Pool, serving: asyncio.Event, stop: asyncio.Event) -> None:
    """Runs a worker, and another one when it dies, until `stop` is set."""
    while not stop.is_set():
        await _until_ended(await pool.start(), stop)
        if not stop.is_set() and not serving.is_set():
            raise WorkerFailed  # it never served: another one would end in the same way


async def _until_ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    ended = asyncio.create_task(process.wait())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not ended.done():
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), STOP_WITHIN_S)
    if not ended.done():
        process.kill()
    await ended


async def _wait_ready(descriptor: int, count: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(count):
        readable = loop.create_future()
        loop.add_reader(descriptor, readable.set_result, None)
        try:
            await readable
        finally:
            loop.remove_reader(descriptor)
        os.read(descriptor, len(READY))
