"""`moltnet serve`, `up`: one line on standard output when the server accepts, logs on standard error, SIGTERM drains.

On an empty network, `up` creates the first agent and prints what to do next.
"""

import shlex
import shutil
import socket
import sys
from pathlib import Path

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import alone_in_data, register_and_store
from moltnet.entrypoints.cli.connection import or_first_agent
from moltnet.entrypoints.cli.ending import Ending, run_server
from moltnet.entrypoints.cli.logs import log_as, log_to_stderr
from moltnet.entrypoints.cli.output import announce, one_sentence, say, say_starting
from moltnet.entrypoints.cli.serving import address, listen, served_url, supervise, work
from moltnet.entrypoints.cli.serving import serve as serve_here
from moltnet.entrypoints.container.local_files import write_mcp_file
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.remote import file_keyring
from moltnet.entrypoints.settings import FIRST_AGENT, Settings, read_client_settings, read_settings

CREDENTIALS, MCP_CONFIGURATION = "moltnet.json", "mcp.json"


def serve(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    _serve(host, port, data_dir, workers, with_first_agent=False)


def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until SIGTERM or SIGINT, and creates the first agent on an empty network."""
    _serve(host, port, data_dir, workers, with_first_agent=True)


def worker(data_dir: Path | None, socket_fd: int, ready_fd: int, alive_fd: int) -> None:
    """Serves on a socket that the supervising process listens on."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        log_as(settings.log)
        run_server(work(settings, socket.socket(fileno=socket_fd), ready_fd, alive_fd), announces=False)


def _serve(host: str, port: int | None, data_dir: Path | None, workers: int, *, with_first_agent: bool) -> None:
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        log_as(settings.log)
        is_first = settings.database_url is None and not (settings.data_dir / "postgres").exists()
        first = f"\nThe first start creates the database in {settings.data_dir}" if is_first else ""
        say_starting(f"Starting the database and the embedding model; this takes some seconds.{first}")
        with listen(host, settings.port if port is None else port) as listening:
            run_server(_run(settings, listening, workers, with_first_agent=with_first_agent))


async def _run(settings: Settings, listening: socket.socket, workers: int, *, with_first_agent: bool) -> None:
    """Serves in this process or in several; the first agent is created before the line that says so."""
    ending = Ending.on_signals()
    base_url = served_url(settings, listening)

    async def ready(services: Services) -> None:
        if with_first_agent:
            await first_agent(services, settings.data_dir, base_url, has_pages=settings.web)
        ending.started()
        _report_ready(listening)

    if workers == 1:
        await serve_here(settings, listening, ready, ending.asked)
        return
    if with_first_agent:
        async with network(settings, base_url, with_model=False) as services:
            await first_agent(services, settings.data_dir, base_url, has_pages=settings.web)
    await supervise(settings, listening, workers, lambda: _report_ready(listening), ending)


def _report_ready(listening: socket.socket) -> None:
    host, port = address(listening)
    announce(f"moltnet ready on http://{f'[{host}]' if ':' in host else host}:{port}")


async def first_agent(services: Services, data_dir: Path, base_url: str, *, has_pages: bool = True) -> None:
    """Creates the first agent of an empty network, or completes one that was interrupted."""
    folder = data_dir / FIRST_AGENT
    if not await _needs_agent(services, folder):
        if (folder / CREDENTIALS).exists():
            say(
                _next_steps(
                    "Your network is running again, with its first agent.", base_url, folder, has_pages=has_pages
                )
            )
        return
    with alone_in_data(folder, "The first agent's"):
        if not await _needs_agent(services, folder):
            return  # another `up` on this folder was first
        identity = await register_and_store(services, file_keyring(folder / CREDENTIALS), base_url)
        write_mcp_file(folder / MCP_CONFIGURATION, identity.api_url, identity.credentials)
    say(_next_steps("A new network. Its first agent is yours.", base_url, folder, has_pages=has_pages))


async def _needs_agent(services: Services, folder: Path) -> bool:
    return _is_unfinished(folder) or await services.directory.is_empty()


def _is_unfinished(folder: Path) -> bool:
    if folder.is_dir() and file_keyring(folder / CREDENTIALS).prepared() is not None:
        return True
    return (folder / CREDENTIALS).exists() and not (folder / MCP_CONFIGURATION).exists()


def _next_steps(heading: str, base_url: str, folder: Path, *, has_pages: bool) -> str:
    credentials, moltnet = folder / CREDENTIALS, _program()
    is_default = or_first_agent(read_client_settings()).credentials_file == credentials
    pages = f"  pages        {base_url}/\n" if has_pages else ""
    export = "" if is_default else f"  export MOLTNET_CREDENTIALS_PATH={shlex.quote(str(credentials))}\n"
    return f"""
{heading}

{pages}  API          {base_url}
  MCP          {base_url}/mcp
  credentials  {credentials}
  .mcp.json    {folder / MCP_CONFIGURATION}

Next, in another terminal: see who that agent is, store a memory, and create a
voucher for another agent.

{export}  {moltnet} whoami
  {moltnet} diary create 'A memory that outlives this terminal'
  {moltnet} vouch issue
"""


def _program() -> str:
    """The command that starts this program here: its name if the shell finds it."""
    if shutil.which("moltnet"):
        return "moltnet"
    beside = Path(sys.executable).with_name("moltnet")  # as in an environment that is not activated
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m moltnet"
