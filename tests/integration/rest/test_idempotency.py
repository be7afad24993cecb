"""Idempotency keys over REST (draft-ietf-httpapi-idempotency-key-header; ADR-11)."""

import asyncio
import json
import re
from collections import Counter

import pytest
from multidict import CIMultiDict

from tests.integration.rest.framework import raw
from tests.integration.rest.members import ask

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
MALFORMED = (400, "VALIDATION_FAILED", "Idempotency-Key must be one text of 1 to 255 visible ASCII characters")
REUSED = (
    422,
    "VALIDATION_FAILED",
    "This Idempotency-Key was used for another request; use a new key, or repeat that request unchanged",
)
TIMES = 20
# Where each thing is created, what is sent, and where it is listed under which member.
ROUTES = {
    "diary": ("/diaries", {"name": "näw"}, "/diaries", "items"),
    "entry": ("/diaries/{diary}/entries", {"content": "näw \U0001f9e0"}, "/diaries/{diary}/entries", "items"),
    "share": ("/diaries/{diary}/share", {"fingerprint": "{guest}"}, "/diaries/{diary}/share", "shares"),
    "voucher": ("/vouch", None, "/vouch/active", "vouchers"),
    "signing request": (
        "/crypto/signing-requests",
        {"message": "näw\n"},
        "/crypto/signing-requests",
        "items",
    ),
}


@pytest.fixture(params=ROUTES)
async def route(request, ada, bob):
    """Path, body, list and its member, of everything that can be created."""
    filled = json.dumps(ROUTES[request.param]).replace("{diary}", await ada.diary()).replace("{guest}", bob.fingerprint)
    return json.loads(filled)


async def post(member, path, body, *keys):
    headers = CIMultiDict([("Authorization", f"Bearer {member.token}"), *(("Idempotency-Key", key) for key in keys)])
    return await ask(member.http, "POST", path, headers=headers, **({} if body is None else {"json": body}))


async def count(member, route):
    return len((await member.ask("GET", route[2])).json[route[3]])


async def test_same_request_again_gets_the_same_answer_and_creates_nothing(ada, route):
    before = await count(ada, route)
    first, again = [await post(ada, *route[:2], KEY) for _ in range(2)]
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert list(first.json) == list(again.json)
    assert first.headers["Content-Length"] == again.headers["Content-Length"]
    assert first.headers.get("ETag") == again.headers.get("ETag")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Cache-Control"] == "no-store, no-cache, must-revalidate"
    assert await count(ada, route) == before + 1


async def test_answer_under_a_key_is_the_answer_without_one(ada, bob):
    diary = await ada.diary()
    bodies = {
        "/diaries": {"name": "x"},
        f"/diaries/{diary}/entries": {"content": "x", "tags": ["a"], "title": None},
        "/vouch": None,
    }
    for path, body in bodies.items():
        keyed, bare = await post(ada, path, body, KEY), await post(ada, path, body)
        bare.json.pop("similar", None)  # the second entry resembles the first
        told = [{name: type(value) for name, value in each.json.items()} for each in (keyed, bare)]
        assert told[0] == told[1]
        assert list(told[0]) == list(told[1])
        assert keyed.headers["Content-Type"] == bare.headers["Content-Type"]
    assert bob


async def test_of_twenty_requests_at_once_one_creates(ada, route):
    before = await count(ada, route)
    told = await asyncio.gather(*(post(ada, *route[:2], KEY) for _ in range(TIMES)))
    assert {each.status for each in told} == {201}
    assert len({json.dumps(each.json) for each in told}) == 1
    assert Counter("Idempotency-Replayed" in each.headers for each in told) == {False: 1, True: TIMES - 1}
    assert await count(ada, route) == before + 1


async def test_first_answer_stays_whatever_became_of_the_thing(ada):
    made = await post(ada, "/diaries", {"name": "before"}, KEY)
    await ada.ask("PATCH", f"/diaries/{made.json['id']}", {"name": "after"})
    assert (await post(ada, "/diaries", {"name": "before"}, KEY)).json == made.json
    await ada.ask("DELETE", f"/diaries/{made.json['id']}")
    again = await post(ada, "/diaries", {"name": "before"}, KEY)
    assert (again.json, again.headers["ETag"]) == (made.json, made.headers["ETag"])


async def test_key_names_one_request_only(ada):
    first, second = await ada.diary(), await ada.diary()
    assert (await post(ada, f"/diaries/{first}/entries", {"content": "x"}, KEY)).status == 201
    for path, body in (
        (first, {"content": "y"}),
        (first, {"content": "x", "importance": 6}),
        (second, {"content": "x"}),
    ):
        assert (await post(ada, f"/diaries/{path}/entries", body, KEY)).told == REUSED
    assert (await ada.ask("GET", f"/diaries/{second}/entries")).json["total"] == 0
    assert (await ada.ask("GET", f"/diaries/{first}/entries")).json["total"] == 1


@pytest.mark.parametrize(
    "spelt", ['{"name":"x"}', ' { "name" : "\\u0078" , "nobody": [1] }', '{"visibility":"private","name":"x"}']
)
async def test_what_is_asked_counts_and_not_how_it_is_written(ada, spelt):
    made = await post(ada, "/diaries", {"name": "x"}, KEY)
    headers = {"Idempotency-Key": KEY, "Content-Type": "application/json"}
    again = await ada.ask("POST", "/diaries", data=spelt.encode(), headers=headers)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (made.json, "true")


async def test_keys_of_other_agents_and_other_operations_are_other_keys(ada, bob):
    diary = await ada.diary()
    told = [
        await post(ada, "/diaries", {"name": "x"}, KEY),
        await post(bob, "/diaries", {"name": "x"}, KEY),
        await post(ada, f"/diaries/{diary}/entries", {"content": "x"}, KEY),
        await post(ada, "/vouch", None, KEY),
    ]
    assert [(each.status, "Idempotency-Replayed" in each.headers) for each in told] == [(201, False)] * 4


@pytest.mark.parametrize("keys", [[""], ["k" * 256], ["a b"], ["ä"], ["a", "a"], ["a", "b"]])
async def test_malformed_key_is_refused_and_nothing_is_created(ada, route, keys):
    before = await count(ada, route)
    assert (await post(ada, *route[:2], *keys)).told == MALFORMED
    assert await count(ada, route) == before


@pytest.mark.parametrize("key", ["!", "k" * 255, '"quoted as the draft has it"'.replace(" ", "-"), "0", "a,b;c"])
async def test_any_visible_text_is_a_key(ada, key):
    assert [(await post(ada, "/vouch", None, key)).status for _ in range(2)] == [201, 201]
    assert len((await ada.ask("GET", "/vouch/active")).json["vouchers"]) == 1


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x7f", "\t", "\x80"])
async def test_control_character_in_a_key_is_refused_and_nothing_is_created(ada, character):
    lines = ("Host: x", f"Authorization: Bearer {ada.token}", f"Idempotency-Key: a{character}b", "", "")
    head = "\r\n".join(["POST /vouch HTTP/1.1", *lines]).encode("latin-1")
    status, _, _ = await raw(ada.http, head)
    assert status == 400
    assert (await ada.ask("GET", "/vouch/active")).json["vouchers"] == []


async def test_refused_request_keeps_its_key_free(ada, bob):
    diary = await ada.diary()
    unknown = {"fingerprint": "0000-0000-0000-0000"}
    for _ in range(2):
        refused = await post(ada, f"/diaries/{diary}/share", unknown, KEY)
        assert (refused.status, "Idempotency-Replayed" in refused.headers) == (404, False)
    assert (await post(ada, f"/diaries/{diary}/share", {"fingerprint": bob.fingerprint}, KEY)).status == 201


async def test_key_opens_nothing_that_is_closed(network, ada, bob):
    diary = await ada.diary()
    path, body = f"/diaries/{diary}/entries", {"content": "x"}
    assert (await post(ada, path, body, KEY)).status == 201
    assert (await post(bob, path, body, KEY)).status == 404
    assert (await ask(network.http, "POST", path, json=body, headers={"Idempotency-Key": KEY})).status == 401
    invalid = await post(ada, path, {"content": ""}, KEY)
    assert (invalid.status, invalid.json["errors"][0]["field"]) == (400, "/content")


async def test_routes_that_create_nothing_do_not_look_at_keys(ada):
    diary = await ada.diary()
    for key in ("", "k" * 256):
        found = await ada.ask("POST", "/diaries/search", {"diaryId": diary}, headers={"Idempotency-Key": key})
        assert (found.status, found.json["total"]) == (200, 0)


async def test_document_reports_keys_and_versions(network):
    paths = (await ask(network.http, "GET", "/openapi.json")).json["paths"]
    operations = {each["operationId"]: each for methods in paths.values() for each in methods.values()}
    keyed = {name for name, each in operations.items() if "Idempotency-Key" in parameters(each)}
    conditional = {name for name, each in operations.items() if "If-Match" in parameters(each)}
    versioned = {name for name, each in operations.items() if "ETag" in headers(each)}
    # A registration takes the key to recognise its first caller, and answers nothing by it (ADR-14).
    assert "registerAgent" in keyed
    keyed.remove("registerAgent")
    assert keyed == {"createDiary", "createDiaryEntry", "shareDiary", "issueVoucher", "createSigningRequest"}
    assert conditional == {"updateDiary", "deleteDiary", "updateDiaryEntry", "deleteDiaryEntry"}
    assert versioned == {f"{act}Diary{of}" for act in ("create", "get", "update") for of in ("", "Entry")}
    assert {name for name, each in operations.items() if "422" in each["responses"]} == keyed
    assert {name for name, each in operations.items() if "412" in each["responses"]} == conditional


def parameters(operation):
    return {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}


def headers(operation):
    return {
        name
        for status, told in operation["responses"].items()
        if re.match("2", status)
        for name in told.get("headers", {})
    }
