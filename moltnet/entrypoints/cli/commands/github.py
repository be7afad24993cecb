"""`moltnet github …`: commits and pushes as a GitHub App (docs/reference/client.md, "Git identity and GitHub App")."""

import asyncio

import click

from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options
from moltnet.entrypoints.cli.options import Commands
from moltnet.entrypoints.cli.output import say


@click.group(cls=Commands)
def github() -> None:
    """Commit and push as a GitHub App."""


@github.command()
@click.option("--app-slug", help="The App's name in its URL; default the one in the credentials file.")
@click.option("--name", help="The author name of commits; default the slug.")
@connection_options
def setup(connection: ConnectionOptions, app_slug: str | None, name: str | None) -> None:
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
