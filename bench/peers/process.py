"""A worker as the bench holds it: started, asked, ended, or killed with all that serves its folder."""

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from bench.server import processes_of, used_s
from moltnet.entrypoints.settings import UNTHROTTLED

SILENT = {
    "ANONYMIZED_TELEMETRY": "False",
    "MEM0_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
"""An environment in which nothing tells its makers of this run, and nothing downloads."""
_ERROR = re.compile(r"[\w.]*(Error|Exception|Failed|NotFound)\b")
SYNC_CALLS = "fsync,fdatasync,sync_file_range,msync"


class WorkerFailed(Exception):
    """A worker ended without an answer; says what it printed last."""


@attrs.frozen
class Worker:
    """A store's process; `version` is that of its package."""

    name: str
    folder: Path
    version: str
    _process: "subprocess.Popen[str]"
    _log: Any

    def ask(self, command: str, texts: Sequence[str] = (), clients: int = 1) -> dict[str, Any]:
        """What the store answers to a command."""
        self.tell(command, texts, clients)
        return self.answer()

    def tell(self, command: str, texts: Sequence[str] = (), clients: int = 1, *, acknowledged: bool = False) -> None:
        """Gives a command, and does not wait."""
        line = {"do": command, "texts": list(texts), "clients": clients, "acknowledged": acknowledged}
        print(json.dumps(line), file=self._process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """The next line; raises WorkerFailed at the end of the output."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.endswith("\n"):
            self._log.seek(0)
            raise WorkerFailed(_said(self._log.read()))
        return dict(json.loads(line))

    def used_s(self) -> float:
        """CPU seconds of the worker, of the processes it started, and of the database of its folder, so far."""
        return sum(used_s(pid) for pid in {*_session_of(self._process.pid), *processes_of(self.folder)})

    def kill(self) -> list[str]:
        """SIGKILL to the worker, its children and the database of its folder; what it had acknowledged unread."""
        pids = processes_of(self.folder)
        os.killpg(self._process.pid, signal.SIGKILL)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        rest = self._process.stdout.read().splitlines(keepends=True) if self._process.stdout else []
        self._process.wait()
        return [json.loads(line)["acknowledged"] for line in rest if line.endswith("\n") and "acknowledged" in line]

    def end(self) -> None:
        """Closes the store; waits a minute."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(60)


def _session_of(leader: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            *_, session = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            if int(session) == leader:
                yield int(path.parent.name)


def _said(log: str) -> str:
    """The last error that a log tells."""
    errors = [line for line in log.splitlines() if _ERROR.match(line)]
    return (errors or log.splitlines() or ["no answer"])[-1]


@contextmanager
def worker(name: str, folder: Path, python: Path, model: Path, *, traced: Path | None = None) -> Iterator[Worker]:
    """A worker whose store is open; calls by which it waits for the disk are listed in a file, if one is given.

    Raises WorkerFailed, also for a library that is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={SYNC_CALLS}", "-o", str(traced)] if traced else []
    command = [*trace, str(python), "-m", "bench.peers.worker", name, str(folder), str(model)]
    environment = {**os.environ, **UNTHROTTLED, **SILENT, "MEM0_DIR": str(folder / "mem0"), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        started = Worker(name, folder, "", process, log)
        try:
            yield attrs.evolve(started, version=started.answer()["version"])
            if process.poll() is None:
                started.end()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
