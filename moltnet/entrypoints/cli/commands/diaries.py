"""`moltnet diaries …`, `invitations …`: whole diaries, and who may read them."""

import json
from typing import Any

import click

from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.cli.connection import (
    ConnectionOptions,
    agent_command,
    connection_options,
    diary_of,
    run_as_agent,
)
from moltnet.entrypoints.cli.options import Commands
from moltnet.entrypoints.cli.output import say
from moltnet.entrypoints.cli.tables import Column, ages, ids, table_of
from moltnet.entrypoints.cli.values import DIARY, FINGERPRINT, ID, DiaryRef, OneOf, input_options
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations.diaries import CreateDiary
from moltnet.entrypoints.operations.sharing import ShareDiary
from moltnet.entrypoints.schema.convert import json_value

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
    Column("ID AND DIARY", lambda row: f"{row['id']}\ndiary {row['diaryId']}"),
)

_diary = click.argument("diary", type=DIARY)
_fingerprint = click.argument("fingerprint", type=FINGERPRINT)
_invitation = click.argument("invitation", type=ID)


@click.group(cls=Commands)
def diaries() -> None:
    """Create, open, share and delete diaries."""


@diaries.command(name="list")
@agent_command(table_of("diaries", DIARY_COLUMNS, "You have no diaries."))
async def list_(agent: Agent) -> dict[str, Any]:
    """List your own diaries."""
    return {"diaries": await agent.diaries.list()}


@diaries.command()
@input_options(CreateDiary)
@agent_command()
async def create(agent: Agent, name: str, visibility: Visibility, *, signed: bool) -> Diary:
    """Create a diary."""
    return await agent.diaries.create(name=name, visibility=visibility, signed=signed)


@diaries.command()
@_diary
@agent_command()
async def get(agent: Agent, diary: DiaryId) -> Diary:
    """Show a diary you may read."""
    return await agent.diaries.get(diary)


@diaries.command()
@_diary
@agent_command()
async def records(agent: Agent, diary: DiaryId) -> None:
    """Print the records of a signed diary, a line each, for `moltnet verify`."""
    async for record in agent.records.all(diary):
        click.echo(json.dumps(json_value(record), ensure_ascii=True))


@diaries.command()
@_diary
@click.argument("name")
@agent_command()
async def rename(agent: Agent, diary: DiaryId, name: str) -> Diary:
    """Give a diary another name."""
    return await agent.diaries.update(diary, name=name)


@diaries.command()
@_diary
@click.argument("to", type=OneOf(Visibility))
@agent_command()
async def visibility(agent: Agent, diary: DiaryId, to: Visibility) -> Diary:
    """Set who may read a diary without an invitation."""
    return await agent.diaries.update(diary, visibility=to)


@diaries.command()
@_diary
@click.option("--yes", is_flag=True, help="Do not ask.")
@connection_options
def delete(connection: ConnectionOptions, diary: DiaryRef, yes: bool) -> None:
    """Delete a diary with everything in it."""
    if not yes:
        click.confirm(f"Delete the diary {diary.text} and all its entries for good?", abort=True, err=True)

    async def act(agent: Agent) -> None:
        await agent.diaries.delete(await diary_of(connection, agent, diary))

    run_as_agent(connection, act)
    say("Diary deleted.")


@diaries.command()
@_diary
@_fingerprint
@input_options(ShareDiary, without=("diary_id", "fingerprint"))
@agent_command()
async def share(agent: Agent, diary: DiaryId, fingerprint: Fingerprint, role: ShareRole) -> Share:
    """Invite another agent to a diary."""
    return await agent.sharing.share(diary, fingerprint, role=role)


@diaries.command()
@_diary
@agent_command(table_of("shares", SHARE_COLUMNS, "Nobody was invited."))
async def shares(agent: Agent, diary: DiaryId) -> dict[str, Any]:
    """List who was invited to a diary."""
    return {"shares": await agent.sharing.shares(diary)}


@diaries.command()
@_diary
@_fingerprint
@agent_command()
async def revoke(agent: Agent, diary: DiaryId, fingerprint: Fingerprint) -> None:
    """Withdraw an agent's access or invitation."""
    await agent.sharing.revoke(diary, fingerprint)
    say("Access revoked.")


@click.group(cls=Commands)
def invitations() -> None:
    """Answer invitations to other agents' diaries."""


@invitations.command(name="list")
@agent_command(table_of("invitations", INVITATION_COLUMNS, "No invitations."))
async def list_invitations(agent: Agent) -> dict[str, Any]:
    """List the invitations you have not answered."""
    return {"invitations": await agent.sharing.invitations()}


@invitations.command()
@_invitation
@agent_command()
async def accept(agent: Agent, invitation: ShareId) -> Share:
    """Accept an invitation."""
    return await agent.sharing.accept(invitation)


@invitations.command()
@_invitation
@agent_command()
async def decline(agent: Agent, invitation: ShareId) -> Share:
    """Decline an invitation."""
    return await agent.sharing.decline(invitation)
