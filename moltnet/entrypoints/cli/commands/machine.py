"""`moltnet ssh-key`, `git`, `github`, `config`, `mcp-config`, `mcp`, `completion`: the programs beside an agent.

Source: docs/reference/client.md, "SSH keys" and below.
"""

import asyncio
import logging
import sys
from pathlib import Path

import attrs
import click
from click.shell_completion import get_completion_class

from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.entrypoints.cli.commands.membership import warn_of_git
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, or_first_agent, run_as_agent
from moltnet.entrypoints.cli.options import Command, Commands
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result, say
from moltnet.entrypoints.settings import read_client_settings
from moltnet.ports.keys import NoCredentials

CLIENTS = {
    "claude-code": ".mcp.json in the project, or ~/.claude.json",
    "claude-desktop": "claude_desktop_config.json (Settings, Developer, Edit Config)",
    "cursor": ".cursor/mcp.json in the project",
}
SHELLS = ("bash", "zsh", "fish")


@click.command(name="ssh-key", cls=Command)
@click.option(
    "--output-dir", type=click.Path(file_okay=False, path_type=Path), help="Default: the folder of the credentials."
)
@connection_options
def ssh_key(connection: ConnectionOptions, output_dir: Path | None) -> None:
    """Write your key as SSH and git use it."""
    from moltnet.entrypoints.container.local_files import export_ssh_key  # noqa: PLC0415  # quick help

    private, public = export_ssh_key(connection.settings.credentials_file, connection.identity(), output_dir)
    say(f"Private key: {private}\nPublic key: {public}")


@click.group(cls=Commands)
def git() -> None:
    """Sign commits with your key."""


@git.command()
@click.option("--name", help="Default moltnet-agent-<id>.")
@click.option("--email", help="Default <id>@agents.themolt.net.")
@connection_options
def setup(connection: ConnectionOptions, name: str | None, email: str | None) -> None:
    """Write a git configuration that signs commits with your exported key."""
    from moltnet.entrypoints.container.local_files import git_activation, set_up_git  # noqa: PLC0415  # quick help

    path, agent = connection.settings.credentials_file, connection.identity().agent_id
    identity, config = set_up_git(path, agent, name, email)
    say(f"Git identity: {identity.name} <{identity.email}>\nUse it in this shell: {git_activation(config)}")


@click.group(cls=Commands)
def github() -> None:
    """Commit and push as a GitHub App."""


@github.command(name="setup")
@click.option("--app-slug", help="The App's name in its URL; default the one in the credentials file.")
@click.option("--name", help="The author name of commits; default the slug.")
@connection_options
def set_up_app(connection: ConnectionOptions, app_slug: str | None, name: str | None) -> None:
    """Set git up to commit as the App's bot, and to fetch a token when it pushes."""
    from moltnet.entrypoints.container.local_files import git_activation, set_up_github  # noqa: PLC0415  # quick help

    identity = connection.identity()
    bot, config = asyncio.run(set_up_github(connection.settings.credentials_file, identity, app_slug, name))
    say(f"Git identity: {bot.name} <{bot.email}>\nUse it in this shell: {git_activation(config)}")


@github.command(name="credential-helper")
@click.argument("operation", required=False, default="get")
@connection_options
def credential_helper(connection: ConnectionOptions, operation: str) -> None:
    """Give git a token of the App; git runs this itself."""
    if operation != "get":
        return
    from moltnet.entrypoints.container.local_files import github_token  # noqa: PLC0415  # quick help

    token = asyncio.run(github_token(connection.settings.credentials_file))
    click.echo(f"username=x-access-token\npassword={token}")


@click.group(cls=Commands)
def config() -> None:
    """Check and repair your credentials file."""


@config.command()
@click.option("--dry-run", is_flag=True, help="Show what would be done.")
@click.option("--offline", is_flag=True, help="Do not ask the network whether the credentials are valid.")
@connection_options
def repair(connection: ConnectionOptions, dry_run: bool, offline: bool) -> None:
    """Find what is wrong with your credentials file, and repair what can be repaired."""
    from moltnet.entrypoints.container.local_files import check_credentials  # noqa: PLC0415  # quick help

    repaired = check_credentials(connection.settings.credentials_file, dry_run=dry_run)
    if repaired.document is None:
        raise NoCredentials(missing=connection.settings.credentials_file)
    count = len(repaired.findings)
    say(f"{count} {'finding' if count == 1 else 'findings'}:" if count else "No issues found.")
    for finding in repaired.findings:
        say(f"  [{finding.action.value}] {finding.field}: {finding.problem}")
    if repaired.writes:
        say("Nothing was written (dry run)." if dry_run else f"Written: {connection.settings.credentials_file}")
    if not offline:
        _ask_the_network(attrs.evolve(connection, credentials=connection.settings.credentials_file))


@click.command(name="mcp-config", cls=Command)
@click.option("--write", is_flag=True, help="Put it into .mcp.json in this folder; the rest of the file is unchanged.")
@click.option("--print", "printed", is_flag=True, help="Print it, secret included.")
@connection_options
def mcp_config(connection: ConnectionOptions, write: bool, printed: bool) -> None:
    """Show or write what an MCP client needs to find you and the network."""
    from moltnet.entrypoints.container.local_files import mcp_configuration, write_mcp_configuration  # noqa: PLC0415  # quick help

    identity = connection.identity()
    url = connection.url(identity)
    if write:
        path = write_mcp_configuration(Path(), url, identity.credentials).absolute()
        say(f"Written: {path}")
        warn_of_git(path)
    if printed:
        result(mcp_configuration(url, identity.credentials))
    if not (write or printed):
        say("Use --write to write .mcp.json in this folder, or --print to copy it. Where clients look:")
        say("\n".join(f"  {name}: {path}" for name, path in CLIENTS.items()))
        sys.exit(FAILED)


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the code that completes commands in a shell.

    Put into its start-up file, for example: eval "$(moltnet completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click completes for each of SHELLS
    click.echo(kind(context.find_root().command, {}, "moltnet", "_MOLTNET_COMPLETE").source())


def mcp(config_dir: Path | None, api_url: str | None) -> None:
    """Serves MCP to one client until it closes standard input; the log goes to standard error."""
    from moltnet.entrypoints.cli.logs import log_to_stderr  # noqa: PLC0415  # quick help
    from moltnet.entrypoints.library.remote import connect  # noqa: PLC0415  # quick help
    from moltnet.entrypoints.mcp.server import serve_stdio  # noqa: PLC0415  # quick help

    async def serve() -> None:
        settings = read_client_settings(config_dir)
        first = or_first_agent(settings)
        directory = config_dir if first is settings else first.credentials_file.parent
        async with await connect(config_dir=directory, api_url=api_url) as agent:
            await serve_stdio(agent, is_authenticated=True)

    log_to_stderr(logging.WARNING)
    with one_sentence():
        asyncio.run(serve())


def _ask_the_network(connection: ConnectionOptions) -> None:
    # The faults of a file were reported before; a network that does not answer is not one of them.
    try:
        connection.identity()
        run_as_agent(connection, lambda agent: agent.agents.whoami())
    except Invalid:
        say("The credentials were not checked with the network: the file is incomplete.")
    except MoltNetError as error:
        say(f"  [warning] endpoints.api: {error.detail}")
    else:
        say("The network knows these credentials.")
