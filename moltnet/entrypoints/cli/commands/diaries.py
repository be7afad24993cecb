"""`moltnet diaries …`: whole diaries, and who may read them."""

import click

from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.ids import ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.cli.columns import ages, ids
from moltnet.entrypoints.cli.forms import diary_json, share_json
from moltnet.entrypoints.cli.grammar import Commands
from moltnet.entrypoints.cli.output import say, show
from moltnet.entrypoints.cli.reach import Reach, acting, diary_of, reaching
from moltnet.entrypoints.cli.tables import Column, lines, table
from moltnet.entrypoints.cli.values import DIARY, FINGERPRINT, INVITATION
from moltnet.ports.agent import Agent

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
@reaching
def list_(reach: Reach) -> None:
    """List your own diaries."""
    own = acting(reach, lambda agent: agent.diaries.list())
    show(
        {"diaries": [diary_json(diary) for diary in own]},
        reach.form,
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
@reaching
def create(reach: Reach, name: str, visibility: str) -> None:
    """Create a diary."""
    made = acting(reach, lambda agent: agent.diaries.create(name=name, visibility=Visibility(visibility)))
    show(diary_json(made), reach.form, lines)


@diaries.command()
@_diary
@reaching
def get(reach: Reach, diary_ref: str) -> None:
    """Show a diary you may read."""

    async def act(agent: Agent) -> Diary:
        return await agent.diaries.get(await diary_of(reach, agent, diary_ref))

    show(diary_json(acting(reach, act)), reach.form, lines)


@diaries.command()
@_diary
@click.argument("name")
@reaching
def rename(reach: Reach, diary_ref: str, name: str) -> None:
    """Give a diary another name."""

    async def act(agent: Agent) -> Diary:
        return await agent.diaries.update(await diary_of(reach, agent, diary_ref), name=name)

    show(diary_json(acting(reach, act)), reach.form, lines)


@diaries.command()
@_diary
@click.argument("to", type=_visibility)
@reaching
def visibility(reach: Reach, diary_ref: str, to: str) -> None:
    """Set who may read a diary without an invitation."""

    async def act(agent: Agent) -> Diary:
        return await agent.diaries.update(await diary_of(reach, agent, diary_ref), visibility=Visibility(to))

    show(diary_json(acting(reach, act)), reach.form, lines)


@diaries.command()
@_diary
@click.option("--yes", is_flag=True, help="Do not ask.")
@reaching
def delete(reach: Reach, diary_ref: str, yes: bool) -> None:
    """Delete a diary with everything in it."""
    if not yes:
        click.confirm(f"Delete the diary {diary_ref} and all its entries for good?", abort=True, err=True)

    async def act(agent: Agent) -> None:
        await agent.diaries.delete(await diary_of(reach, agent, diary_ref))

    acting(reach, act)
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
@reaching
def share(reach: Reach, diary_ref: str, fingerprint: Fingerprint, role: str) -> None:
    """Invite another agent to a diary."""

    async def act(agent: Agent) -> Share:
        where = await diary_of(reach, agent, diary_ref)
        return await agent.sharing.share(where, fingerprint, role=ShareRole(role))

    show(share_json(acting(reach, act)), reach.form, lines)


@diaries.command()
@_diary
@reaching
def shares(reach: Reach, diary_ref: str) -> None:
    """List who was invited to a diary."""

    async def act(agent: Agent) -> list[Share]:
        return await agent.sharing.shares(await diary_of(reach, agent, diary_ref))

    open_ = acting(reach, act)
    show(
        {"shares": [share_json(share) for share in open_]},
        reach.form,
        lambda shown: table(shown["shares"], SHARE_COLUMNS, "Nobody was invited."),
    )


@diaries.command()
@_diary
@click.argument("fingerprint", type=FINGERPRINT)
@reaching
def revoke(reach: Reach, diary_ref: str, fingerprint: Fingerprint) -> None:
    """Withdraw an agent's access or invitation."""

    async def act(agent: Agent) -> None:
        await agent.sharing.revoke(await diary_of(reach, agent, diary_ref), fingerprint)

    acting(reach, act)
    say("Access revoked.")


@click.group(cls=Commands)
def invitations() -> None:
    """Answer invitations to other agents' diaries."""


@invitations.command(name="list")
@reaching
def list_invitations(reach: Reach) -> None:
    """List the invitations you have not answered."""
    pending = acting(reach, lambda agent: agent.sharing.invitations())
    show(
        {"invitations": [share_json(share) for share in pending]},
        reach.form,
        lambda shown: table(shown["invitations"], INVITATION_COLUMNS, "No invitations."),
    )


@invitations.command()
@click.argument("invitation", type=INVITATION)
@reaching
def accept(reach: Reach, invitation: ShareId) -> None:
    """Accept an invitation."""
    show(share_json(acting(reach, lambda agent: agent.sharing.accept(invitation))), reach.form, lines)


@invitations.command()
@click.argument("invitation", type=INVITATION)
@reaching
def decline(reach: Reach, invitation: ShareId) -> None:
    """Decline an invitation."""
    show(share_json(acting(reach, lambda agent: agent.sharing.decline(invitation))), reach.form, lines)
