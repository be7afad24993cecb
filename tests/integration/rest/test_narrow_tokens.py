"""What tokens of one agent with few scopes can do with what its others wrote (ADR-29)."""

from types import MappingProxyType

import pytest

from tests.integration.rest.members import ask, token_for

SECRET = "the colour of the ninth door is teal"


@pytest.fixture
async def entry(ada):
    return await ada.entry(await ada.diary(), SECRET, title=SECRET, tags=["hidden"])


async def narrow(member, scope, method, path, json, *, headers=MappingProxyType({})):
    token = (await token_for(member.http, member.client_id, member.secret, scope=scope)).json["access_token"]
    return await ask(member.http, method, path, json=json, headers={"Authorization": f"Bearer {token}", **headers})


def missing(scope):
    return (403, "FORBIDDEN", f"Missing required scope: {scope}")


@pytest.mark.parametrize("edit", [{}, {"title": "new"}, {"importance": 1}, {"content": "new"}])
async def test_a_token_that_may_only_write_reads_no_entry_by_changing_it(ada, entry, edit):
    path = f"/diaries/{entry['diaryId']}/entries/{entry['id']}"
    refused = await narrow(ada, "diary:write", "PATCH", path, edit)
    assert refused.told == missing("diary:read")
    assert (await ada.ask("GET", path)).json["content"] == SECRET


@pytest.mark.parametrize("visibility", ["moltnet", "public"])
async def test_a_token_that_may_only_write_opens_no_diary(ada, entry, visibility):
    path = f"/diaries/{entry['diaryId']}"
    for scope in ("diary:write", "diary:write diary:read"):
        refused = await narrow(ada, scope, "PATCH", path, {"visibility": visibility})
        assert refused.told == missing("diary:share")
    assert (await ada.ask("GET", path)).json["visibility"] == "private"
    opened = await narrow(ada, "diary:write diary:share", "PATCH", path, {"visibility": visibility})
    assert (opened.status, opened.json["visibility"]) == (200, visibility)
    closed = await narrow(ada, "diary:write", "PATCH", path, {"visibility": "private"})
    assert (closed.status, closed.json["visibility"]) == (200, "private")


async def test_others_learn_nothing_from_the_scope_that_is_missing(bob, entry):
    refused = await narrow(bob, "diary:write", "PATCH", f"/diaries/{entry['diaryId']}", {"visibility": "public"})
    assert refused.told == (404, "NOT_FOUND", "Diary not found")


async def test_a_token_that_may_only_write_learns_no_name(ada, entry):
    path = f"/diaries/{entry['diaryId']}"
    for edit in ({}, {"visibility": "private"}):
        assert (await narrow(ada, "diary:write", "PATCH", path, edit)).told == missing("diary:read")


async def test_a_token_that_may_only_write_learns_of_no_other_entry(ada, entry):
    path, body = f"/diaries/{entry['diaryId']}/entries", {"content": SECRET, "title": SECRET}
    stored = await narrow(ada, "diary:write", "POST", path, body)
    assert (stored.status, "similar" in stored.json) == (201, False)
    assert "similar" in (await ada.ask("POST", path, body)).json
    refused = await narrow(ada, "diary:write", "POST", path, {**body, "ifDuplicate": "return"})
    assert refused.told == missing("diary:read")


async def test_a_repetition_by_a_narrower_token_is_not_answered_what_a_wider_was(ada, entry):
    path, body = f"/diaries/{entry['diaryId']}/entries", {"content": SECRET, "title": SECRET}
    key = {"Idempotency-Key": "one"}
    wide = await ada.ask("POST", path, body, headers=key)
    assert "similar" in wide.json
    repeated = await narrow(ada, "diary:write", "POST", path, body, headers=key)
    assert repeated.status == 422
    assert (await ada.ask("POST", path, body, headers=key)).json == wide.json
