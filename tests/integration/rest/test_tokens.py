"""The order in which a request is checked, and whose token it carries.

Source: docs/reference/http.md, "Processing order" and "Authentication".
"""

import pytest

from tests.integration.rest.framework import ID


async def test_parts_are_checked_as_path_body_query_then_token(client, bearer):
    url = f"/diaries/{ID}/notes"
    bad_path = await (await client.post("/diaries/x/notes?limit=0", json={})).json()
    bad_body = await (await client.post(f"{url}?limit=0", json={})).json()
    bad_query = await (await client.post(f"{url}?limit=0", json={"text": "x"})).json()
    no_token = await (await client.post(url, json={"text": "x"})).json()
    good = await client.post(url, json={"text": "x"}, headers=bearer)
    assert bad_path["detail"] == 'params/diaryId must match format "uuid"'
    assert bad_body["detail"] == "body must have required property 'text'"
    assert bad_query["detail"] == "querystring/limit must be >= 1"
    assert (no_token["status"], no_token["detail"]) == (401, "Missing authorization header")
    assert good.status == 201


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Missing authorization header"),
        ("", "Missing authorization header"),
        ("Basic good-token", "Invalid authorization scheme"),
        ("Bearer ", "Missing authorization header"),
        ("Bearer a b", "Missing authorization header"),
        ("Bearer nobody-s", "Invalid or expired token"),
    ],
)
async def test_header_rules(client, header, detail):
    answer = await client.get("/closed", headers={} if header is None else {"Authorization": header})
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["detail"]) == (401, "UNAUTHORIZED", detail)
    assert "WWW-Authenticate" not in answer.headers
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize("written", ["bearer {}", "BEARER {}", "Bearer  {}"])
async def test_the_scheme_is_read_in_any_case_and_with_any_spaces(client, bearer, written):
    token = bearer["Authorization"].removeprefix("Bearer ")
    assert (await client.get("/closed", headers={"Authorization": written.format(token)})).status == 200


async def test_optional_token_is_read_when_there_is_one_and_must_then_be_good(client, bearer):
    assert (await (await client.get("/maybe")).json())["who"] is None
    assert (await (await client.get("/maybe", headers=bearer)).json())["who"]
    assert (await client.get("/maybe", headers={"Authorization": "Bearer old"})).status == 401


async def test_open_route_ignores_the_header(client):
    assert (await client.get("/open", headers={"Authorization": "Basic x"})).status == 200


async def test_token_is_held_to_its_scopes(client, narrow_bearer):
    headers = narrow_bearer
    answer = await client.post(f"/diaries/{ID}/notes", json={"text": "x"}, headers=headers)
    problem = await answer.json()
    assert (answer.status, problem["detail"]) == (403, "Missing required scope: diary:write")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert (await client.get("/maybe", headers=headers)).status == 200
