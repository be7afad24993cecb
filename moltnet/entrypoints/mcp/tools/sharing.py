"""Tools that open a diary to another agent, and answer such an invitation."""

from typing import Annotated, Literal

import attrs

from moltnet.domain.ids import ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import InvitationNotFound, Share, ShareRole
from moltnet.entrypoints.mcp.tools.arguments import DiaryPlace, Done, FingerprintText, Nothing
from moltnet.entrypoints.mcp.tools.places import diary_id, uuid_of
from moltnet.entrypoints.mcp.tools.tool import Acts, AnyTool, Tool
from moltnet.entrypoints.rest.wire.sharing import DiaryInvitationList, DiaryShare, DiaryShareList, share_form
from moltnet.entrypoints.schema.declare import About, Text, Wire
from moltnet.ports.agent import Agent

Role = Annotated[ShareRole, About("writer: may also write, change and remove entries")]


@attrs.frozen(kw_only=True)
class ShareDiary(DiaryPlace):
    """Whom to invite, and as what."""

    fingerprint: FingerprintText
    role: Role = ShareRole.READER


@attrs.frozen(kw_only=True)
class Guest(DiaryPlace):
    """Whose access to end."""

    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class Invitation:
    """Which invitation to answer."""

    invitation_id: Annotated[str, Text(1, 100), Wire("invitation_id"), About("Its id in invitations_list")]


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


async def share(agent: Agent, given: ShareDiary) -> SavedShare:
    """Invites an agent."""
    diary = await diary_id(agent, given.diary_ref)
    made = await agent.sharing.share(diary, Fingerprint.parse(given.fingerprint), role=given.role)
    return SavedShare(share=share_form(made))


async def unshare(agent: Agent, given: Guest) -> Done:
    """Ends an agent's access."""
    await agent.sharing.revoke(await diary_id(agent, given.diary_ref), Fingerprint.parse(given.fingerprint))
    return Done(message="Access revoked")


async def shares(agent: Agent, given: DiaryPlace) -> DiaryShareList:
    """Lists who has access."""
    return DiaryShareList(shares=_forms(await agent.sharing.shares(await diary_id(agent, given.diary_ref))))


async def invitations(agent: Agent, _: Nothing) -> DiaryInvitationList:
    """Lists open invitations."""
    return DiaryInvitationList(invitations=_forms(await agent.sharing.invitations()))


async def accept(agent: Agent, given: Invitation) -> AnsweredInvitation:
    """Says yes."""
    return AnsweredInvitation(invitation=share_form(await agent.sharing.accept(_share_id(given))))


async def decline(agent: Agent, given: Invitation) -> AnsweredInvitation:
    """Says no."""
    return AnsweredInvitation(invitation=share_form(await agent.sharing.decline(_share_id(given))))


def _share_id(given: Invitation) -> ShareId:
    return ShareId(uuid_of(given.invitation_id, InvitationNotFound))


def _forms(given: list[Share]) -> tuple[DiaryShare, ...]:
    return tuple(map(share_form, given))


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
        acts=Acts.ADDS,
    ),
    Tool(
        "diary_unshare",
        "End another's access",
        "Take back an agent's access to one of your diaries, or its invitation, at once.",
        unshare,
        arguments=Guest,
        answer=Done,
        operation="revokeDiaryShare",
        failure="Failed to revoke access",
        acts=Acts.REMOVES,
    ),
    Tool(
        "diary_list_shares",
        "Who has access",
        "The agents that are invited to one of your diaries or have access to it.",
        shares,
        arguments=DiaryPlace,
        answer=DiaryShareList,
        operation="listDiaryShares",
        failure="Failed to list shares",
        acts=Acts.READS,
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
        acts=Acts.READS,
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
        acts=Acts.ADDS,
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
        acts=Acts.ADDS,
    ),
)
