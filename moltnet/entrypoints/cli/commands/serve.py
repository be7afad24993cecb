"""`moltnet serve`: one line on standard output when it accepts, logs on standard error, SIGTERM drains."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import Ending, run_server
from moltnet.entrypoints.cli.logs import log_as, log_to_stderr
from moltnet.entrypoints.cli.output import announce, one_sentence, say_starting
from moltnet.entrypoints.cli.serving import address, listen
from moltnet.entrypoints.cli.serving import serve as serve_here
from moltnet.entrypoints.cli.workers import supervise
from moltnet.entrypoints.settings import Settings, read_settings


def serve(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        log_as(settings.log_format)
        say_start(settings)
        with listen(host, settings.port if port is None else port) as listening:
            run_server(_serve(settings, listening, workers))


def say_start(settings: Settings) -> None:
    """Tells a person at a terminal what takes the seconds before a server is ready."""
    is_first = settings.database_url is None and not (settings.data_dir / "postgres").exists()
    first = f"\nThe first start creates the database in {settings.data_dir}" if is_first else ""
    say_starting(f"Starting the database and the embedding model; this takes some seconds.{first}")


async def run(
    settings: Settings,
    listening: socket.socket,
    workers: int,
    when_ready: Callable[[Services], Awaitable[None]],
    ending: Ending,
) -> None:
    """Serves in this process or in several; `when_ready` is called, with one, before the line that says so."""
    if workers > 1:
        await supervise(settings, listening, workers, lambda: _report_ready(listening), ending)
        return

    async def ready(services: Services) -> None:
        await when_ready(services)
        ending.started()
        _report_ready(listening)

    await serve_here(settings, listening, ready, ending.asked)


async def _serve(settings: Settings, listening: socket.socket, workers: int) -> None:
    await run(settings, listening, workers, _nothing_more, Ending.on_signals())


def _report_ready(listening: socket.socket) -> None:
    host, port = address(listening)
    announce(f"moltnet ready on http://{f'[{host}]' if ':' in host else host}:{port}")


async def _nothing_more(_: Services) -> None:
    return
