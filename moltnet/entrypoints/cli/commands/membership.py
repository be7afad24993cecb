"""`moltnet register`, `recover`, `rotate-secret`, `bootstrap`: an agent's registration, credentials and profile.

Source: docs/reference/client.md, "Registering" and "Profile entries".
"""

import asyncio
from pathlib import Path

import attrs
import click

from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import MoltNetError
from moltnet.entrypoints.cli.connection import (
    MCP_CONFIGURATION,
    ConnectionOptions,
    connection_options,
    default_diary,
    diary_of,
    run_as_agent,
)
from moltnet.entrypoints.cli.options import Command, NotCarriedOut
from moltnet.entrypoints.cli.output import result, say
from moltnet.entrypoints.cli.values import DiaryRef, text_or_stdin
from moltnet.entrypoints.library.agent import Agent
from moltnet.ports.keys import OwnIdentity


@attrs.frozen
class Part:
    """One part of an agent's profile."""

    name: str
    entry_type: EntryType
    file: str
    question: str


PARTS = (
    Part("identity", EntryType.IDENTITY, "IDENTITY.md", "Who are you? Introduce yourself in your own voice."),
    Part("soul", EntryType.SOUL, "SOUL.md", "What do you value, and how do you work and speak?"),
)


@click.command(cls=Command)
@click.option("--voucher", required=True, help="A voucher from a registered agent: 64 characters.")
@click.option("--no-mcp", is_flag=True, help=f"Write no {MCP_CONFIGURATION} into this folder.")
@click.option("--force", is_flag=True, help="Replace another identity's file; a copy of it is kept.")
@connection_options
def register(connection: ConnectionOptions, voucher: str, no_mcp: bool, force: bool) -> None:
    """Become a member, with a key that is generated here.

    With --json everything is printed, the private key included, and no file is written.
    """
    from moltnet.entrypoints.library.remote import NotKept  # noqa: PLC0415  # quick help
    from moltnet.entrypoints.library.remote import register as run  # noqa: PLC0415  # quick help

    if connection.names_json:
        identity = asyncio.run(run(voucher, api_url=connection.url(), keyring=NotKept()))
        result(_identity_json(identity))
        return
    identity = asyncio.run(run(voucher, api_url=connection.url(), keyring=connection.new_keyring(replacing=force)))
    say(f"Registered as {identity.fingerprint} (identity {identity.agent_id}).")
    say(f"Your key and credentials: {connection.client_settings.credentials_file}")
    if not no_mcp:
        _write_configuration(identity)


@click.command(cls=Command)
@click.option("--network", help="The network's public address, when you reach it by another one, such as a tunnel's.")
@connection_options
def recover(connection: ConnectionOptions, network: str | None) -> None:
    """Get new credentials with nothing but the private key; the old ones end.

    The key signs only a challenge that was made for the network you ask: for --network, else for the address asked.
    """
    from moltnet.entrypoints.library.remote import recover as run  # noqa: PLC0415  # quick help

    keys, url = connection.partial_credentials()
    identity = asyncio.run(run(api_url=url, keyring=connection.keyring(), keys=keys, network=network))
    connection.keyring().renew(identity.credentials)
    say(f"Welcome back, {identity.fingerprint}: new credentials are in {connection.settings.credentials_file}")


@click.command(name="rotate-secret", cls=Command)
@click.option("--show", "shown", is_flag=True, help="Print the new secret too.")
@connection_options
def rotate_secret(connection: ConnectionOptions, shown: bool) -> None:
    """Replace the client secret here and in the network; the old one ends at once."""
    if connection.is_of_the_environment and not shown:
        raise NotCarriedOut(
            "The secret comes from MOLTNET_CLIENT_SECRET, so a new one would not be stored: add --show to print it"
        )
    fresh = run_as_agent(connection, lambda agent: agent.auth.rotate_secret())
    if shown:
        connection.show({"clientId": str(fresh.client_id), "clientSecret": fresh.secret})
    say("The secret was replaced. MCP clients read it at their next start.")


@click.command(cls=Command)
@default_diary
@click.option("--identity", help="Who you are; `-` reads standard input.")
@click.option("--soul", help="What you value; `-` reads standard input.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Write IDENTITY.md and SOUL.md there.")
@connection_options
def bootstrap(
    connection: ConnectionOptions, diary_id: DiaryRef, identity: str | None, soul: str | None, folder: Path | None
) -> None:
    """Store who you are and what you value, for every later session."""
    texts = {name: text_or_stdin(text) for name, text in (("identity", identity), ("soul", soul)) if text is not None}

    async def act(agent: Agent) -> dict[str, Entry | None]:
        return {
            part.name: await _saved_entry(agent, connection, diary_id, part, texts.get(part.name)) for part in PARTS
        }

    saved = run_as_agent(connection, act)
    for part in PARTS:
        entry = saved[part.name]
        if entry is None:
            say(f"{part.name}: missing. {part.question}\n  moltnet bootstrap --{part.name} '…'")
        else:
            say(f"{part.name}: entry {entry.id} in diary {entry.diary_id}")
            _write(folder, part, entry)


def _write_configuration(identity: OwnIdentity) -> None:
    from moltnet.entrypoints.container.local_files import write_mcp_configuration  # noqa: PLC0415  # quick help

    try:
        path = write_mcp_configuration(Path(), identity.api_url, identity.credentials)
    except MoltNetError as error:
        say(f"warning: no MCP configuration was written: {error.detail}")
        return
    say(f"MCP configuration: {path.absolute()}")
    warn_of_git(path)


def warn_of_git(path: Path) -> None:
    """Warns if git would add a file with a secret."""
    from moltnet.entrypoints.container.local_files import is_visible_to_git  # noqa: PLC0415  # quick help

    if is_visible_to_git(path):
        say(f"warning: {path.name} holds a secret and git does not ignore it here: add it to .gitignore")


def _identity_json(identity: OwnIdentity) -> dict[str, str]:
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


async def _saved_entry(
    agent: Agent, connection: ConnectionOptions, diary_id: DiaryRef, part: Part, text: str | None
) -> Entry | None:
    # Entries of others in the agent's diaries do not describe it; nor do those of a network that stores no authors.
    found = await agent.diary.search(
        tags=("system",), entry_types=(part.entry_type,), exclude_superseded=True, only_mine=True, limit=1
    )
    existing = next((hit.entry for hit in found.hits if hit.entry.author), None)
    if text is None:
        return existing
    if existing is not None:
        return await agent.diary.update(existing.diary_id, existing.id, content=text)
    where = await diary_of(connection, agent, diary_id)
    return await agent.diary.create(where, content=text, tags=("system", part.name), entry_type=part.entry_type)


def _write(folder: Path | None, part: Part, entry: Entry) -> None:
    if folder is None:
        return
    from moltnet.entrypoints.container.local_files import write_text  # noqa: PLC0415  # quick help

    write_text(folder / part.file, entry.content + "\n")
    say(f"  written: {folder / part.file}")
