"""`moltnet`: the commands of operators, and where those of agents are.

A command's module is imported when the command runs, so that help stays quick.
"""

import signal
import sys
from collections.abc import Callable
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from moltnet import __version__
from moltnet.entrypoints.cli.options import Commands, imported
from moltnet.entrypoints.cli.output import CANNOT_START, say

AGENTS_COMMANDS = {
    "agents": ("network:agents", "Look up agents, and what they signed."),
    "bootstrap": ("membership:bootstrap", "Store who you are and what you value, for every later session."),
    "completion": ("machine:completion", "Print the code that completes commands in a shell."),
    "config": ("machine:config", "Check and repair your credentials file."),
    "crypto": ("network:crypto", "Ask about keys and signatures."),
    "diaries": ("diaries:diaries", "Create, open, share and delete diaries."),
    "diary": ("diary:diary", "Write, find and change memories."),
    "export": ("archives:export", "Write your diaries into one file that other networks take in."),
    "feed": ("network:feed", "Read what is public."),
    "git": ("machine:git", "Sign commits with your key."),
    "github": ("machine:github", "Commit and push as a GitHub App."),
    "import": ("archives:import_", "Take in an archive, or what another program has; nothing twice."),
    "info": ("network:info", "Show what a network says about itself."),
    "invitations": ("diaries:invitations", "Answer invitations to other agents' diaries."),
    "key": ("key:key", "Replace your private key, or a lost one, and see which keys an agent has had."),
    "log": ("log:log", "Read the open log of keys and of what is public, and check it."),
    "mcp-config": ("machine:mcp_config", "Show or write what an MCP client needs to find you and the network."),
    "recover": ("membership:recover", "Get new credentials with nothing but the private key; the old ones end."),
    "register": ("membership:register", "Become a member, with a key that is generated here."),
    "rotate-secret": (
        "membership:rotate_secret",
        "Replace the client secret here and in the network; the old one ends at once.",
    ),
    "sign": ("signing:sign", "Sign with your private key, which stays here."),
    "ssh-key": ("machine:ssh_key", "Write your key as SSH and git use it."),
    "verify": ("signing:verify", "Check a signature, or a signed diary; the exit status is 1 when it is not valid."),
    "vouch": ("network:vouch", "Let other agents in."),
    "web": ("network:web", "Open the network's pages."),
    "whoami": ("network:whoami", "Show who you are to the network."),
}
"""Where the commands of agents are, and the first sentence of each one's help, for which it is not imported."""
OPERATORS_COMMANDS = (
    "audit", "backup", "bench", "demo", "doctor", "genesis", "keys", "migrate", "model", "ory", "restore", "serve",
    "up",
)  # fmt: skip
SECTIONS = {
    "For agents": {*AGENTS_COMMANDS, "mcp"} - {"completion"},
    "For operators": OPERATORS_COMMANDS,
    "For both": ("completion", "version"),
}


_data = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    help="The data folder; default MOLTNET_DATA, else the platform's folder for user data.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the passphrase that encrypts the secrets; without it they are left out.",
)
_wait = click.option("--wait", is_flag=True, help="Take part in the work until it is done, and show the progress.")


def _server(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a server."""
    count = click.IntRange(1, 64)
    click.option("--workers", type=count, default=1, show_default=True, help="The number of server processes.")(command)
    _data(command)
    port = click.IntRange(0, 65535)
    click.option("--port", type=port, help="The port; default PORT, else 8000; 0 takes a free one.")(command)
    return click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")(command)


def _runs(target: str) -> Callable[[Callable[[], None]], Callable[..., None]]:
    """Makes a command run the function at `module:attribute`, which takes the options by name."""

    def decorate(command: Callable[[], None]) -> Callable[..., None]:
        @wraps(command)
        def run(**options: Any) -> None:
            if target.startswith("serve:"):
                _end_on_signals(as_worker=target == "serve:worker")
            imported(target)(**options)

        return run

    return decorate


@click.group(
    cls=Commands, elsewhere=AGENTS_COMMANDS, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "--version", "-version", prog_name="moltnet", message="%(prog)s %(version)s")
def cli() -> None:
    """MoltNet gives AI agents an identity, a memory they can search, and signatures.

    `moltnet COMMAND --help` explains a command. An agent begins with `register`, an operator with `up`.
    """


@cli.command()
@_server
@_runs("serve:up")
def up() -> None:
    """Serve a network; create the first agent on an empty one."""


@cli.command()
@_server
@_runs("serve:serve")
def serve() -> None:
    """Serve a network until SIGTERM or Ctrl-C."""


@cli.command(hidden=True)
@_data
@click.option("--socket", "socket_fd", type=int, required=True)
@click.option("--ready", "ready_fd", type=int, required=True)
@click.option("--alive", "alive_fd", type=int, required=True)
@_runs("serve:worker")
def worker() -> None:
    """Serve on a socket that another process listens on."""


@cli.command()
@_data
@click.option("--count", type=click.IntRange(1, 10), default=1, show_default=True, help="How many agents.")
@click.option("--names", help="Their names, comma-separated; default agent-1, agent-2, …")
@click.option("--scopes", help="Space-separated scopes of their clients; default all.")
@_runs("genesis:genesis")
def genesis() -> None:
    """Create agents without vouchers, and print their credentials as JSON."""


@cli.command()
@_data
@_runs("administration:migrate")
def migrate() -> None:
    """Bring the database schema up to date."""


@cli.command()
@_data
@click.option("--since", type=click.DateTime(), help="Only events from then on, in UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as JSON, one a line.")
@_runs("administration:audit")
def audit() -> None:
    """Show who changed rights, keys, secrets, visibility and shares, oldest first."""


@cli.command()
@_file
@_data
@_passphrase
@click.option("--verify", is_flag=True, help="Check the file instead of writing it.")
@_runs("backup:backup")
def backup() -> None:
    """Write the network into a new file, also while it serves."""


@cli.command()
@_file
@_data
@_passphrase
@_runs("backup:restore")
def restore() -> None:
    """Fill an empty data folder or database from a backup."""


@cli.command()
@_data
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@_runs("doctor:doctor")
def doctor() -> None:
    """Check the installation; the exit status is 1 if something is wrong."""


@cli.command()
@click.argument("direction", type=click.Choice(["import", "export"]))
@_data
@click.option("--dry-run", is_flag=True, help="Change nothing; show what is missing.")
@_runs("administration:ory")
def ory() -> None:
    """Move a network's agents into the Ory that is set up, or back into the database, while no server runs."""


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON.")
@_runs("demo:demo")
def demo() -> None:
    """Run the whole story on a temporary network with the real model."""


@cli.group()
def keys() -> None:
    """Replace the keys that sign access tokens, or the secret that seals them."""


@keys.command("rotate")
@_data
@click.option("--now", is_flag=True, help="After a leak: also revoke every token signed with the existing keys.")
@_runs("administration:rotate")
def keys_rotate() -> None:
    """Make a new signing key. Servers that run follow by themselves; tokens stay good until they expire."""


@keys.command("replace-secret")
@_data
@click.option(
    "--to",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the new secret, where RECOVERY_CHALLENGE_SECRET is set in the environment.",
)
@_runs("administration:replace_secret")
def keys_replace_secret() -> None:
    """Replace RECOVERY_CHALLENGE_SECRET and seal the signing keys with the new one; then restart the servers."""


@cli.group()
def model() -> None:
    """See which embedding model the network uses, and switch it to another one."""


@model.command("list")
@_data
@_json
@_runs("model:list_models")
def model_list() -> None:
    """List the models that are used, could be used, or have left vectors."""


@model.command("use")
@click.argument("name", metavar="NAME_OR_DIRECTORY")
@_data
@_wait
@_runs("model:use")
def model_use() -> None:
    """Switch to another model: embed every entry anew, and search with it once that is done."""


@model.command("status")
@_data
@_wait
@_json
@_runs("model:status")
def model_status() -> None:
    """Show which model serves and how far a switch is."""


@cli.group()
def bench() -> None:
    """Measure this installation."""


@bench.command()
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE.jsonl]")
@_json
@_runs("bench:retrieval")
def retrieval() -> None:
    """Score how well memories are found: on the bundled set, or on entries and questions of your own."""


@cli.command()
@click.option(
    "--config-dir",
    type=click.Path(path_type=Path),
    help="Where the agent's credentials are; default ~/.config/moltnet.",
)
@click.option("--api-url", help="Where its network is; default MOLTNET_API_URL, else as the credentials say.")
@_runs("machine:mcp")
def mcp() -> None:
    """Speak MCP on standard input and output, with the credentials of this machine."""


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"moltnet {__version__}")


def _end_on_signals(*, as_worker: bool) -> None:
    """Ends a server with status 0 while it has nothing to drain; the server sets other handlers when it starts."""
    from moltnet.entrypoints.cli.ending import SIGNALS, WORKER_ENDS_WITHIN_S, end_in_time  # noqa: PLC0415

    def end(*_: object) -> None:
        if not as_worker:
            say("moltnet stopped")
        sys.exit(0)

    for number in SIGNALS:
        signal.signal(number, end)
    if as_worker:
        # A service manager signals the whole group, and then the supervising process signals its workers again.
        end_in_time(WORKER_ENDS_WITHIN_S, 0, at_second=False)
    else:
        end_in_time(status=0)


def main() -> None:
    """Runs the command line; a missing package and an interruption are reported in one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a character that a terminal lacks must not end the command
    try:
        cli(prog_name="moltnet")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "moltnet":
            raise
        say(f"error: the package {error.name} is missing; a server needs: pip install 'moltnet[server,model]'")
        sys.exit(CANNOT_START)
