"""Diaries (docs/reference/endpoints.md, "Diaries")."""

from uuid import uuid4

import pytest

from tests.integration.rest.members import ask

NOT_FOUND = (404, "NOT_FOUND", "Diary not found or access denied")
NO_TOKEN = (401, "UNAUTHORIZED", "Missing authorization header")
FORBIDDEN = (403, "FORBIDDEN", "Insufficient permissions")


async def test_new_diary_is_returned_in_wire_order(ada):
    made = await ada.ask("POST", "/diaries", {"name": "Träume", "ownerId": "x"})
    assert made.status == 201
    assert list(made.json) == ["id", "ownerId", "name", "visibility", "signed", "createdAt", "updatedAt"]
    assert (made.json["ownerId"], made.json["name"]) == (str(ada.agent_id), "Träume")
    assert (made.json["visibility"], made.json["signed"]) == ("private", False)
    assert made.json["createdAt"] == made.json["updatedAt"]
    assert made.json["createdAt"].endswith("Z")
    assert len(made.json["createdAt"]) == len("2026-01-30T10:00:00.123Z")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "body must have required property 'name'"),
        ({"name": ""}, "body/name must NOT have fewer than 1 characters"),
        ({"name": "x" * 256}, "body/name must NOT have more than 255 characters"),
        (
            {"name": "x", "visibility": "secret"},
            ", ".join(["body/visibility must be equal to constant"] * 3)
            + ", body/visibility must match a schema in anyOf",
        ),
        ({"name": "x", "signed": "yes"}, "body/signed must be boolean"),
    ],
)
async def test_diary_out_of_form_is_refused_without_a_list(ada, body, detail):
    refused = await ada.ask("POST", "/diaries", body)
    assert refused.told == (400, "VALIDATION_FAILED", detail)
    assert "errors" not in refused.json


async def test_own_diaries_are_listed_newest_first_and_begin_with_the_private_one(ada, bob):
    theirs = await bob.diary()
    await bob.shares_with(ada, theirs)
    second, third = await ada.diary(name="second"), await ada.diary(name="third")
    listed = (await ada.ask("GET", "/diaries")).json["items"]
    assert [diary["id"] for diary in listed[:2]] == [third, second]
    assert [diary["name"] for diary in listed] == ["third", "second", "Private"]


async def test_anonymous_client_and_missing_diary_are_answered_alike(ada, bob):
    private = await ada.diary()
    missing = str(uuid4())
    gone = (404, "NOT_FOUND", "Diary not found")
    for method, body, problem in (("GET", None, NOT_FOUND), ("PATCH", {}, gone), ("DELETE", None, gone)):
        told = [await bob.ask(method, f"/diaries/{diary}", body) for diary in (private, missing)]
        assert told[0].told == told[1].told == problem
        assert {**told[0].json, "instance": ""} == {**told[1].json, "instance": ""}


async def test_visibility_decides_who_reads(network, ada, bob):
    diaries = {kind: await ada.diary(visibility=kind) for kind in ("private", "moltnet", "public")}

    async def readers(path: str) -> list[int]:
        alone = await ask(network.http, "GET", path)
        return [(await agent.ask("GET", path)).status for agent in (ada, bob)] + [alone.status]

    assert await readers(f"/diaries/{diaries['private']}") == [200, 404, 401]
    assert await readers(f"/diaries/{diaries['moltnet']}") == [200, 200, 401]
    assert await readers(f"/diaries/{diaries['public']}") == [200, 200, 200]


async def test_without_a_token_all_that_is_not_public_is_unauthorized(network, ada):
    private = await ada.diary()
    for diary in (private, str(uuid4())):
        assert (await ask(network.http, "GET", f"/diaries/{diary}")).told == NO_TOKEN
    assert (await ask(network.http, "PATCH", f"/diaries/{private}", json={})).told == NO_TOKEN


async def test_owner_renames_opens_and_even_touches_a_diary(ada):
    diary = await ada.diary()
    renamed = await ada.ask("PATCH", f"/diaries/{diary}", {"name": "new", "visibility": "public", "signed": True})
    touched = await ada.ask("PATCH", f"/diaries/{diary}", {})
    assert (renamed.status, renamed.json["name"], renamed.json["visibility"]) == (200, "new", "public")
    assert renamed.json["signed"] is False
    assert {**touched.json, "updatedAt": ""} == {**renamed.json, "updatedAt": ""}


async def test_collaborator_sees_a_diary_but_may_not_change_or_delete_it(ada, bob):
    diary = await ada.diary()
    await ada.shares_with(bob, diary, "writer")
    assert (await bob.ask("PATCH", f"/diaries/{diary}", {"name": "mine"})).told == FORBIDDEN
    assert (await bob.ask("DELETE", f"/diaries/{diary}")).told == FORBIDDEN


async def test_deleted_diary_is_gone_for_everyone(ada, bob):
    diary = await ada.diary()
    await ada.shares_with(bob, diary)
    assert (await ada.ask("DELETE", f"/diaries/{diary}")).json == {"success": True}
    for agent in (ada, bob):
        assert (await agent.ask("GET", f"/diaries/{diary}")).told == NOT_FOUND
        assert (await agent.ask("GET", f"/diaries/{diary}/entries")).told == NOT_FOUND


async def test_fixed_names_of_other_methods_are_ids(ada):
    refused = await ada.ask("GET", "/diaries/search")
    assert refused.told == (400, "VALIDATION_FAILED", 'params/id must match format "uuid"')


async def test_id_is_taken_in_any_case_and_as_urn(ada):
    diary = await ada.diary()
    for name in (diary.upper(), f"urn:uuid:{diary}"):
        assert (await ada.ask("GET", f"/diaries/{name}")).json["id"] == diary
