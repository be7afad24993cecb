"""Founds agents as `moltnet up` and `moltnet genesis` do, and kills itself at a chosen moment.

`python -m tests.support.founder` reads a JSON object a line, founds in a process for each, forked from one that has
loaded everything, and writes a line when that process has ended: `killed`, `done`, or `failed`.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import attrs

from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import register_founders
from moltnet.entrypoints.cli.commands.serve import CREDENTIALS, first_agent
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.entrypoints.settings import FIRST_AGENT
from tests.support.failing_server import Orders, failing_network

URL = "http://127.0.0.1:1"
FILE = "file "
"""`file N` is the moment before the Nth time that something in the folder is made, opened to be written, or renamed."""


@attrs.frozen(kw_only=True)
class Founding:
    """What to found: agents of these names, or, without any, what `up` makes on an empty network."""

    database: str
    folder: str
    names: list[str] = attrs.field(factory=list)
    dies: str | None = None

    async def run(self) -> None:
        """Founds; fails unless each agent that is kept gets a token."""
        if self.dies and self.dies.startswith(FILE):
            _die_at(int(self.dies.removeprefix(FILE)), self.folder)
        elsewhere = self.dies if self.dies and not self.dies.startswith(FILE) else None
        async with failing_network(Orders(label="", database=self.database, dies=elsewhere), URL) as services:
            folder = Path(self.folder)
            if self.names:
                founders, failures = await register_founders(services, folder, URL, self.names, ALL_SCOPES)
                if failures or [founder.name for founder in founders if founder.access_token] != self.names:
                    raise RuntimeError(failures)
            else:
                await first_agent(services, folder, URL)
                await _prove(services, folder)


async def _prove(services: Services, folder: Path) -> None:
    keyring = file_keyring(folder / FIRST_AGENT / CREDENTIALS)
    identity = keyring.read()
    if identity is None or keyring.prepared() is not None:
        raise RuntimeError("the first agent is not kept, or not finished")
    credentials = identity.credentials
    await services.credentials.token(str(credentials.client_id), credentials.secret, None)


def _die_at(number: int, folder: str) -> None:
    left = [number]

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event not in {"open", "os.mkdir", "os.rename", "os.remove"} or folder not in str(arguments[0]):
            return
        if event == "open" and not int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR):
            return
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


def _fork_for_each_line() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(Founding(**json.loads(line)).run())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "failed" if status else "done", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    _fork_for_each_line()
