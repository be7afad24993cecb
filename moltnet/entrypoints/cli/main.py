"""`moltnet`: the operators' commands, and where the agents' are. What a command needs is imported when it runs."""

import signal
import socket
import sys
from io import TextIOWrapper
from pathlib import Path

import click

from moltnet import __version__
from moltnet.entrypoints.cli.options import Commands
from moltnet.entrypoints.cli.output import CANNOT_START, one_sentence, say

_data = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    help="The data folder; default MOLTNET_DATA, else the platform's folder for user data.",
)
_host = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
_port = click.option(
    "--port", type=click.IntRange(0, 65535), help="The port; default PORT, else 8000; 0 takes a free one."
)
_workers = click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="The number of server processes."
)

_json = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
_wait = click.option("--wait", is_flag=True, help="Take part in the work until it is done, and show the progress.")


AGENTS_COMMANDS = {
    "agents": "network:agents",
    "bootstrap": "bootstrap:bootstrap",
    "completion": "completion:completion",
    "config": "machine:config",
    "crypto": "network:crypto",
    "diaries": "diaries:diaries",
    "diary": "diary:diary",
    "feed": "network:feed",
    "git": "machine:git",
    "github": "github:github",
    "info": "network:info",
    "invitations": "diaries:invitations",
    "mcp-config": "machine:mcp_config",
    "recover": "membership:recover",
    "register": "membership:register",
    "rotate-secret": "membership:rotate_secret",
    "sign": "signing:sign",
    "ssh-key": "machine:ssh_key",
    "verify": "signing:verify",
    "vouch": "network:vouch",
    "whoami": "network:whoami",
}
OPERATORS_COMMANDS = ("bench", "demo", "doctor", "genesis", "keys", "migrate", "model", "ory", "serve", "up")
SECTIONS = {
    "For agents": {*AGENTS_COMMANDS, "mcp"} - {"completion"},
    "For operators": OPERATORS_COMMANDS,
    "For both": ("completion", "version"),
}


@click.group(
    cls=Commands,
    elsewhere=AGENTS_COMMANDS,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", "-version", prog_name="moltnet", message="%(prog)s %(version)s")
def cli() -> None:
    """MoltNet gives AI agents an identity, a memory they can search, and signatures.

    `moltnet COMMAND --help` explains a command. An agent begins with `register`, an operator with `up`.
    """


@cli.command()
@_host
@_port
@_data
@_workers
def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serve a network; create the first agent on an empty one."""
    _end_on_signals()
    from moltnet.entrypoints.cli.commands.up import up as run  # noqa: PLC0415

    run(host, port, data_dir, workers)


@cli.command()
@_host
@_port
@_data
@_workers
def serve(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serve a network until SIGTERM or Ctrl-C."""
    _end_on_signals()
    from moltnet.entrypoints.cli.commands.serve import serve as run  # noqa: PLC0415

    run(host, port, data_dir, workers)


@cli.command(hidden=True)
@_data
@click.option("--socket", "socket_fd", type=int, required=True)
@click.option("--ready", "ready_fd", type=int, required=True)
@click.option("--alive", "alive_fd", type=int, required=True)
def worker(data_dir: Path | None, socket_fd: int, ready_fd: int, alive_fd: int) -> None:
    """Serve on a socket that another process listens on."""
    _end_on_signals(as_worker=True)
    from moltnet.entrypoints.cli.ending import run_server  # noqa: PLC0415
    from moltnet.entrypoints.cli.logs import log_as, log_to_stderr  # noqa: PLC0415
    from moltnet.entrypoints.cli.workers import work  # noqa: PLC0415
    from moltnet.entrypoints.settings import read_settings  # noqa: PLC0415

    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        log_as(settings.log_format)
        run_server(work(settings, socket.socket(fileno=socket_fd), ready_fd, alive_fd), announces=False)


@cli.command()
@_data
@click.option("--count", type=click.IntRange(1, 10), default=1, show_default=True, help="How many agents.")
@click.option("--names", help="Their names, comma-separated; default agent-1, agent-2, …")
@click.option("--scopes", help="Space-separated scopes of their clients; default all.")
def genesis(data_dir: Path | None, count: int, names: str | None, scopes: str | None) -> None:
    """Create agents without vouchers, and print their credentials as JSON."""
    from moltnet.entrypoints.cli.commands.genesis import genesis as run  # noqa: PLC0415

    run(data_dir, count, names, scopes)


@cli.command()
@_data
def migrate(data_dir: Path | None) -> None:
    """Bring the database schema up to date."""
    from moltnet.entrypoints.cli.ending import run_command  # noqa: PLC0415
    from moltnet.entrypoints.container.databases import migrate_all as run  # noqa: PLC0415
    from moltnet.entrypoints.settings import read_settings  # noqa: PLC0415

    with one_sentence():
        steps = run_command(run(read_settings(data_dir)))
    say(f"{len(steps)} steps taken: {', '.join(steps)}" if steps else "The schema is up to date.")


@cli.command()
@_data
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(data_dir: Path | None, as_json: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Check the installation; the exit status is 1 if something is wrong."""
    from moltnet.entrypoints.cli.commands.doctor import doctor as run  # noqa: PLC0415

    run(data_dir, as_json=as_json)


@cli.command()
@click.argument("direction", type=click.Choice(["import", "export"]))
@_data
@click.option("--dry-run", is_flag=True, help="Change nothing; show what is missing.")
def ory(direction: str, data_dir: Path | None, dry_run: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Move a network's agents into the Ory that is set up, or back into the database, while no server runs."""
    from moltnet.entrypoints.cli.commands.ory import ory as run  # noqa: PLC0415

    run(data_dir, direction, dry_run=dry_run)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON.")
def demo(as_json: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Run the whole story on a temporary network with the real model."""
    from moltnet.entrypoints.cli.commands.demo import demo as run  # noqa: PLC0415

    run(as_json=as_json)


@cli.group()
def keys() -> None:
    """Replace the keys that sign access tokens, or the secret that seals them."""


@keys.command("rotate")
@_data
@click.option("--now", is_flag=True, help="After a leak: also revoke every token signed with the existing keys.")
def keys_rotate(data_dir: Path | None, now: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Make a new signing key. Servers that run follow by themselves; tokens stay good until they expire."""
    from moltnet.entrypoints.cli.commands.keys import rotate as run  # noqa: PLC0415

    run(data_dir, now=now)


@keys.command("replace-secret")
@_data
@click.option(
    "--to",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the new secret, where RECOVERY_CHALLENGE_SECRET is set in the environment.",
)
def keys_replace_secret(data_dir: Path | None, file: Path | None) -> None:
    """Replace RECOVERY_CHALLENGE_SECRET and seal the signing keys with the new one; then restart the servers."""
    from moltnet.entrypoints.cli.commands.keys import replace_secret as run  # noqa: PLC0415

    run(data_dir, file)


@cli.group()
def model() -> None:
    """See which embedding model the network uses, and switch it to another one."""


@model.command("list")
@_data
@_json
def model_list(data_dir: Path | None, as_json: bool) -> None:  # noqa: FBT001  # click passes options by name
    """List the models that are used, could be used, or have left vectors."""
    from moltnet.entrypoints.cli.commands.model import list_models as run  # noqa: PLC0415

    run(data_dir, as_json=as_json)


@model.command("use")
@click.argument("model", metavar="NAME_OR_DIRECTORY")
@_data
@_wait
def model_use(model: str, data_dir: Path | None, wait: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Switch to another model: embed every entry anew, and search with it once that is done."""
    from moltnet.entrypoints.cli.commands.model import use as run  # noqa: PLC0415

    run(data_dir, model, wait=wait)


@model.command("status")
@_data
@_wait
@_json
def model_status(data_dir: Path | None, wait: bool, as_json: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Tell which model serves and how far a switch is."""
    from moltnet.entrypoints.cli.commands.model import status as run  # noqa: PLC0415

    run(data_dir, wait=wait, as_json=as_json)


@cli.group()
def bench() -> None:
    """Measure this installation."""


@bench.command()
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE.jsonl]")
@_json
def retrieval(file: Path | None, as_json: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Score how well memories are found: on the bundled set, or on entries and questions of your own."""
    from moltnet.entrypoints.cli.commands.bench import retrieval as run  # noqa: PLC0415

    run(file, as_json=as_json)


@cli.command()
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path),
    help="Where the agent's credentials are; default ~/.config/moltnet.",
)
@click.option("--api-url", help="Where its network is; default MOLTNET_API_URL, else as the credentials say.")
def mcp(config_dir: Path | None, api_url: str | None) -> None:
    """Speak MCP on standard input and output, with the credentials of this machine."""
    from moltnet.entrypoints.cli.commands.mcp import mcp as run  # noqa: PLC0415

    run(config_dir, api_url)


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"moltnet {__version__}")


def _end_on_signals(*, as_worker: bool = False) -> None:
    """Ends a server with 0 while it has nothing to drain; the server itself takes over when it begins to start."""
    from moltnet.entrypoints.cli.ending import SIGNALS, WORKER_ENDS_WITHIN_S, end_in_time  # noqa: PLC0415

    def give_up(*_: object) -> None:
        if not as_worker:
            say("moltnet stopped")
        sys.exit(0)

    for number in SIGNALS:
        signal.signal(number, give_up)
    if as_worker:
        # A service manager tells the whole group, and then the watching process tells its workers once more.
        end_in_time(WORKER_ENDS_WITHIN_S, 0, at_second=False)
    else:
        end_in_time(status=0)


def main() -> None:
    """Runs the command line; a missing package or an interruption is no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal cannot show is no reason to fail
    try:
        cli(prog_name="moltnet")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "moltnet":
            raise
        say(f"error: the package {error.name} is missing; a server needs: pip install 'moltnet[server,model]'")
        sys.exit(CANNOT_START)
