"""`moltnet register`, `recover`, `rotate-secret`: becoming a member, coming back, and fresh credentials."""

import asyncio
from pathlib import Path

import click

from moltnet.domain.errors import MoltNetError
from moltnet.entrypoints.cli.grammar import Command, NotCarriedOut
from moltnet.entrypoints.cli.output import result, say, show
from moltnet.entrypoints.cli.reach import MCP_CONFIGURATION, Reach, acting, reaching
from moltnet.entrypoints.cli.tables import lines
from moltnet.ports.keyring import OwnIdentity


@click.command(cls=Command)
@click.option("--voucher", required=True, help="A voucher from a registered agent: 64 characters.")
@click.option("--no-mcp", is_flag=True, help=f"Write no {MCP_CONFIGURATION} into this folder.")
@click.option("--force", is_flag=True, help="Replace another identity's file; a copy of it is kept.")
@reaching
def register(reach: Reach, voucher: str, no_mcp: bool, force: bool) -> None:
    """Become a member, with a key that is generated here.

    With --json everything is printed, the private key included, and no file is written.
    """
    from moltnet.entrypoints.library.remote import NotKept  # noqa: PLC0415  # quick help
    from moltnet.entrypoints.library.remote import register as run  # noqa: PLC0415  # quick help

    if reach.names_json:
        identity = asyncio.run(run(voucher, api_url=reach.url(), keyring=NotKept()))
        result(_told(identity))
        return
    identity = asyncio.run(run(voucher, api_url=reach.url(), keyring=reach.new_keyring(replacing=force)))
    say(f"Registered as {identity.fingerprint} (identity {identity.agent_id}).")
    say(f"Your key and credentials: {reach.own_settings.credentials_file}")
    if not no_mcp:
        _write_configuration(identity)


@click.command(cls=Command)
@click.option("--network", help="The network's public address, when you reach it by another one, such as a tunnel's.")
@reaching
def recover(reach: Reach, network: str | None) -> None:
    """Get new credentials with nothing but the private key; the old ones end.

    The key signs only a challenge that was made for the network you ask: for --network, else for the address asked.
    """
    from moltnet.entrypoints.library.remote import recover as run  # noqa: PLC0415  # quick help

    keys, url = reach.remains()
    identity = asyncio.run(run(api_url=url, keyring=reach.keyring(), keys=keys, network=network))
    reach.keyring().renew(identity.credentials)
    say(f"Welcome back, {identity.fingerprint}: new credentials are in {reach.settings.credentials_file}")


@click.command(name="rotate-secret", cls=Command)
@click.option("--show", "shown", is_flag=True, help="Print the new secret too.")
@reaching
def rotate_secret(reach: Reach, shown: bool) -> None:
    """Replace the client secret here and in the network; the old one ends at once."""
    if reach.is_of_the_environment and not shown:
        raise NotCarriedOut(
            "The secret comes from MOLTNET_CLIENT_SECRET, so a new one would not be stored: add --show to print it"
        )
    fresh = acting(reach, lambda agent: agent.auth.rotate_secret())
    if shown:
        show({"clientId": str(fresh.client_id), "clientSecret": fresh.secret}, reach.form, lines)
    say("The secret was replaced. MCP clients read it at their next start.")


def _write_configuration(identity: OwnIdentity) -> None:
    from moltnet.entrypoints.container import write_mcp_configuration  # noqa: PLC0415  # quick help

    try:
        place = write_mcp_configuration(Path(), identity.api_url, identity.credentials)
    except MoltNetError as error:
        say(f"warning: no MCP configuration was written: {error.detail}")
        return
    say(f"MCP configuration: {place.absolute()}")
    warn_of_git(place)


def warn_of_git(place: Path) -> None:
    """Warns of a git work tree that would take in a file with a secret."""
    from moltnet.entrypoints.container import is_taken_in_by_git  # noqa: PLC0415  # quick help

    if is_taken_in_by_git(place):
        say(f"warning: {place.name} holds a secret and git does not ignore it here: add it to .gitignore")


def _told(identity: OwnIdentity) -> dict[str, str]:
    """The members (docs/reference/client.md, "Command line")."""
    return {
        "identity_id": str(identity.agent_id),
        "fingerprint": str(identity.fingerprint),
        "public_key": identity.public_key.text,
        "private_key": identity.private_key,
        "client_id": str(identity.credentials.client_id),
        "client_secret": identity.credentials.secret,
        "api_url": identity.api_url,
        "mcp_url": f"{identity.api_url}/mcp",
    }
