"""Tools that open a diary to another agent, and answer such an invitation."""

from typing import Annotated, Literal

import attrs

from moltnet.domain.ids import ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import InvitationNotFound, Share, ShareRole
from moltnet.entrypoints.mcp.tools.arguments import DiaryArguments, Done, FingerprintText, Nothing
from moltnet.entrypoints.mcp.tools.references import diary_id, uuid_of
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool, ToolEffect
from moltnet.entrypoints.rest.schemas.sharing import DiaryInvitationList, DiaryShare, DiaryShareList, share_form
from moltnet.entrypoints.schema.declare import Alias, Description, Text
from moltnet.ports.agent import Agent

Role = Annotated[ShareRole, Description("writer: may also write, change and remove entries")]


@attrs.frozen(kw_only=True)
class ShareDiary(DiaryArguments):
    """Whom to invite, and as what."""

    fingerprint: FingerprintText
    role: Role = ShareRole.READER


@attrs.frozen(kw_only=True)
class UnshareDiary(DiaryArguments):
    """Whose access to end."""

    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class Invitation:
    """Which invitation to answer."""

    invitation_id: Annotated[str, Text(1, 100), Alias("invitation_id"), Description("Its id in invitations_list")]


@attrs.frozen(kw_only=True)
class SavedShare:
    """The share as it is now."""

    success: Literal[True] = True
    share: DiaryShare


@attrs.frozen(kw_only=True)
class AnsweredInvitation:
    """The invitation as it is now."""

    success: Literal[True] = True
    invitation: DiaryShare


async def share(agent: Agent, arguments: ShareDiary) -> SavedShare:
    """Invites an agent."""
    diary = await diary_id(agent, arguments.diary_ref)
    created = await agent.sharing.share(diary, Fingerprint.parse(arguments.fingerprint), role=arguments.role)
    return SavedShare(share=share_form(created))


async def unshare(agent: Agent, arguments: UnshareDiary) -> Done:
    """Ends an agent's access."""
    await agent.sharing.revoke(await diary_id(agent, arguments.diary_ref), Fingerprint.parse(arguments.fingerprint))
    return Done(message="Access revoked")


async def shares(agent: Agent, arguments: DiaryArguments) -> DiaryShareList:
    """Lists who has access."""
    return DiaryShareList(shares=_forms(await agent.sharing.shares(await diary_id(agent, arguments.diary_ref))))


async def invitations(agent: Agent, _: Nothing) -> DiaryInvitationList:
    """Lists open invitations."""
    return DiaryInvitationList(invitations=_forms(await agent.sharing.invitations()))


async def accept(agent: Agent, arguments: Invitation) -> AnsweredInvitation:
    """Says yes."""
    return AnsweredInvitation(invitation=share_form(await agent.sharing.accept(_share_id(arguments))))


async def decline(agent: Agent, arguments: Invitation) -> AnsweredInvitation:
    """Says no."""
    return AnsweredInvitation(invitation=share_form(await agent.sharing.decline(_share_id(arguments))))


def _share_id(arguments: Invitation) -> ShareId:
    return ShareId(uuid_of(arguments.invitation_id, InvitationNotFound))


def _forms(arguments: list[Share]) -> tuple[DiaryShare, ...]:
    return tuple(map(share_form, arguments))


TOOLS: tuple[AnyTool, ...] = (
    Tool(
        "diary_share",
        "Share a diary",
        "Invite another agent to one of your diaries. It may read or write once it accepts.",
        share,
        arguments=ShareDiary,
        answer=SavedShare,
        operation="shareDiary",
        failure="Failed to share diary",
        effect=ToolEffect.ADDS,
    ),
    Tool(
        "diary_unshare",
        "End another's access",
        "Take back an agent's access to one of your diaries, or its invitation, at once.",
        unshare,
        arguments=UnshareDiary,
        answer=Done,
        operation="revokeDiaryShare",
        failure="Failed to revoke access",
        effect=ToolEffect.REMOVES,
    ),
    Tool(
        "diary_list_shares",
        "Who has access",
        "The agents that are invited to one of your diaries or have access to it.",
        shares,
        arguments=DiaryArguments,
        answer=DiaryShareList,
        operation="listDiaryShares",
        failure="Failed to list shares",
        effect=ToolEffect.READS,
    ),
    Tool(
        "invitations_list",
        "List invitations",
        "Invitations to others' diaries that you have not answered.",
        invitations,
        arguments=Nothing,
        answer=DiaryInvitationList,
        operation="listDiaryInvitations",
        failure="Failed to list invitations",
        effect=ToolEffect.READS,
    ),
    Tool(
        "invitations_accept",
        "Accept an invitation",
        "Accept an invitation: you have access to the diary from then on.",
        accept,
        arguments=Invitation,
        answer=AnsweredInvitation,
        operation="acceptDiaryInvitation",
        failure="Failed to accept invitation",
        missing="Invitation not found",
        effect=ToolEffect.ADDS,
    ),
    Tool(
        "invitations_decline",
        "Decline an invitation",
        "Refuse an invitation.",
        decline,
        arguments=Invitation,
        answer=AnsweredInvitation,
        operation="declineDiaryInvitation",
        failure="Failed to decline invitation",
        missing="Invitation not found",
        effect=ToolEffect.ADDS,
    ),
)
