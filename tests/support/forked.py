"""`moltnet` as a process of its own that is there at once: forked from one that has loaded every module.

`python -m tests.support.forked SOCKET EXCLUDED …` accepts connections. A message on each asks for a process: its
arguments, its environment, its working folder and the numbers of its open files as JSON, and with them those files. The
answers are the process's id and, once it has ended, its exit status as `os.waitstatus_to_exitcode` gives it. With a
connection that its peer closes before, as when tests are killed, ends its process. What a forked server would start as
`moltnet` is forked in the same way. /proc shows the arguments of each as its command line.
"""

import asyncio
import atexit
import ctypes
import fcntl
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
from typing import Any

import attrs

MESSAGE_BYTES, MOST_FILES = 100_000, 16
# Where a process finds the files it was sent, before they get their numbers: nobody has as many open.
SENT = 500
STANDARD = (0, 1, 2)
ROOM_FOR_ARGUMENTS = "-" * 2_000


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
    nothing = os.open(os.devnull, os.O_RDWR)
    others = {subprocess.PIPE: ends[-1], subprocess.DEVNULL: nothing}
    files = dict(zip(STANDARD, (nothing, ends[0], others.get(errors, errors)), strict=True))
    server = _server(prefix, with_ory=any(name.startswith("ORY_") and name.endswith("_URL") for name in environment))
    process = await _ordered(server, _Order(arguments, environment, str(folder or Path.cwd())), files, pipes)
    for end in (nothing, *ends):
        os.close(end)
    return process


@attrs.frozen
class _Order:
    """A process that is asked for; in a session of its own, it does not hear what a terminal sends its parent."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    in_own_session: bool = False


async def _ordered(address: str, order: _Order, files: Mapping[int, int], pipes: Sequence[_Pipe] = ()) -> Forked:
    """Has a process forked at an address; `files` are the sender's numbers of its open files, by its own."""
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(address)
    message = json.dumps([order.arguments, dict(order.environment), order.folder, order.in_own_session, [*files]])
    socket.send_fds(connection, [message.encode()], [*files.values()])
    connection.setblocking(False)  # noqa: FBT003 - a name of the standard library
    process = Forked(int(await loop.sock_recv(connection, MESSAGE_BYTES)), pipes)
    loop.add_reader(connection, process._answered, connection)
    return process


@functools.cache
def _server(prefix: tuple[str, ...], *, with_ory: bool) -> str:
    """The address of a process that forks, run by a prefix; it ends with this one.

    One has loaded Ory's client, which takes as long as all the rest; it is started where that is needed.
    """
    folder = tempfile.mkdtemp(prefix="moltnet-forks-")
    atexit.register(shutil.rmtree, folder)
    address = f"{folder}/socket"
    excluded = ("__main__", ".integrations.", *([] if with_ory else ["adapters.ory"]))
    command = (*prefix, sys.executable, "-m", __name__, address, " ".join(excluded), ROOM_FOR_ARGUMENTS)
    # Pipes, as the streams of the forked processes are: Python asks once what a stream is.
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert server.stdin
    assert server.stdout
    atexit.register(server.stdout.close)
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    assert server.stdout.readline() == b"ready\n"
    return address


def main(address: str, excluded: str) -> None:
    """Forks until standard input ends; returns in each process that was forked, which is `moltnet` from then on."""
    before = dict(os.environ)
    _load_everything(excluded.split())
    loaded = {name: value for name, value in os.environ.items() if name not in before}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(100)
        os.write(1, b"ready\n")
        connection = _forked(listening)
    message, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, MOST_FILES)
    arguments, environment, folder, in_own_session, numbers = json.loads(message)
    if child := os.fork():
        _report(connection, child, descriptors, ends_alone=in_own_session)
    connection.close()
    if in_own_session:
        os.setsid()
    _receive(dict(zip(numbers, descriptors, strict=True)))
    os.environ.clear()
    os.environ.update({**loaded, **environment})
    os.chdir(folder)
    sys.argv = ["moltnet", *arguments]
    _show([sys.executable, "-m", *sys.argv])
    _fork_from(address)


def _receive(files: Mapping[int, int]) -> None:
    """Gives the files that were sent their numbers."""
    moved = {number: fcntl.fcntl(file, fcntl.F_DUPFD, SENT) for number, file in files.items()}
    for file in files.values():
        os.close(file)
    for number, file in moved.items():
        os.dup2(file, number)
        os.close(file)


def _show(command: Sequence[str]) -> None:
    """Writes a command where /proc has the command line of this process (proc_pid_stat(5): arg_start, arg_end)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memmove(start, "\0".join(command).encode().ljust(end - start, b"\0"), end - start)


def _fork_from(address: str) -> None:
    """Lets this process fork `moltnet` from an address, where it would start it anew."""
    start_anew = asyncio.create_subprocess_exec

    async def started(program: str, *arguments: str, **options: Any) -> Any:
        if (program, arguments[:2]) != (sys.executable, ("-m", "moltnet")):
            return await start_anew(program, *arguments, **options)
        files = {number: number for number in (*STANDARD, *options["pass_fds"])}
        return await _ordered(address, _Order(arguments[2:], os.environ, str(Path.cwd()), in_own_session=True), files)

    asyncio.create_subprocess_exec = started  # type: ignore[assignment]


def _load_everything(excluded: Sequence[str]) -> None:
    """Imports all modules but those whose name has one of these parts."""
    package = importlib.import_module("moltnet")
    for module in pkgutil.walk_packages(package.__path__, "moltnet."):
        if not any(each in module.name for each in excluded):
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


def _report(connection: socket.socket, child: int, descriptors: Sequence[int], *, ends_alone: bool) -> None:
    """Says which process was forked and how it ends; unless it ends alone, it is killed when nobody hears that."""
    for descriptor in descriptors:
        os.close(descriptor)
    with suppress(OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        connection.send(str(child).encode())
        if not ends_alone:
            _kill_unless_heard(connection, child)
        _, status = os.waitpid(child, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _kill_unless_heard(connection: socket.socket, child: int) -> None:
    """Returns when a process has ended, or who asked for it has, and the process with that."""
    ended, either = os.pidfd_open(child), select.poll()
    either.register(ended, select.POLLIN)
    either.register(connection, 0)  # its end is reported in any case
    either.poll()
    with suppress(ProcessLookupError):
        if not select.select([ended], [], [], 0)[0]:
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:3])
    importlib.import_module("moltnet.entrypoints.cli.main").main()
