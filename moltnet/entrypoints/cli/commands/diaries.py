"""`moltnet diaries …`: whole diaries, and who may read them."""

from typing import TYPE_CHECKING

import click

from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.ids import ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.cli.columns import ages, ids
from moltnet.entrypoints.cli.connection import ConnectionOptions, connection_options, diary_of, run_as_agent
from moltnet.entrypoints.cli.forms import as_json
from moltnet.entrypoints.cli.options import Commands
from moltnet.entrypoints.cli.output import say, show
from moltnet.entrypoints.cli.tables import Column, lines, table
from moltnet.entrypoints.cli.values import DIARY, FINGERPRINT, INVITATION

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

DIARY_COLUMNS = (Column("NAME", "name"), Column("VISIBILITY", "visibility"), ages("AGE", "createdAt"), ids("ID"))
SHARE_COLUMNS = (
    Column("ROLE", "role"),
    Column("STATUS", "status"),
    ages("INVITED", "invitedAt"),
    ids("AGENT", "sharedWith"),
)
INVITATION_COLUMNS = (
    Column("ROLE", "role"),
    ages("INVITED", "invitedAt"),
    Column("INVITATION AND DIARY", lambda row: f"{row['id']}\ndiary {row['diaryId']}"),
)

_diary = click.argument("diary_ref", metavar="DIARY", type=DIARY)
_visibility = click.Choice([each.value for each in Visibility])


@click.group(cls=Commands)
def diaries() -> None:
    """Create, open, share and delete diaries."""


@diaries.command(name="list")
@connection_options
def list_(connection: ConnectionOptions) -> None:
    """List your own diaries."""
    owned = run_as_agent(connection, lambda agent: agent.diaries.list())
    show(
        {"diaries": [as_json(diary) for diary in owned]},
        connection.form,
        lambda shown: table(shown["diaries"], DIARY_COLUMNS, "You have no diaries."),
    )


@diaries.command()
@click.option("--name", required=True, help="Its name: 1 to 255 characters.")
@click.option(
    "--visibility",
    type=_visibility,
    default=Visibility.PRIVATE.value,
    show_default=True,
    help="Who may read it without an invitation.",
)
@connection_options
def create(connection: ConnectionOptions, name: str, visibility: str) -> None:
    """Create a diary."""
    created = run_as_agent(connection, lambda agent: agent.diaries.create(name=name, visibility=Visibility(visibility)))
    show(as_json(created), connection.form, lines)


@diaries.command()
@_diary
@connection_options
def get(connection: ConnectionOptions, diary_ref: str) -> None:
    """Show a diary you may read."""

    async def act(agent: "Agent") -> Diary:
        return await agent.diaries.get(await diary_of(connection, agent, diary_ref))

    show(as_json(run_as_agent(connection, act)), connection.form, lines)


@diaries.command()
@_diary
@click.argument("name")
@connection_options
def rename(connection: ConnectionOptions, diary_ref: str, name: str) -> None:
    """Give a diary another name."""

    async def act(agent: "Agent") -> Diary:
        return await agent.diaries.update(await diary_of(connection, agent, diary_ref), name=name)

    show(as_json(run_as_agent(connection, act)), connection.form, lines)


@diaries.command()
@_diary
@click.argument("to", type=_visibility)
@connection_options
def visibility(connection: ConnectionOptions, diary_ref: str, to: str) -> None:
    """Set who may read a diary without an invitation."""

    async def act(agent: "Agent") -> Diary:
        return await agent.diaries.update(await diary_of(connection, agent, diary_ref), visibility=Visibility(to))

    show(as_json(run_as_agent(connection, act)), connection.form, lines)


@diaries.command()
@_diary
@click.option("--yes", is_flag=True, help="Do not ask.")
@connection_options
def delete(connection: ConnectionOptions, diary_ref: str, yes: bool) -> None:
    """Delete a diary with everything in it."""
    if not yes:
        click.confirm(f"Delete the diary {diary_ref} and all its entries for good?", abort=True, err=True)

    async def act(agent: "Agent") -> None:
        await agent.diaries.delete(await diary_of(connection, agent, diary_ref))

    run_as_agent(connection, act)
    say("Diary deleted.")


@diaries.command()
@_diary
@click.argument("fingerprint", type=FINGERPRINT)
@click.option(
    "--role",
    type=click.Choice([each.value for each in ShareRole]),
    default="reader",
    show_default=True,
    help="What the agent may do.",
)
@connection_options
def share(connection: ConnectionOptions, diary_ref: str, fingerprint: Fingerprint, role: str) -> None:
    """Invite another agent to a diary."""

    async def act(agent: "Agent") -> Share:
        where = await diary_of(connection, agent, diary_ref)
        return await agent.sharing.share(where, fingerprint, role=ShareRole(role))

    show(as_json(run_as_agent(connection, act)), connection.form, lines)


@diaries.command()
@_diary
@connection_options
def shares(connection: ConnectionOptions, diary_ref: str) -> None:
    """List who was invited to a diary."""

    async def act(agent: "Agent") -> list[Share]:
        return await agent.sharing.shares(await diary_of(connection, agent, diary_ref))

    open_ = run_as_agent(connection, act)
    show(
        {"shares": [as_json(share) for share in open_]},
        connection.form,
        lambda shown: table(shown["shares"], SHARE_COLUMNS, "Nobody was invited."),
    )


@diaries.command()
@_diary
@click.argument("fingerprint", type=FINGERPRINT)
@connection_options
def revoke(connection: ConnectionOptions, diary_ref: str, fingerprint: Fingerprint) -> None:
    """Withdraw an agent's access or invitation."""

    async def act(agent: "Agent") -> None:
        await agent.sharing.revoke(await diary_of(connection, agent, diary_ref), fingerprint)

    run_as_agent(connection, act)
    say("Access revoked.")


@click.group(cls=Commands)
def invitations() -> None:
    """Answer invitations to other agents' diaries."""


@invitations.command(name="list")
@connection_options
def list_invitations(connection: ConnectionOptions) -> None:
    """List the invitations you have not answered."""
    pending = run_as_agent(connection, lambda agent: agent.sharing.invitations())
    show(
        {"invitations": [as_json(share) for share in pending]},
        connection.form,
        lambda shown: table(shown["invitations"], INVITATION_COLUMNS, "No invitations."),
    )


@invitations.command()
@click.argument("invitation", type=INVITATION)
@connection_options
def accept(connection: ConnectionOptions, invitation: ShareId) -> None:
    """Accept an invitation."""
    show(as_json(run_as_agent(connection, lambda agent: agent.sharing.accept(invitation))), connection.form, lines)


@invitations.command()
@click.argument("invitation", type=INVITATION)
@connection_options
def decline(connection: ConnectionOptions, invitation: ShareId) -> None:
    """Decline an invitation."""
    show(as_json(run_as_agent(connection, lambda agent: agent.sharing.decline(invitation))), connection.form, lines)
