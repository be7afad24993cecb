"""Shares and invitations (docs/reference/endpoints.md, "Sharing")."""

from uuid import uuid4

import pytest

NO_DIARY = (404, "NOT_FOUND", "Diary not found")
NO_INVITATION = (404, "NOT_FOUND", "Invitation not found")


@pytest.fixture
async def diary(ada):
    return await ada.diary()


async def invite(owner, guest, diary, **more):
    return await owner.ask("POST", f"/diaries/{diary}/share", {"fingerprint": guest.fingerprint, **more})


async def test_invitation_is_returned_in_wire_order(ada, bob, diary):
    share = await invite(ada, bob, diary)
    assert share.status == 201
    assert list(share.json) == ["id", "diaryId", "sharedWith", "role", "status", "invitedAt", "respondedAt"]
    assert (share.json["diaryId"], share.json["sharedWith"]) == (diary, str(bob.agent_id))
    assert (share.json["role"], share.json["status"], share.json["respondedAt"]) == ("reader", "pending", None)
    assert (await bob.ask("GET", "/diaries/invitations")).json == {"invitations": [share.json]}
    assert (await ada.ask("GET", f"/diaries/{diary}/share")).json == {"shares": [share.json]}


async def test_accepting_gives_access_and_is_done_once(ada, bob, diary):
    share = (await invite(ada, bob, diary, role="writer")).json
    accepted = await bob.ask("POST", f"/diaries/invitations/{share['id']}/accept")
    assert (accepted.status, accepted.json["status"], accepted.json["role"]) == (200, "accepted", "writer")
    assert accepted.json["respondedAt"]
    assert (await bob.ask("POST", f"/diaries/{diary}/entries", {"content": "hi"})).status == 201
    again = await bob.ask("POST", f"/diaries/invitations/{share['id']}/accept")
    assert again.told == (400, "VALIDATION_FAILED", "Invitation has already been accepted")


async def test_declining_gives_nothing(ada, bob, diary):
    share = (await invite(ada, bob, diary)).json
    assert (await bob.ask("POST", f"/diaries/invitations/{share['id']}/decline")).json["status"] == "declined"
    assert (await bob.ask("GET", f"/diaries/{diary}")).status == 404
    assert (await ada.ask("GET", f"/diaries/{diary}/share")).json == {"shares": []}


@pytest.mark.parametrize("act", ["accept", "decline"])
async def test_only_the_invited_agent_answers(network, ada, bob, diary, act):
    share = (await invite(ada, bob, diary)).json
    stranger = await network.member()
    for agent in (ada, stranger):
        assert (await agent.ask("POST", f"/diaries/invitations/{share['id']}/{act}")).told == NO_INVITATION
    assert (await bob.ask("POST", f"/diaries/invitations/{uuid4()}/{act}")).told == NO_INVITATION


async def test_sharing_is_the_owners_alone(ada, bob, diary):
    await ada.shares_with(bob, diary, "writer")
    body = {"fingerprint": bob.fingerprint}
    for place in (diary, str(uuid4())):
        assert (await bob.ask("GET", f"/diaries/{place}/share")).told == NO_DIARY
        assert (await bob.ask("POST", f"/diaries/{place}/share", body)).told == NO_DIARY
        assert (await bob.ask("DELETE", f"/diaries/{place}/share/{bob.fingerprint}")).told == NO_DIARY


async def test_invitations_that_cannot_be(ada, bob, diary):
    unknown = "0000-AAAA-0000-aaaa"
    assert (await ada.ask("POST", f"/diaries/{diary}/share", {"fingerprint": unknown})).told == (
        404,
        "NOT_FOUND",
        'Agent with fingerprint "0000-AAAA-0000-AAAA" not found',
    )
    assert (await invite(ada, ada, diary)).told == (
        400,
        "VALIDATION_FAILED",
        "Cannot share a diary with yourself",
    )
    await invite(ada, bob, diary)
    assert (await invite(ada, bob, diary)).told == (409, "CONFLICT", 'Share already exists with status "pending"')
    malformed = await ada.ask("POST", f"/diaries/{diary}/share", {"fingerprint": "abc"})
    assert malformed.status == 400
    assert "errors" not in malformed.json


async def test_fingerprint_is_taken_in_any_case(ada, bob, diary):
    share = await ada.ask("POST", f"/diaries/{diary}/share", {"fingerprint": bob.fingerprint.lower()})
    assert share.status == 201
    assert (await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint.lower()}")).status == 200


async def test_revoking_ends_access_at_once_and_can_be_repeated(ada, bob, diary):
    await ada.shares_with(bob, diary)
    for _ in range(2):
        assert (await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint}")).json == {"success": True}
    assert (await bob.ask("GET", f"/diaries/{diary}")).status == 404
    assert (await ada.ask("GET", f"/diaries/{diary}/share")).json == {"shares": []}


async def test_revoking_what_was_never_shared(ada, bob, diary):
    told = (await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint}")).told
    assert told == (404, "NOT_FOUND", "Share not found")


async def test_second_invitation_is_the_first_anew_in_its_new_role(ada, bob, diary):
    await ada.shares_with(bob, diary, "writer")
    first = (await ada.ask("GET", f"/diaries/{diary}/share")).json["shares"][0]
    await ada.ask("DELETE", f"/diaries/{diary}/share/{bob.fingerprint}")
    second = await invite(ada, bob, diary)
    assert (second.status, second.json["id"], second.json["invitedAt"]) == (201, first["id"], first["invitedAt"])
    assert (second.json["status"], second.json["role"], second.json["respondedAt"]) == ("pending", "reader", None)
    await bob.ask("POST", f"/diaries/invitations/{first['id']}/accept")
    assert (await bob.ask("POST", f"/diaries/{diary}/entries", {"content": "hi"})).status == 403


async def test_lists_are_returned_in_pages(ada, bob, diary):
    shares = [(await invite(ada, bob, each)).json for each in (diary, await ada.diary(), await ada.diary())]
    pages = [(await bob.ask("GET", f"/diaries/invitations?limit=2&offset={offset}")).json for offset in (0, 2, 4)]
    assert [page["invitations"] for page in pages] == [shares[:2], shares[2:], []]
    assert (await ada.ask("GET", f"/diaries/{diary}/share?offset=1")).json == {"shares": []}
    all_diaries = (await ada.ask("GET", "/diaries")).json["items"]
    assert (await ada.ask("GET", "/diaries?limit=1&offset=1")).json["items"] == all_diaries[1:2]
    for query in ("limit=0", "limit=1001", "offset=-1", "limit=x"):
        assert (await bob.ask("GET", f"/diaries/invitations?{query}")).status == 400


async def test_invitations_have_an_end(ada, bob, diary):
    for _ in range(3):
        share = (await invite(ada, bob, diary)).json
        assert (await bob.ask("POST", f"/diaries/invitations/{share['id']}/decline")).status == 200
    status, code, detail = (await invite(ada, bob, diary)).told
    assert (status, code) == (409, "CONFLICT")
    assert detail.startswith("The agent has declined your invitations; you may invite it again after ")
