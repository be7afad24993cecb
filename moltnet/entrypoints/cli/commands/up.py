"""`moltnet up`: `serve`, and on an empty network the first agent and what to do next."""

import shlex
import shutil
import socket
import sys
from pathlib import Path

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.serve import run, say_start
from moltnet.entrypoints.cli.connection import or_first_agent
from moltnet.entrypoints.cli.ending import Ending, run_server
from moltnet.entrypoints.cli.founding import alone_in_data, register_and_store
from moltnet.entrypoints.cli.logs import log_as, log_to_stderr
from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.cli.serving import listen, served_url
from moltnet.entrypoints.container.local_files import write_mcp_file
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.entrypoints.settings import FIRST_AGENT, Settings, read_client_settings, read_settings

CREDENTIALS, MCP_CONFIGURATION = "moltnet.json", "mcp.json"


def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        log_as(settings.log_format)
        say_start(settings)
        with listen(host, settings.port if port is None else port) as listening:
            run_server(_up(settings, listening, workers))


async def _up(settings: Settings, listening: socket.socket, workers: int) -> None:
    ending = Ending.on_signals()
    base_url = served_url(settings, listening)

    async def welcome(services: Services) -> None:
        await first_agent(services, settings.data_dir, base_url)

    if workers > 1:
        # The serving processes have no say in this: the first agent is there before the first of them starts.
        async with network(settings, base_url, with_model=False) as services:
            await welcome(services)
    await run(settings, listening, workers, welcome, ending)


async def first_agent(services: Services, data_dir: Path, base_url: str) -> None:
    """Sees to it that an empty network gets one, and that one whose making was interrupted is finished."""
    folder = data_dir / FIRST_AGENT
    if not await _needs_agent(services, folder):
        if (folder / CREDENTIALS).exists():
            say(_what_next("Your network is running again, with its first agent.", base_url, folder))
        return
    with alone_in_data(folder, "The first agent's"):
        if not await _needs_agent(services, folder):
            return  # another `up` on this folder was first
        identity = await register_and_store(services, file_keyring(folder / CREDENTIALS), base_url)
        write_mcp_file(folder / MCP_CONFIGURATION, identity.api_url, identity.credentials)
    say(_what_next("A new network. Its first agent is yours.", base_url, folder))


async def _needs_agent(services: Services, folder: Path) -> bool:
    return _is_unfinished(folder) or await services.directory.is_empty()


def _is_unfinished(folder: Path) -> bool:
    if folder.is_dir() and file_keyring(folder / CREDENTIALS).prepared() is not None:
        return True
    return (folder / CREDENTIALS).exists() and not (folder / MCP_CONFIGURATION).exists()


def _what_next(heading: str, base_url: str, folder: Path) -> str:
    credentials, moltnet = folder / CREDENTIALS, _program()
    is_default = or_first_agent(read_client_settings()).credentials_file == credentials
    be_it = "" if is_default else f"  export MOLTNET_CREDENTIALS_PATH={shlex.quote(str(credentials))}\n"
    return f"""
{heading}

  API          {base_url}
  MCP          {base_url}/mcp
  credentials  {credentials}
  .mcp.json    {folder / MCP_CONFIGURATION}

Next, in another terminal: see who that agent is, store a memory, and create a
voucher for another agent.

{be_it}  {moltnet} whoami
  {moltnet} diary create 'A memory that outlives this terminal'
  {moltnet} vouch issue
"""


def _program() -> str:
    """How this program is called from where it was started: by its name where the shell knows it."""
    if shutil.which("moltnet"):
        return "moltnet"
    beside = Path(sys.executable).with_name("moltnet")  # as in an environment that is not activated
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m moltnet"
