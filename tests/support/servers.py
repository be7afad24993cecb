"""Servers by `failing_server`: started at once, and killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import attrs

from tests.support.failing_server import Orders

STARTED_WITHIN_S = 60.0


@attrs.frozen
class Started:
    """A server that accepts."""

    pid: int
    url: str

    def lives(self) -> bool:
        """Whether it has not ended."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Ends it as a power cut would; one that has ended is left alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@attrs.frozen
class Servers:
    """Starts servers."""

    process: asyncio.subprocess.Process
    ready: dict[str, asyncio.Future[Started]] = attrs.field(factory=dict)

    @asynccontextmanager
    async def serving(
        self, database: str, *, dies: str | None = None, fails: str | None = None
    ) -> AsyncIterator[Started]:
        """A server with these orders, which is killed at the end if it still lives."""
        started = await self._start(Orders(label=str(uuid4()), database=database, dies=dies, fails=fails))
        try:
            yield started
        finally:
            started.kill()

    async def listen(self) -> None:
        """Hears which of them accept, until all have ended."""
        assert self.process.stdout
        async for line in self.process.stdout:
            label, pid, url = line.decode().split()
            self.ready[label].set_result(Started(int(pid), url))

    async def _start(self, orders: Orders) -> Started:
        assert self.process.stdin
        self.ready[orders.label] = asyncio.get_running_loop().create_future()
        self.process.stdin.write(json.dumps(attrs.asdict(orders)).encode() + b"\n")
        return await asyncio.wait_for(self.ready[orders.label], STARTED_WITHIN_S)


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Whoever starts servers, until the context is left; all of them have ended then."""
    command = (sys.executable, "-m", "tests.support.failing_server")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
    started = Servers(process)
    listening = asyncio.create_task(started.listen())
    try:
        yield started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening
