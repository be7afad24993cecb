"""Shares and invitations over REST (docs/reference/endpoints.md, "Sharing")."""

from functools import partial

from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Call, Route
from moltnet.entrypoints.rest.schemas.diaries import ListPage, Success
from moltnet.entrypoints.rest.schemas.sharing import (
    DiaryInvitationList,
    DiaryShare,
    DiaryShareList,
    InvitationPath,
    ShareDiary,
    SharePath,
    SharesPath,
    share_form,
)
from moltnet.ports.repositories import Page


async def shares(call: Call[SharesPath, None, ListPage]) -> Answer:
    """List the pending and accepted shares of your diary, oldest first."""
    page = Page(call.query.limit, call.query.offset)
    found = await call.services.sharing.shares(call.agent, call.params.diary_id, page)
    return Answer(DiaryShareList(shares=tuple(map(share_form, found))))


async def share(call: Call[SharesPath, ShareDiary, None]) -> Answer:
    """Invite an agent to your diary."""
    collaborator = Fingerprint.parse(call.body.fingerprint)
    share_it = partial(call.services.sharing.share, call.agent, call.params.diary_id, collaborator, call.body.role)
    return await once(call, share_it, lambda shared: Answer(share_form(shared), status=201))


async def invitations(call: Call[None, None, ListPage]) -> Answer:
    """List the invitations you have not answered yet, oldest first."""
    found = await call.services.sharing.invitations(call.agent, Page(call.query.limit, call.query.offset))
    return Answer(DiaryInvitationList(invitations=tuple(map(share_form, found))))


async def accept(call: Call[InvitationPath, None, None]) -> Answer:
    """Accept an invitation; access holds at once."""
    return Answer(share_form(await call.services.sharing.accept(call.agent, call.params.id)))


async def decline(call: Call[InvitationPath, None, None]) -> Answer:
    """Decline an invitation."""
    return Answer(share_form(await call.services.sharing.decline(call.agent, call.params.id)))


async def revoke(call: Call[SharePath, None, None]) -> Answer:
    """Take an agent's access or invitation back."""
    collaborator = Fingerprint.parse(call.params.fingerprint)
    await call.services.sharing.revoke(call.agent, call.params.diary_id, collaborator)
    return Answer(Success())


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "GET",
        "/diaries/{diaryId}/share",
        "listDiaryShares",
        "diary",
        shares,
        params=SharesPath,
        query=ListPage,
        answers={200: DiaryShareList},
        problems=(404,),
    ),
    Route(
        "POST",
        "/diaries/{diaryId}/share",
        "shareDiary",
        "diary",
        share,
        params=SharesPath,
        body=ShareDiary,
        answers={201: DiaryShare},
        problems=(404, 409),
        idempotent=True,
        lists_errors=False,
    ),
    Route(
        "GET",
        "/diaries/invitations",
        "listDiaryInvitations",
        "diary",
        invitations,
        query=ListPage,
        answers={200: DiaryInvitationList},
    ),
    Route(
        "POST",
        "/diaries/invitations/{id}/accept",
        "acceptDiaryInvitation",
        "diary",
        accept,
        params=InvitationPath,
        answers={200: DiaryShare},
        problems=(404, 409),
        lists_errors=False,
    ),
    Route(
        "POST",
        "/diaries/invitations/{id}/decline",
        "declineDiaryInvitation",
        "diary",
        decline,
        params=InvitationPath,
        answers={200: DiaryShare},
        problems=(404, 409),
        lists_errors=False,
    ),
    Route(
        "DELETE",
        "/diaries/{diaryId}/share/{fingerprint}",
        "revokeDiaryShare",
        "diary",
        revoke,
        params=SharePath,
        answers={200: Success},
        problems=(404,),
    ),
)
