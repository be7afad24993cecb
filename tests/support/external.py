"""A database that servers are only told the address of: it goes away, says nothing, and comes back, as a test wants."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.commands import SECRETS
from tests.support.postgres import migrated


@attrs.frozen
class ExternalDatabase:
    """One whose processes a test has in its hands; stopping it disconnects everybody at once."""

    folder: Path
    address: str
    _postgres: EmbeddedPostgres
    # One thread for all its calls, as it wants it.
    _alone: ThreadPoolExecutor

    @property
    def settings(self) -> dict[str, str]:
        """What names it to a command."""
        return {"DATABASE_URL": self.address, **SECRETS}

    async def stop(self) -> None:
        """Refuses every connection from now on."""
        await asyncio.get_running_loop().run_in_executor(self._alone, self._postgres.stop)

    async def start(self) -> None:
        """Answers again; harmless where it does already."""
        await asyncio.get_running_loop().run_in_executor(self._alone, self._postgres.start)

    def silence(self) -> None:
        """Takes connections and says nothing, as one that is cut off."""
        self._signal(signal.SIGSTOP)

    def speak(self) -> None:
        """Says everything that it has not said."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        cluster = str(self.folder / "postgres")
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # it has ended meanwhile, or is a thread of the kernel's
                if entry.name.isdigit() and str((entry / "cwd").readlink()) == cluster:
                    os.kill(int(entry.name), number)


@asynccontextmanager
async def an_external_database(folder: Path) -> AsyncIterator[ExternalDatabase]:
    """One that answers, and that has ended with the context."""
    with ThreadPoolExecutor(1) as alone:
        postgres = EmbeddedPostgres(migrated(folder))
        loop = asyncio.get_running_loop()
        database = ExternalDatabase(folder, await loop.run_in_executor(alone, postgres.start), postgres, alone)
        try:
            yield database
        finally:
            database.speak()
            await database.stop()


@asynccontextmanager
async def a_silent_database() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of something that takes connections and never answers, and whether it has taken one."""
    connected = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable", connected
