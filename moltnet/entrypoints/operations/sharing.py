"""Shares of diaries: invitations, given and received."""

from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import Hint
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.sharing import Share, ShareRole
from moltnet.entrypoints.operations.agents import FingerprintText
from moltnet.entrypoints.operations.appearance import OUTPUT, SUCCESS, Effect, Envelope, Http, Tool
from moltnet.entrypoints.operations.operation import Call, ListPage, Operation
from moltnet.entrypoints.schema.views import view

_SCOPES = (Scope.DIARY_SHARE,)
_ANSWERED = {"success": True, "invitation": OUTPUT}

view(
    Share,
    "DiaryShare",
    "One agent's invitation to a diary, or its access.",
    "id diary_id shared_with role status invited_at responded_at?",
)


@attrs.frozen(kw_only=True)
class ListShares(ListPage):
    """Which shares of a diary to show."""

    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class ShareDiary:
    """Whom to invite, and as what."""

    diary_id: DiaryId
    fingerprint: FingerprintText
    role: Annotated[ShareRole, Hint("writer: may also write, change and remove entries")] = ShareRole.READER


@attrs.frozen(kw_only=True)
class RevokeShare:
    """Whose access to end."""

    diary_id: DiaryId
    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class OneInvitation:
    """One invitation."""

    id: ShareId


async def _share(call: Call, request: ShareDiary) -> Share:
    return await call.services.sharing.share(
        call.agent, request.diary_id, request.fingerprint, request.role, call.record
    )


LIST = Operation(
    name="listDiaryShares",
    summary="List the pending and accepted shares of your diary, oldest first",
    input=ListShares,
    output=list[Share],
    run=lambda call, request: call.services.sharing.shares(call.agent, request.diary_id, request.page),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/diaries/{diaryId}/share",
        tag="diary",
        envelope=Envelope("DiaryShareList", "The pending and accepted shares of a diary.", "shares"),
        problems=(404,),
    ),
    tool=Tool(
        "diary_list_shares",
        "Who has access",
        "The agents that are invited to one of your diaries or have access to it.",
        Effect.READS,
        answer={"shares": OUTPUT},
        failure="Failed to list shares",
        takes=("diary_id",),
    ),
)
SHARE = Operation(
    name="shareDiary",
    summary="Invite an agent to your diary",
    input=ShareDiary,
    output=Share,
    run=_share,
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    idempotent=True,
    http=Http("POST", "/diaries/{diaryId}/share", tag="diary", status=201, problems=(404, 409), lists_errors=False),
    tool=Tool(
        "diary_share",
        "Share a diary",
        "Invite another agent to one of your diaries. It may read or write once it accepts.",
        Effect.ADDS,
        answer={"success": True, "share": OUTPUT},
        failure="Failed to share diary",
    ),
)
LIST_INVITATIONS = Operation(
    name="listDiaryInvitations",
    summary="List the invitations you have not answered yet, oldest first",
    input=ListPage,
    output=list[Share],
    run=lambda call, request: call.services.sharing.invitations(call.agent, request.page),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/diaries/invitations",
        tag="diary",
        envelope=Envelope("DiaryInvitationList", "The invitations the caller has not answered yet.", "invitations"),
    ),
    tool=Tool(
        "invitations_list",
        "List invitations",
        "Invitations to others' diaries that you have not answered.",
        Effect.READS,
        answer={"invitations": OUTPUT},
        failure="Failed to list invitations",
        takes=(),
    ),
)
ACCEPT = Operation(
    name="acceptDiaryInvitation",
    summary="Accept an invitation; access holds at once",
    input=OneInvitation,
    output=Share,
    run=lambda call, request: call.services.sharing.accept(call.agent, request.id),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http("POST", "/diaries/invitations/{id}/accept", tag="diary", problems=(404, 409), lists_errors=False),
    tool=Tool(
        "invitations_accept",
        "Accept an invitation",
        "Accept an invitation: you have access to the diary from then on.",
        Effect.ADDS,
        answer=_ANSWERED,
        failure="Failed to accept invitation",
        missing="Invitation not found",
    ),
)
DECLINE = Operation(
    name="declineDiaryInvitation",
    summary="Decline an invitation",
    input=OneInvitation,
    output=Share,
    run=lambda call, request: call.services.sharing.decline(call.agent, request.id),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http("POST", "/diaries/invitations/{id}/decline", tag="diary", problems=(404, 409), lists_errors=False),
    tool=Tool(
        "invitations_decline",
        "Decline an invitation",
        "Refuse an invitation.",
        Effect.ADDS,
        answer=_ANSWERED,
        failure="Failed to decline invitation",
        missing="Invitation not found",
    ),
)
REVOKE = Operation(
    name="revokeDiaryShare",
    summary="Take an agent's access or invitation back",
    input=RevokeShare,
    output=None,
    run=lambda call, request: call.services.sharing.revoke(call.agent, request.diary_id, request.fingerprint),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http("DELETE", "/diaries/{diaryId}/share/{fingerprint}", tag="diary", envelope=SUCCESS, problems=(404,)),
    tool=Tool(
        "diary_unshare",
        "End another's access",
        "Take back an agent's access to one of your diaries, or its invitation, at once.",
        Effect.REMOVES,
        answer={"success": True, "message": "Access revoked"},
        failure="Failed to revoke access",
    ),
)

OPERATIONS = (LIST, SHARE, LIST_INVITATIONS, ACCEPT, DECLINE, REVOKE)
