"""Answers, unknown routes, targets and queries, seen through a socket (docs/reference/http.md, "Request targets")."""

import json

import pytest

from moltnet.entrypoints.rest.headers import SECURITY_HEADERS
from tests.integration.rest.framework import get, raw


async def test_answer_is_compact_json_with_raw_text_and_length(client):
    answer = await client.get("/open", params={"q": "é/\n"})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert await answer.read() == '{"who":null,"text":"é/\\n","limit":20}'.encode()
    assert answer.headers["Content-Length"] == str(len(await answer.read()))
    assert not {"Server", "ETag", "X-Powered-By", "Content-Encoding"} & set(answer.headers)


async def test_head_has_the_headers_of_get_and_no_body(client):
    answer, body = await client.get("/open"), await client.head("/open")
    assert body.status == 200
    assert await body.read() == b""
    for name in ("Content-Length", "Content-Type", "X-Frame-Options", "Vary"):
        assert body.headers[name] == answer.headers[name]


async def test_every_answer_has_the_security_headers(client):
    for answer in (await client.get("/open"), await client.get("/nope"), await client.get("/broken")):
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/nope"),
        ("GET", "/"),
        ("GET", "/open/"),
        ("GET", "//open"),
        ("GET", "/OPEN"),
        ("PUT", "/open"),
        ("POST", "/open?a=1"),
        ("GET", "/act"),
        ("GET", "/names/" + "x" * 101),
        ("GET", "/names/a/b"),
        ("GET", "/names/"),
        ("GET", "/x/../open"),
    ],
)
async def test_unknown_route_is_reported_without_a_problem_document(client, method, target):
    status, headers, body = await raw(client, get(target).replace("GET", method, 1))
    assert (status, headers["content-type"]) == (404, "application/json; charset=utf-8")
    message = f'{{"message":"Route {method}:{target} not found","error":"Not Found","statusCode":404}}'
    assert body.decode() == message
    assert "allow" not in headers


@pytest.mark.parametrize("target", ["/names/%", "/names/%zz", "/%FF", "/open%1"])
async def test_broken_escape_in_a_path_is_distinguished(client, target):
    status, headers, body = await raw(client, get(target))
    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(body) == {
        "error": "Bad Request",
        "code": "FST_ERR_BAD_URL",
        "message": f"'{target}' is not a valid url component",
        "statusCode": 400,
    }
    assert not {"x-frame-options", "vary", "server"} & set(headers)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/names/a%20b", "a b"),
        ("/names/a+b", "a+b"),
        ("/names/a%2Fb", "a/b"),
        ("/names/%25", "%"),
        ("/names/%2525", "%25"),
        ("/names/%F0%9F%98%80", "😀"),
        ("/names/" + "x" * 100, "x" * 100),
    ],
)
async def test_path_parameter_is_unescaped_once(client, target, name):
    status, _, body = await raw(client, get(target))
    assert (status, json.loads(body)) == (200, {"name": name})


async def test_fixed_segment_wins_over_a_parameter(client):
    assert "who" in await (await client.get("/names/static")).json()


async def test_raw_bytes_in_a_target_do_not_break_the_answer(client):
    status, _, body = await raw(client, b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status in {400, 404}
    assert body


async def test_expectation_nobody_can_meet_is_refused(client):
    status, headers, _ = await raw(client, get("/open", "Expect: miracles"))
    assert status == 417
    assert "server" not in headers


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=7", {"who": None, "limit": 7}),
        ("limit=1e1", {"who": None, "limit": 10}),
        ("q=a+b", {"who": None, "text": "a b", "limit": 20}),
        ("q=", {"who": None, "text": "", "limit": 20}),
        ("unknown=1&limit=2", {"who": None, "limit": 2}),
    ],
)
async def test_query_is_converted(client, query, told):
    assert await (await client.get(f"/open?{query}")).json() == told


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=abc", "querystring/limit must be integer"),
        ("limit=", "querystring/limit must be integer"),
        ("limit=1.5", "querystring/limit must be integer"),
        ("limit=1&limit=2", "querystring/limit must be integer"),
        ("limit=0", "querystring/limit must be >= 1"),
        ("limit=101", "querystring/limit must be <= 100"),
        ("q=a&q=b", "querystring/q must be string"),
        ("q=%00", "querystring/q must NOT contain U+0000"),
    ],
)
async def test_query_out_of_form_is_a_problem(client, query, detail):
    answer = await client.get(f"/open?{query}")
    problem = await answer.json()
    assert (answer.status, problem["detail"]) == (400, detail)
    assert problem["errors"] == [{"field": detail.split(" ")[0][11:], "message": detail.split(" ", 1)[1]}]
