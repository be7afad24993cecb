"""Caching, origins, request ids and the access log.

Source: docs/reference/http.md, "Response headers" and "Cross-origin requests".
"""

import json
import logging

import pytest

from moltnet.entrypoints.rest.options import RestOptions
from tests.integration.rest.framework import ORIGIN, ROUTES
from tests.support.live_server import until


async def test_authenticated_answers_are_not_stored_even_when_they_are_errors(client, bearer):
    for path in ("/closed", "/missing", "/maybe"):
        answer = await client.get(path, headers=bearer)
        assert answer.headers["Cache-Control"] == "no-store, no-cache, must-revalidate"
        assert answer.headers["Pragma"] == "no-cache"
    assert "Cache-Control" not in (await client.get("/maybe")).headers


async def test_recovery_is_never_stored(client):
    for body in ({"text": "x"}, {}):
        answer = await client.post("/recovery/note", json=body)
        assert answer.headers["Cache-Control"] == "no-store, no-cache, must-revalidate, private"
        assert (answer.headers["Pragma"], answer.headers["Expires"]) == ("no-cache", "0")


EXPOSED = "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"


@pytest.mark.parametrize("origin", [None, ORIGIN])
async def test_known_origin_or_none_may_read_the_answer(client, origin):
    answer = await client.get("/open", headers={"Origin": origin} if origin else {})
    assert answer.headers.get("Access-Control-Allow-Origin") == origin
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Expose-Headers"] == EXPOSED


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", ["/open", "/nope"])
async def test_foreign_origin_is_a_plain_refusal(client, method, path):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = await client.request(method, path, headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (403, "FORBIDDEN")
    assert answer.headers["Vary"] == "Origin"
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/open", "/nope"])
async def test_preflight_is_answered_for_any_path(client, path):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = await client.options(path, headers=headers)
    assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (204, "0", b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert (
        answer.headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization, X-Request-ID, X-Correlation-ID"
    )
    assert answer.headers["Access-Control-Max-Age"] == "3600"


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Access-Control-Request-Method": "GET"}])
async def test_options_that_is_no_preflight_is_refused(client, headers):
    answer = await client.options("/open", headers=headers)
    assert (answer.status, answer.content_type, await answer.text()) == (
        400,
        "text/plain",
        "Invalid Preflight Request",
    )


async def test_star_is_no_wildcard(serve):
    client = await serve(ROUTES, RestOptions(cors_origins=frozenset({"*"})))
    assert (await client.get("/open", headers={"Origin": ORIGIN})).status == 403
    assert (await client.get("/open", headers={"Origin": "*"})).status == 200


async def test_request_keeps_a_sane_id_and_gets_one_otherwise(client):
    assert (await client.get("/open", headers={"X-Request-ID": "a-1:b/2"})).headers["X-Request-ID"] == "a-1:b/2"
    given = [
        (await client.get("/open", headers={"X-Request-ID": bad})).headers["X-Request-ID"]
        for bad in ("a b", "é", "x" * 129)
    ]
    own = (await client.get("/open")).headers["X-Request-ID"]
    assert all(len(made) == 32 for made in (*given, own))
    assert len({*given, own}) == 4


async def test_access_log_names_the_route_and_keeps_secrets_out(client, bearer, caplog):
    caplog.set_level(logging.INFO, "moltnet.rest.access")
    await client.get("/names/secret-name?q=secret-query", headers={"X-Request-ID": "id-1"})
    await client.get("/closed", headers=bearer)
    await client.get("/nope?q=secret-query")
    await until(lambda: len(caplog.records) == 3)  # they are written together
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "moltnet.rest.access"]
    assert [(line["method"], line.get("route"), line.get("path"), line["status"]) for line in lines] == [
        ("GET", "/names/{name}", None, 200),
        ("GET", "/closed", None, 200),
        ("GET", None, "/nope", 404),
    ]
    assert lines[0]["id"] == "id-1"
    assert lines[1]["agent"]
    assert lines[0]["ms"] >= 0
    assert "secret" not in str(lines)
    assert "good-token" not in str(lines)


async def test_lines_still_to_be_written_are_written_at_the_end(serve, caplog):
    caplog.set_level(logging.INFO, "moltnet.rest.access")
    client = await serve(ROUTES)
    await client.get("/open")
    assert not caplog.records  # not yet: they are written together
    await client.close()
    assert [json.loads(record.getMessage())["route"] for record in caplog.records] == ["/open"]
