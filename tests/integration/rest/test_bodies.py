"""Request bodies (docs/reference/http.md, "Request bodies"), seen through a socket."""

import json
from io import BytesIO

import pytest

from tests.integration.rest.framework import get, raw

JSON = {"Content-Type": "application/json"}
EMPTY = "Body cannot be empty when content-type is set to 'application/json'"
INVALID = "Body is not valid JSON but content-type is set to 'application/json'"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b'{"text":"hi"}'),
        ({"Content-Type": "Application/JSON; charset=latin-1"}, b'{"text":"hi"}'),
        (JSON, b'\xef\xbb\xbf{"text":"hi"}'),
        (JSON, b'{"text":"no","text":"hi"}'),
        (JSON, b'{"text":["hi"],"other":1}'),
    ],
)
async def test_json_body_is_taken(client, headers, body):
    answer = await client.post("/notes", data=body, headers=headers)
    assert (answer.status, (await answer.json())["text"]) == (200, "hi")


@pytest.mark.parametrize(
    ("headers", "body", "status", "detail"),
    [
        (JSON, b"", 400, EMPTY),
        (JSON, b"{", 400, INVALID),
        (JSON, b'{"__proto__":{},"text":"x"}', 400, INVALID),
        (JSON, b'{"constructor":{"prototype":{}},"text":"x"}', 400, INVALID),
        (JSON, b'{"text":NaN}', 400, INVALID),
        (JSON, b"[" * 200_000, 400, INVALID),
        (JSON, b'{"text":' + b"9" * 9000 + b"}", 400, INVALID),
        (JSON, b'{"text":"\xff"}', 400, INVALID),
        (JSON, b"null", 400, "body must be object"),
        (JSON, b"[]", 400, "body must be object"),
        (JSON, b"{}", 400, "body must have required property 'text'"),
        (JSON, b'{"text":""}', 400, "body/text must NOT have fewer than 1 characters"),
        (JSON, b'{"text":"\\u0000"}', 400, "body/text must NOT contain U+0000"),
        (JSON, b'{"text":"\\ud800"}', 400, "body/text must be valid Unicode text"),
        ({"Content-Type": "text/plain"}, b'{"text":"x"}', 400, "body must be object"),
        ({"Content-Type": "text/xml"}, b"<a/>", 415, "Unsupported Media Type: text/xml"),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"text=x",
            415,
            "Unsupported Media Type: application/x-www-form-urlencoded",
        ),
        (
            {"Content-Type": "application/vnd.x+json"},
            b"{}",
            415,
            "Unsupported Media Type: application/vnd.x+json",
        ),
    ],
)
async def test_other_bodies_are_refused(client, headers, body, status, detail):
    answer = await client.post("/notes", data=body, headers=headers)
    problem = await answer.json()
    assert (answer.status, problem["status"], problem["detail"]) == (status, status, detail)
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"


async def test_absent_body_where_one_is_wanted_is_no_object(client):
    status, _, body = await raw(client, get("/notes").replace("GET", "POST"))
    problem = json.loads(body)
    assert (status, problem["detail"]) == (400, "body must be object")
    assert problem["errors"] == [{"field": "unknown", "message": "must be object"}]


async def test_body_without_a_type_is_of_an_undefined_one(client):
    text = "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    status, _, body = await raw(client, text)
    problem = json.loads(body)
    assert (status, problem["detail"]) == (415, "Unsupported Media Type: undefined")
    assert (problem["code"], problem["type"]) == (
        "INTERNAL_SERVER_ERROR",
        "https://themolt.net/problems/internal-server-error",
    )


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_operation_without_a_body_needs_no_type_but_minds_an_empty_json_body(client, method):
    assert (await raw(client, get("/act").replace("GET", method)))[0] == 200
    assert (await client.request(method, "/act")).status == 200  # aiohttp sends a type of its own here
    assert (await client.request(method, "/act", headers=JSON)).status == 400
    assert (await client.request(method, "/act", headers=JSON, data=b"{}")).status == 200
    assert (await client.request(method, "/act", headers={"Content-Type": "text/plain"}, data=b"x")).status == 200


async def test_get_does_not_look_at_a_body(client):
    assert (await client.get("/open", headers=JSON, data=b"{")).status == 200


@pytest.mark.parametrize(("size", "status"), [(1_048_576, 400), (1_048_577, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_largest_body_is_a_mebibyte(client, size, status, chunked):
    body = b'{"text":"' + b"x" * (size - 11) + b'"}'

    async def pieces():
        for at in range(0, size, 65536):
            yield body[at : at + 65536]

    answer = await client.post("/notes", data=pieces() if chunked else BytesIO(body), headers=JSON)
    problem = await answer.json()
    assert answer.status == status
    if status == 413:
        assert (problem["status"], problem["detail"]) == (413, "Request body is too large")


async def test_body_too_large_is_refused_before_it_is_sent(client):
    text = f"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {10**9}\r\n\r\n"
    status, _, _ = await raw(client, text)
    assert status == 413


async def test_broken_chunks_are_the_clients_fault(client):
    text = (
        "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    status, _, _ = await raw(client, text)
    assert status == 400


async def test_forms_are_taken_where_the_route_says_so(client):
    answer = await client.post("/token", data={"grant_type": "client_credentials"})
    assert (answer.status, await answer.json()) == (200, {"grant": None})
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await client.post("/token", json={"grantType": "x"})).status == 200


async def test_route_can_state_refusals_in_its_own_form(client):
    answer = await client.post("/token", data=b"{", headers=JSON)
    assert (answer.status, await answer.json()) == (400, {"error": "invalid_request"})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
