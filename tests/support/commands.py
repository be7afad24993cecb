"""The command line as an operator meets it: what a command says and how it ends, and everything a server says."""

import asyncio
import contextlib
import json
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import attrs
from psycopg.conninfo import conninfo_to_dict

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.live_server import READY, START_WITHIN_S, LiveServer, moltnet
from tests.support.postgres import rows

ROOT = Path(__file__).parents[2]
SECRETS = {"RECOVERY_CHALLENGE_SECRET": "r" * 32, "ORY_ACTION_API_KEY": "k" * 32}
"""What has to be set beside DATABASE_URL."""


@attrs.frozen
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def printed(self) -> Any:
        """What it printed as JSON."""
        assert self.out, self
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """The one sentence of a command that could not start, and that it was nothing else."""
        assert (self.status, self.out) == (2, ""), self
        assert self.err.startswith("error: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("error: ").rstrip("\n")


async def run(*arguments: str, folder: Path | None = None, **environment: str) -> Ended:
    """A command from its start to its end, with `folder` as its working folder."""
    process = await moltnet(*arguments, environment=environment, folder=folder)
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@contextlib.asynccontextmanager
async def heard(command: str, *options: str, log: Path, **environment: str) -> AsyncIterator[LiveServer]:
    """A server that accepts; all it says on standard error goes to `log`, after what is there already."""
    with log.open("ab") as errors:
        process = await moltnet(command, "--port", "0", *options, environment=environment, errors=errors.fileno())
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
    try:
        assert line.startswith(READY), text_of(log)
        yield LiveServer(process, line.removeprefix(READY).decode().strip())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def a_program(folder: Path) -> Path:
    """This version of `moltnet` as a shell finds it by its name, in a folder of its own."""
    program = folder / "bin" / "moltnet"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m moltnet "$@"\n'
    )
    program.chmod(0o755)
    return program


def text_of(place: Path) -> str:
    """What a file holds."""
    return place.read_text(encoding="utf-8")


def inside(folder: Path) -> list[str]:
    """The names of what lies in a folder."""
    return sorted(place.name for place in folder.iterdir())


async def agents_in(data: Path) -> int:
    """How many agents the network of a data folder has."""
    with EmbeddedPostgres(data) as database:
        ((count,),) = await rows(database.start(), "select count(*) from agent_keys")
    return int(count)


def accepts(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def url_of(conninfo: str) -> str:
    """A connection string as the URL that DATABASE_URL takes."""
    parts = conninfo_to_dict(conninfo)
    return f"postgresql:///{parts.pop('dbname')}?{urlencode(parts, quote_via=quote)}"
