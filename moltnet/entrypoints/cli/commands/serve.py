"""`moltnet serve`: one line on standard output when it accepts, logs on standard error, SIGTERM drains."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.output import one_sentence
from moltnet.entrypoints.cli.serving import address, listen, log_to_stderr, stop_on_signals
from moltnet.entrypoints.cli.serving import serve as serve_here
from moltnet.entrypoints.cli.workers import supervise
from moltnet.entrypoints.settings import Settings, read_settings


def serve(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        with listen(host, settings.port if port is None else port) as listening:
            asyncio.run(run(settings, listening, workers, _nothing_more))


async def run(
    settings: Settings, listening: socket.socket, workers: int, when_ready: Callable[[Services], Awaitable[None]]
) -> None:
    """Serves in this process or in several; `when_ready` is called, with one, before the line that says so."""
    if workers > 1:
        await supervise(settings, listening, workers, lambda: _tell_ready(listening))
        return

    async def ready(services: Services) -> None:
        await when_ready(services)
        _tell_ready(listening)

    await serve_here(settings, listening, ready, stop_on_signals())


def _tell_ready(listening: socket.socket) -> None:
    host, port = address(listening)
    click.echo(f"moltnet ready on http://{f'[{host}]' if ':' in host else host}:{port}")


async def _nothing_more(_: Services) -> None:
    return
