"""`moltnet up`: `serve`, and on an empty network the first agent and what to do next."""

import fcntl
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import Founder, found
from moltnet.entrypoints.cli.commands.serve import run
from moltnet.entrypoints.cli.ending import Ending, run_server
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.cli.serving import listen, served_url
from moltnet.entrypoints.container import file_keyring, network, new_key_pair, write_mcp_file
from moltnet.entrypoints.data_folder import private_data_folder
from moltnet.entrypoints.settings import FIRST_AGENT, Settings, read_settings
from moltnet.ports.keyring import OwnIdentity

CREDENTIALS, MCP_CONFIGURATION = "moltnet.json", "mcp.json"


class FolderUnusable(Unavailable):
    """The first agent's credentials cannot be written, so it is not created."""

    code = "FOLDER_UNUSABLE"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"The first agent's credentials cannot be kept in {folder} ({error.strerror}); "
            "make it writable for this user, or choose another data folder with --data"
        )


def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        with listen(host, settings.port if port is None else port) as listening:
            run_server(_up(settings, listening, workers))


async def _up(settings: Settings, listening: socket.socket, workers: int) -> None:
    ending = Ending.on_signals()
    base_url = served_url(settings, listening)

    async def welcome(services: Services) -> None:
        if await services.directory.is_empty():
            await _first_agent(services, settings.data_dir, base_url)

    if workers > 1:
        # The serving processes have no say in this: the first agent is there before the first of them starts.
        async with network(settings, base_url, with_model=False) as services:
            await welcome(services)
    await run(settings, listening, workers, welcome, ending)


async def _first_agent(services: Services, data_dir: Path, base_url: str) -> None:
    with _kept_alone(data_dir / FIRST_AGENT) as folder:
        if not await services.directory.is_empty():
            return  # another `up` on this folder was first
        identity = _identity(await found(services, FIRST_AGENT, new_key_pair()), base_url)
        file_keyring(folder / CREDENTIALS).keep(identity)
        write_mcp_file(folder / MCP_CONFIGURATION, base_url, identity.credentials)
    say(_what_next(base_url, folder))


@contextmanager
def _kept_alone(folder: Path) -> Iterator[Path]:
    """The folder, made if need be, for nobody but its owner, and for one process at a time.

    The data folder is locked, not this one: whoever writes credentials locks the folder they are in.
    """
    try:
        private_data_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FolderUnusable(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


def _identity(founder: Founder, base_url: str) -> OwnIdentity:
    registered = founder.registered
    return OwnIdentity(
        agent_id=registered.agent_id,
        public_key=registered.public_key,
        private_key=founder.keys.seed_text,
        fingerprint=registered.public_key.fingerprint,
        credentials=registered.credentials,
        api_url=base_url,
        registered_at=datetime.now(UTC),
    )


def _what_next(base_url: str, folder: Path) -> str:
    credentials, moltnet = folder / CREDENTIALS, _program()
    return f"""
A new network. Its first agent is yours.

  API          {base_url}
  MCP          {base_url}/mcp
  credentials  {credentials}
  .mcp.json    {folder / MCP_CONFIGURATION}

Next, in another terminal: be that agent, see who you are, keep a memory, and make a code that lets another agent in.

  export MOLTNET_CREDENTIALS_PATH={shlex.quote(str(credentials))}
  {moltnet} agents whoami
  {moltnet} diary create 'A memory that outlives this terminal'
  {moltnet} vouch issue
"""


def _program() -> str:
    """How this program is called from where it was started: by its name where the shell knows it."""
    return "moltnet" if shutil.which("moltnet") else f"{shlex.quote(sys.executable)} -m moltnet"
