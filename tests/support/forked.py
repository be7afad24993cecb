"""`moltnet` as a process of its own that is there at once: forked from one that has loaded every module.

`python -m tests.support.forked SOCKET` accepts connections. A message on each asks for a process: its arguments, its
environment and its working folder as JSON, and with them its standard input, output and error. The answers are the
process's id and, once it has ended, its exit status as `os.waitstatus_to_exitcode` gives it.
"""

import asyncio
import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import attrs

MESSAGE_BYTES = 100_000
running: dict[int, str] = {}
"""The arguments of the processes that were forked and have not ended: their command lines show others."""


class _Pipe(asyncio.StreamReaderProtocol):
    """What a process writes."""

    def __init__(self) -> None:
        self.reader, self.closed = asyncio.StreamReader(), asyncio.Event()
        super().__init__(self.reader)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.closed.set()


@attrs.define
class Forked:
    """A running command, with the members of `asyncio.subprocess.Process` that tests use."""

    pid: int
    _pipes: Sequence[_Pipe]
    returncode: int | None = None
    _ended: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def stdout(self) -> asyncio.StreamReader:
        """What it prints."""
        return self._pipes[0].reader

    async def wait(self) -> int:
        """Its exit status, once nobody writes to its pipes any more; the number of a signal is negative."""
        await self._ended.wait()
        for pipe in self._pipes:
            await pipe.closed.wait()
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """All it writes, once it has ended."""
        out, *err = await asyncio.gather(*(pipe.reader.read() for pipe in self._pipes))
        await self.wait()
        return out, b"".join(err)

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)

    def _answered(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        with connection:
            self.returncode = int(connection.recv(MESSAGE_BYTES))
        del running[self.pid]
        self._ended.set()


async def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None,
    errors: int,
    prefix: tuple[str, ...] = (),
) -> Forked:
    """Starts `moltnet` with arguments, in an environment and a folder; `errors` is as `subprocess` takes it.

    A `prefix` is the command that runs Python, where that is to be another user, or without an environment.
    """
    loop = asyncio.get_running_loop()
    pipes, ends = [], []
    for _ in range(2 if errors == subprocess.PIPE else 1):
        reading, writing = os.pipe()
        _, pipe = await loop.connect_read_pipe(_Pipe, os.fdopen(reading, "rb"))
        pipes.append(pipe)
        ends.append(writing)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_server(prefix))
    nothing = os.open(os.devnull, os.O_RDWR)
    others = {subprocess.PIPE: ends[-1], subprocess.DEVNULL: nothing}
    order = json.dumps([arguments, dict(environment), str(folder or Path.cwd())]).encode()
    socket.send_fds(connection, [order], [nothing, ends[0], others.get(errors, errors)])
    for end in (nothing, *ends):
        os.close(end)
    connection.setblocking(False)  # noqa: FBT003 - a name of the standard library
    process = Forked(int(await loop.sock_recv(connection, MESSAGE_BYTES)), pipes)
    running[process.pid] = " ".join(arguments)
    loop.add_reader(connection, process._answered, connection)
    return process


@functools.cache
def _server(prefix: tuple[str, ...]) -> str:
    """The address of the process that forks, run by a prefix; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="moltnet-forks-")
    atexit.register(shutil.rmtree, folder)
    address = f"{folder}/socket"
    command = (*prefix, sys.executable, "-m", __name__, address)
    # Pipes, as the streams of the forked processes are: Python asks once what a stream is.
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert server.stdin
    assert server.stdout
    atexit.register(server.stdout.close)
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    assert server.stdout.readline() == b"ready\n"
    return address


def main(address: str) -> None:
    """Forks until standard input ends; returns in each process that was forked, which is `moltnet` from then on."""
    before = dict(os.environ)
    _load_everything()
    loaded = {name: value for name, value in os.environ.items() if name not in before}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(100)
        os.write(1, b"ready\n")
        connection = _forked(listening)
    order, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 3)
    if child := os.fork():
        _report(connection, child, descriptors)
    connection.close()
    arguments, environment, folder = json.loads(order)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update({**loaded, **environment})
    os.chdir(folder)
    sys.argv = ["moltnet", *arguments]


def _load_everything() -> None:
    """Imports all modules but those that need an agent framework."""
    package = importlib.import_module("moltnet")
    for module in pkgutil.walk_packages(package.__path__, "moltnet."):
        if not any(each in module.name for each in ("__main__", ".integrations.")):
            importlib.import_module(module.name)
    gc.freeze()


def _forked(listening: socket.socket) -> socket.socket:
    """A connection, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listening.fileno(), 0], [], [])
        if 0 in ready:
            os._exit(0)
        connection, _ = listening.accept()
        if not os.fork():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return connection
        connection.close()


def _report(connection: socket.socket, child: int, descriptors: Sequence[int]) -> None:
    """Says which process was forked and how it ends."""
    for descriptor in descriptors:
        os.close(descriptor)
    with suppress(OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        connection.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
    importlib.import_module("moltnet.entrypoints.cli.main").main()
