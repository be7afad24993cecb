"""The wire rules every route shares (rest.md §0, §2, §3, §5), seen through a socket by routes made for the purpose."""

import asyncio
import json
import logging
from io import BytesIO
from typing import Annotated, Any

import attrs
import pytest

from moltnet.domain.caller import Anonymous
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.rest.app import RestOptions
from moltnet.entrypoints.rest.middlewares.headers import SECURITY_HEADERS
from moltnet.entrypoints.rest.refusals import MalformedBody, TooManyRequests
from moltnet.entrypoints.rest.routing import Answer, Auth, Call, Route
from moltnet.entrypoints.rest.schema.declare import Text, Whole

ORIGIN = "https://themolt.net"
ID = "880e8400-e29b-41d4-a716-446655440004"


@attrs.frozen(kw_only=True)
class Path:
    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class NamePath:
    name: str


@attrs.frozen(kw_only=True)
class Note:
    text: Annotated[str, Text(1, 10)]


@attrs.frozen(kw_only=True)
class Paging:
    limit: Annotated[int, Whole(1, 100)] = 20
    q: str | None = None


@attrs.frozen(kw_only=True)
class Told:
    who: str | None
    text: str | None = None
    limit: int | None = None


@attrs.frozen(kw_only=True)
class Fields:
    grant_type: str | None = None


def who(call: Call[Any, Any, Any]) -> str | None:
    return None if isinstance(call.caller, Anonymous) else str(call.caller.agent_id)


async def read(call: Call[Any, None, Paging]) -> Answer:
    return Answer(Told(who=who(call), text=call.query.q, limit=call.query.limit))


async def write(call: Call[Path, Note, Paging]) -> Answer:
    return Answer(Told(who=str(call.agent.agent_id), text=call.body.text), status=201)


async def named(call: Call[NamePath, None, None]) -> Answer:
    return Answer({"name": call.params.name})


async def act(call: Call[None, None, None]) -> Answer:
    return Answer(Told(who=who(call)))


async def note(call: Call[None, Note, None]) -> Answer:
    return Answer(Told(who=None, text=call.body.text))


async def broken(_: Call[None, None, None]) -> Answer:
    raise KeyError("secret-in-the-message")


async def down(_: Call[None, None, None]) -> Answer:
    raise StorageUnavailable("secret-in-the-message")


async def missing(_: Call[None, None, Paging]) -> Answer:
    raise DiaryNotFound


async def throttled(_: Call[None, None, None]) -> Answer:
    raise TooManyRequests(7)


async def token(call: Call[None, Fields, None]) -> Answer:
    return Answer({"grant": call.body.grant_type}, headers={"Cache-Control": "no-store"})


def oauth_refusal(error: Exception) -> Answer | None:
    return Answer({"error": "invalid_request"}, status=400) if isinstance(error, MalformedBody) else None


def route(method: str, path: str, handler: Any, **more: Any) -> Route[Any, Any, Any]:
    return Route(method, path, handler.__name__ + path, "diary", handler, **({"answers": {200: Told}} | more))


ROUTES = (
    route("GET", "/open", read, auth=Auth.NONE, query=Paging),
    route("GET", "/maybe", read, auth=Auth.OPTIONAL, query=Paging, scopes=(Scope.DIARY_READ,)),
    route("GET", "/closed", read, query=Paging),
    route("POST", "/diaries/{diaryId}/notes", write, params=Path, body=Note, query=Paging, scopes=(Scope.DIARY_WRITE,)),
    route("POST", "/quiet", note, auth=Auth.NONE, body=Note, lists_errors=False),
    route("POST", "/notes", note, auth=Auth.NONE, body=Note),
    route("POST", "/act", act, auth=Auth.NONE),
    route("DELETE", "/act", act, auth=Auth.NONE),
    route("GET", "/names/{name}", named, auth=Auth.NONE, params=NamePath),
    route("GET", "/names/static", act, auth=Auth.NONE),
    route("GET", "/broken", broken, auth=Auth.NONE),
    route("GET", "/down", down, auth=Auth.NONE),
    route("GET", "/missing", missing, query=Paging),
    route("GET", "/throttled", throttled, auth=Auth.NONE),
    route("POST", "/recovery/note", note, auth=Auth.NONE, body=Note),
    route("POST", "/token", token, auth=Auth.NONE, body=Fields, takes_forms=True, refusal_form=oauth_refusal),
)


@pytest.fixture
async def client(serve):
    return await serve(ROUTES)


async def raw(client, text: str | bytes) -> tuple[int, dict[str, str], bytes]:
    """One request, byte by byte, and the answer's status, headers and body."""
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(text.encode() if isinstance(text, str) else text)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    await writer.wait_closed()
    return int(head[0].split(" ")[1]), headers, body


def get(target: str, *headers: str) -> str:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *headers, "Connection: close", "", ""])


# -- answers ---------------------------------------------------------------------------------------------------------


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


# -- unknown routes and targets --------------------------------------------------------------------------------------


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
async def test_unknown_route_is_told_without_a_problem_document(client, method, target):
    status, headers, body = await raw(client, get(target).replace("GET", method, 1))
    assert (status, headers["content-type"]) == (404, "application/json; charset=utf-8")
    message = f'{{"message":"Route {method}:{target} not found","error":"Not Found","statusCode":404}}'
    assert body.decode() == message
    assert "allow" not in headers


@pytest.mark.parametrize("target", ["/names/%", "/names/%zz", "/%FF", "/open%1"])
async def test_broken_escape_in_a_path_is_told_apart(client, target):
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


# -- queries ---------------------------------------------------------------------------------------------------------


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


# -- bodies ----------------------------------------------------------------------------------------------------------

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


async def test_route_can_tell_refusals_in_its_own_form(client):
    answer = await client.post("/token", data=b"{", headers=JSON)
    assert (answer.status, await answer.json()) == (400, {"error": "invalid_request"})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


# -- order, authentication, scopes -----------------------------------------------------------------------------------


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
        ("bearer good-token", "Invalid authorization scheme"),
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


# -- problems --------------------------------------------------------------------------------------------------------


async def test_problem_document_has_its_members_in_order(client, bearer):
    answer = await client.get("/missing?limit=3&q=a+b", headers=bearer)
    assert list((await answer.json()).items()) == [
        ("type", "https://themolt.net/problems/not-found"),
        ("title", "Not Found"),
        ("status", 404),
        ("code", "NOT_FOUND"),
        ("detail", "Diary not found or access denied"),
        ("instance", "/missing?limit=3&q=a+b"),
    ]


async def test_validation_problem_lists_its_faults_last(client):
    problem = await (await client.post("/notes", json={"text": ""})).json()
    assert list(problem) == ["type", "title", "status", "code", "detail", "instance", "errors"]
    assert problem["errors"] == [{"field": "/text", "message": "must NOT have fewer than 1 characters"}]


async def test_route_may_keep_its_faults_in_the_detail_alone(client):
    problem = await (await client.post("/quiet", json={})).json()
    assert problem["detail"] == "body must have required property 'text'"
    assert "errors" not in problem


async def test_throttled_client_learns_when_to_come_back(client):
    answer = await client.get("/throttled")
    problem = await answer.json()
    assert (answer.status, answer.headers["Retry-After"], problem["retryAfter"]) == (429, "7", 7)
    assert (problem["code"], problem["detail"]) == (
        "RATE_LIMIT_EXCEEDED",
        "Too many requests. Please retry after 7 seconds.",
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/broken", 500, "INTERNAL_SERVER_ERROR"), ("/down", 502, "UPSTREAM_ERROR")],
)
async def test_own_faults_are_logged_once_and_never_told(client, caplog, path, status, code):
    answer = await client.get(path)
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["detail"]) == (status, code, "An unexpected error occurred")
    assert "secret-in-the-message" not in await answer.text()
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == 1
    assert answer.headers["X-Request-ID"] in logged[0].getMessage()


async def test_service_that_is_down_says_when_to_come_back(client):
    assert int((await client.get("/down")).headers["Retry-After"]) > 0


# -- caching ---------------------------------------------------------------------------------------------------------


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


# -- origins ---------------------------------------------------------------------------------------------------------

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


# -- request ids and the access log ----------------------------------------------------------------------------------


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
