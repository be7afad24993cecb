"""SIGTERM and SIGINT end every command in time, whatever the database is doing, and a second one ends it at once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import attrs
import pytest

from moltnet.entrypoints.cli.serving import DRAIN_S
from tests.support.commands import SECRETS, heard, run, text_of
from tests.support.external import ExternalDatabase, a_silent_database, an_external_database
from tests.support.live_server import LiveServer, asked, moltnet, processes_of, until

pytestmark = pytest.mark.real

# Ten seconds are promised, on a machine that has nothing else to do.
ENDS_WITHIN_S = 15.0
WORKFLOWS = 4
WORKFLOWS_AWAY = "the database of the workflows is away"


@attrs.frozen
class Serving:
    """A server on a database elsewhere, with work under way that waits for that database."""

    server: LiveServer
    database: ExternalDatabase
    data: Path
    log: Path

    async def ended_by(self, number: signal.Signals) -> float:
        """Sends a signal; answers how many seconds the end took, which was one in order."""
        loop, said = asyncio.get_running_loop(), len(text_of(self.log))
        begun = loop.time()
        self.server.process.send_signal(number)
        async with asyncio.timeout(ENDS_WITHIN_S):
            assert await self.server.process.wait() == 0
        took = loop.time() - begun
        assert "Traceback" not in text_of(self.log)[said:]
        return took


@asynccontextmanager
async def serving(tmp_path: Path, command: str, *options: str) -> AsyncIterator[Serving]:
    data, log = tmp_path / "data", tmp_path / "log"
    async with an_external_database(tmp_path / "elsewhere") as database:
        ended = await run("genesis", "--data", str(data), **database.settings)
        token = ended.printed[0]["accessToken"]
        async with heard(command, "--data", str(data), *options, log=log, **database.settings) as server:
            async with server.session(token) as session:
                waiting = [await _a_signing_request(session) for _ in range(WORKFLOWS)]
            assert waiting
            yield Serving(server, database, data, log)
        await until(lambda: not processes_of(data))


async def _a_signing_request(session: aiohttp.ClientSession) -> str:
    """A workflow that waits for minutes."""
    status, answer = await asked(session, "POST", "/crypto/signing-requests", json={"message": "I was here"})
    assert status == 201, answer
    return str(answer["id"])


def a_folder(path: Path) -> Path:
    """One that is there."""
    path.mkdir()
    return path


async def gone(serving: Serving) -> None:
    """The database is stopped, and the workflows have met that."""
    await serving.database.stop()
    await until(lambda: WORKFLOWS_AWAY in text_of(serving.log), 60)


async def silent(serving: Serving) -> None:
    """The database takes what is said, and somebody waits for its answer."""
    serving.database.silence()
    async with serving.server.session() as session:
        asking = [asyncio.ensure_future(asked(session, "GET", "/public/feed")) for _ in range(3)]
        await asyncio.wait(asking, timeout=0.5)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


AWAY: dict[str, Callable[[Serving], Awaitable[None]]] = {"gone": gone, "silent": silent}
SIGNALS = (signal.SIGTERM, signal.SIGINT)
WAYS = (("serve",), ("serve", "--workers", "2"), ("up",))


@pytest.mark.parametrize("away", AWAY)
async def test_server_whose_database_is_away_ends_in_time(tmp_path: Path, away: str) -> None:
    folders = [a_folder(tmp_path / str(number)) for number, _ in enumerate(WAYS)]
    await asyncio.gather(*(_end_while_away(folder, way, away) for folder, way in zip(folders, WAYS, strict=True)))


async def _end_while_away(tmp_path: Path, way: tuple[str, ...], away: str) -> None:
    async with serving(tmp_path, *way) as server:
        await AWAY[away](server)
        number = signal.SIGINT if way == ("up",) else signal.SIGTERM
        took = await server.ended_by(number)
        print(f"{' '.join(way)}, database {away}: ended {took:.1f} s after {number.name}")  # noqa: T201 - with -s


async def test_second_signal_ends_a_server_at_once(tmp_path: Path) -> None:
    await asyncio.gather(*(_insist(a_folder(tmp_path / number.name), number) for number in SIGNALS))


async def _insist(tmp_path: Path, number: signal.Signals) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    async with heard("serve", "--workers", "2", "--data", str(data), log=log) as server:
        workers = [process for process in processes_of(data) if process != server.process.pid]
        address = urlsplit(server.url)
        idle, other = await asyncio.open_connection(address.hostname, address.port)
        other.write(f"GET /health HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        await idle.readuntil(b"}")
        answer, half = await asyncio.open_connection(address.hostname, address.port)
        head = f"POST /auth/register HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 9\r\n"
        half.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
        await answer.readuntil(b"Continue\r\n\r\n")
        server.process.send_signal(number)
        assert await idle.read() == b""  # it drains
        server.process.send_signal(number)
        # What is begun would be waited for, for longer than that.
        async with asyncio.timeout(DRAIN_S - 1):
            assert await server.process.wait() == 0
        await until(lambda: not set(workers) & set(processes_of(data)), DRAIN_S - 1)
        half.close()
        other.close()


# What a process does that its end would wait for: its loop does not turn, or a thread of it does not end.
STUCK = {
    "a blocked loop": "print_stuck(); time.sleep(600)",
    "a thread that is waited for": "threading.Thread(target=time.sleep, args=(600,)).start(); print_stuck()",
    "a task that is not to be stopped": (
        "print_stuck()\n    while True:\n        with suppress(BaseException): await asyncio.sleep(600)"
    ),
    "its own end, after its loop's": "atexit.register(lambda: (print_stuck(), time.sleep(600)))",
}
SCRIPT = """
import asyncio, atexit, threading, time
from contextlib import suppress
from functools import partial
from moltnet.entrypoints.cli.ending import Ending, end_in_time, run_server
print_stuck = partial(print, "stuck", flush=True)
async def stuck():
    Ending.on_signals()
    {stuck}
end_in_time(0.2, 0)
run_server(stuck())
"""


@pytest.mark.parametrize("stuck", STUCK)
async def test_whatever_keeps_a_process_its_end_does_not_wait_for_it(stuck: str) -> None:
    script = SCRIPT.format(stuck=STUCK[stuck])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"stuck\n"
    process.terminate()
    async with asyncio.timeout(ENDS_WITHIN_S):
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors


async def test_admin_command_that_is_broken_off_exits_as_shells_count_it(tmp_path: Path) -> None:
    commands = (("genesis",), ("migrate",), ("model", "status", "--wait"))
    ways = [(number, command) for number in SIGNALS for command in commands]
    await asyncio.gather(*(_break_off(tmp_path, number, *command) for number, command in ways))


async def _break_off(data: Path, number: signal.Signals, *command: str) -> None:
    async with a_silent_database() as (url, connected):
        process = await moltnet(*command, "--data", str(data), environment={"DATABASE_URL": url, **SECRETS})
        await connected.wait()
        process.send_signal(number)
        async with asyncio.timeout(ENDS_WITHIN_S):
            assert await process.communicate() == (b"", b"Stopped.\n")
    assert process.returncode == 128 + number
