"""Several server processes on one port: a supervisor listens and starts workers, which serve.

Workers accept connections from the socket they inherit. A worker that dies is replaced. When the supervisor ends, in
whatever way, a pipe to its workers closes, and they drain.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import attrs

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import WORKER_ENDS_WITHIN_S, Ending, end_at_once
from moltnet.entrypoints.cli.serving import serve
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.databases import migrate as migrate_database
from moltnet.entrypoints.settings import Settings

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
