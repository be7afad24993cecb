"""Agents' commands as somebody types them, in this process, in a home and a working folder of their own."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner

from moltnet.entrypoints.cli.main import cli
from moltnet.ports.storage import Storage
from tests.support.networks import in_memory
from tests.support.worlds import Served, served


@attrs.frozen
class Typed:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def printed(self) -> Any:
        """What it printed as JSON, once it ended well."""
        assert self.status == 0, self
        return json.loads(self.out)


@attrs.frozen(kw_only=True)
class Shell:
    """A terminal of one user, beside a network."""

    served: Served
    storage: Storage
    home: Path
    work: Path

    async def run(self, *words: str, stdin: str | bytes | None = None, **environment: str) -> Typed:
        """Types a command."""
        settings = {"HOME": str(self.home), "MOLTNET_API_URL": self.served.url, **environment}
        return await asyncio.to_thread(self._run, words, stdin, settings)

    async def member(self, profile: str | None = None) -> Typed:
        """Becomes a member, on a voucher of a founder's."""
        founder = await self.served.network.genesis()
        voucher = await founder.vouch.issue()
        named = () if profile is None else ("--profile", profile)
        return await self.run("register", "--voucher", voucher.code, *named)

    def _run(self, words: tuple[str, ...], stdin: str | bytes | None, settings: dict[str, str]) -> Typed:
        cleared = dict.fromkeys(name for name in os.environ if name.startswith("MOLTNET_"))
        with _inside(self.work):
            done = CliRunner(env={**cleared, **settings}).invoke(cli, list(words), input=stdin, prog_name="moltnet")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Typed(done.exit_code, done.stdout, done.stderr)


@asynccontextmanager
async def a_shell(folder: Path) -> AsyncIterator[Shell]:
    """A terminal beside a network in memory."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    infrastructure = in_memory()
    async with served(infrastructure) as network:
        yield Shell(served=network, storage=infrastructure.storage, home=home, work=work)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
