"""A `moltnet serve` of its own in a throwaway folder, its memory, and an agent to load it with."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import attrs

from moltnet.entrypoints.settings import UNTHROTTLED

READY = "moltnet ready on "


@attrs.frozen
class Server:
    """A running server; `ready_s` is the time from the command to the line that says it accepts."""

    url: str
    pid: int
    ready_s: float

    def resident_mb(self) -> float:
        """Resident memory of the server process, in MB (10^6 bytes)."""
        return _status(self.pid, "VmRSS") * 1024 / 1e6


@contextmanager
def running(
    folder: Path,
    *options: str,
    tree: Path | None = None,
    settings: Mapping[str, str] | None = None,
    program: str = "moltnet",
) -> Iterator[Server]:
    """Serves until the context is left; from another folder's code, or with another environment, if these are given."""
    started = time.perf_counter()
    command = [sys.executable, "-m", program, "serve", "--port", "0", "--data", str(folder), *options]
    environment = {**(os.environ if settings is None else settings), **UNTHROTTLED}
    # The log, a line for each request, is written as in earnest, but not onto the tables.
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=tree)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith(READY):
                log.seek(0)
                raise RuntimeError(f"the server did not start: {line!r} {log.read()}")
            yield Server(line.removeprefix(READY).strip(), process.pid, time.perf_counter() - started)
        finally:
            process.terminate()
            process.wait(30)


def genesis(folder: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """A first agent's credentials."""
    (agent,) = founders(folder, 1, settings=settings)
    return agent


def founders(
    folder: Path, count: int, tree: Path | None = None, settings: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """The credentials of the first agents of a network, founded by the code of another folder, if one is given."""
    command = [sys.executable, "-m", "moltnet", "genesis", "--count", str(count), "--data", str(folder)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tree, env=settings)
    agents = json.loads(ended.stdout)
    return [dict(agent) for agent in agents]


def cpu_s(server: Server, folder: Path) -> tuple[float, float]:
    """CPU seconds that the server process, and that the processes of its embedded database have used so far."""
    return used_s(server.pid), database_s(folder)


def database_s(folder: Path) -> float:
    """CPU seconds that the living processes of a folder's embedded database have used so far."""
    return sum(used_s(pid) for pid in processes_of(folder))


def processes_of(folder: Path) -> list[int]:
    """The processes that work in a folder, such as those of its embedded database."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cwd") if _points_into(path, folder)]


def used_s(pid: int) -> float:
    """CPU seconds that a process has used so far."""
    try:
        tasks = Path(f"/proc/{pid}").glob("task/*/schedstat")
        return sum(int(path.read_text(encoding="ascii").split()[0]) for path in tasks) / 1e9
    except OSError:
        return 0.0


def _points_into(link: Path, folder: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:
        return False  # it has ended, or is another user's


async def diary(session: aiohttp.ClientSession) -> str:
    """The id of the agent's first diary."""
    async with session.get("/diaries") as answer:
        return str((await answer.json())["items"][0]["id"])


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def cores() -> int:
    """How many cores this run may use."""
    return len(os.sched_getaffinity(0))
