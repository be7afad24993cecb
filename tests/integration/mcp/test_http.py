"""`/mcp` as HTTP sees it: methods, statuses, ids, bodies (docs/reference/mcp.md, "Transport")."""

import asyncio
import io
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientTimeout
from mcp.shared.auth import OAuthMetadata

from tests.integration.mcp.conftest import initialize, message, shown
from tests.integration.rest.members import ask

JSON = {"Content-Type": "application/json"}
NO_MESSAGES = [
    ("", -32700),
    ("{", -32700),
    ("\ufeff{}}", -32700),
    ("[" * 100_000, -32700),
    ('{"a": NaN}', -32700),
    ("[]", -32600),
    ('[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
    ("null", -32600),
    ('"text"', -32600),
    ("{}", -32600),
    ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
    ('{"jsonrpc": "2.0", "id": 1}', -32600),
]
NOT_THERE = [
    ("no/such/method", {}, -32601, ""),
    ("\ud800", {}, -32601, ""),
    ("tools/call", {"name": "no_such_tool"}, -32601, "no_such_tool"),
    ("tools/call", {"name": "x" * 100_000}, -32601, "xxx"),
    ("tools/call", {}, -32602, ""),
    ("tools/call", {"name": "moltnet_info", "arguments": "x"}, -32602, ""),
    ("resources/read", {"uri": "moltnet://no/such"}, -32601, "moltnet://no/such"),
    ("resources/read", {"uri": 7}, -32602, ""),
    ("prompts/get", {"name": "no_such_prompt"}, -32601, "no_such_prompt"),
    ("prompts/get", {"name": "sign_message", "arguments": {"message": 7}}, -32602, ""),
]
CALL = message("tools/call", name="moltnet_info", arguments={})


async def test_a_session_begins_with_a_uuid_of_its_own_each_time(network, ada):
    answers = [await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada)) for _ in range(3)]
    ids = {answer.headers["Mcp-Session-Id"] for answer in answers}
    assert len(ids) == 3
    assert all(str(UUID(each)) == each for each in ids)
    result = answers[0].json["result"]
    assert (result["serverInfo"]["name"], set(result["capabilities"])) == ("moltnet", {"tools", "resources", "prompts"})
    assert result["serverInfo"]["version"].count(".") == 2
    assert "moltnet_whoami" in result["instructions"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_the_handshake_agrees_on_the_clients_revision(network, version):
    answer = await ask(network.http, "POST", "/mcp", json=initialize(version))
    assert answer.json["result"]["protocolVersion"] == version


async def test_an_unknown_revision_is_answered_with_the_latest(network):
    answer = await ask(network.http, "POST", "/mcp", json=initialize("1999-01-01"))
    assert answer.json["result"]["protocolVersion"] == "2025-11-25"


async def test_an_answer_is_plain_json_whatever_is_accepted(network, ada):
    for accept in ({}, {"Accept": "application/json"}, {"Accept": "application/json, text/event-stream"}):
        answer = await ask(network.http, "POST", "/mcp", json=CALL, headers={**shown(ada), **accept})
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert "isError" not in answer.json["result"]
        assert answer.headers["Cache-Control"].startswith("no-store")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"query": "x", "tags": "[\\"a\\"]"}', {"query": "x", "tags": ["a"]}),
        ('{"query": "x", "limit": 3}', {"query": "x", "limit": 3}),
    ],
)
async def test_arguments_may_be_sent_as_json_text(network, ada, arguments, read):
    results = [
        (await ask(network.http, "POST", "/mcp", json=message("tools/call", **call), headers=shown(ada))).json["result"]
        for call in ({"name": "diary_search", "arguments": each} for each in (arguments, read))
    ]
    assert results[0] == results[1]
    assert "isError" not in results[0]


@pytest.mark.parametrize("nothing", ["", "{}", "null", " {} ", [], None, {}])
async def test_no_arguments_may_be_sent_in_any_way(network, ada, nothing):
    call = message("tools/call", name="diaries_list", arguments=nothing)
    answer = await ask(network.http, "POST", "/mcp", json=call, headers=shown(ada))
    assert "isError" not in answer.json["result"]


@pytest.mark.parametrize(
    "wrong", ["x", "[]", "[1]", "7", '"{}"', '{"a": 1', '{"__proto__": 1}', "\ud800", "[" * 9_000, [1]]
)
async def test_arguments_in_text_that_are_no_object_are_refused(network, ada, wrong):
    call = message("tools/call", name="diaries_list", arguments=wrong)
    answer = await ask(network.http, "POST", "/mcp", json=call, headers=shown(ada))
    assert answer.json["error"]["code"] == -32602


async def test_an_id_is_stored_and_an_unknown_one_replaced(network, ada):
    opened = await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada))
    known = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    answer = await ask(network.http, "POST", "/mcp", json=CALL, headers={**shown(ada), **known})
    assert answer.headers["Mcp-Session-Id"] == known["Mcp-Session-Id"]
    for given in ({}, {"Mcp-Session-Id": str(uuid4())}, {"Mcp-Session-Id": "x" * 5000}):
        answer = await ask(network.http, "POST", "/mcp", json=CALL, headers={**shown(ada), **given})
        assert (answer.status, "result" in answer.json) == (200, True)
        assert answer.headers["Mcp-Session-Id"] not in given.values()


async def test_an_anonymous_client_begins_at_the_beginning(network):
    for given in ({}, {"Mcp-Session-Id": str(uuid4())}):
        answer = await ask(network.http, "POST", "/mcp", json=CALL, headers=given)
        assert (answer.status, answer.json["error"]) == (401, "authorization_required")
        assert "resource_metadata=" in answer.headers["WWW-Authenticate"]
    opened = await ask(network.http, "POST", "/mcp", json=initialize())
    known = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    assert (await ask(network.http, "POST", "/mcp", json=CALL, headers=known)).status == 200


async def test_notifications_and_answers_are_taken_and_not_answered(network, ada):
    for body in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ):
        answer = await ask(network.http, "POST", "/mcp", json=body, headers=shown(ada))
        assert (answer.status, answer.json) == (202, None)


async def test_what_is_no_message_is_a_bad_request(network, ada):
    for body, code in NO_MESSAGES:
        answer = await ask(network.http, "POST", "/mcp", data=body.encode(), headers={**shown(ada), **JSON})
        assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, code, None), body


async def test_what_is_not_there_is_an_error_of_the_protocol(network, ada):
    for method, params, code, named in NOT_THERE:
        answer = await ask(network.http, "POST", "/mcp", json=message(method, **params), headers=shown(ada))
        assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (200, code, 1), method
        assert named in answer.json["error"]["message"]
        assert len(answer.json["error"]["message"]) < 300


async def test_a_body_has_a_limit_and_a_type(network, ada):
    huge = io.BytesIO(b'{"x": "%s"}' % (b"x" * 1_048_576))
    assert (await ask(network.http, "POST", "/mcp", data=huge, headers={**shown(ada), **JSON})).status == 413
    typed = {**shown(ada), "Content-Type": "application/xml"}
    assert (await ask(network.http, "POST", "/mcp", data=b"<x/>", headers=typed)).status == 415


async def test_a_session_ends_once(network, ada):
    opened = await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada))
    known = {**shown(ada), "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    statuses = [(await ask(network.http, "DELETE", "/mcp", headers=known)).status for _ in range(2)]
    assert statuses == [204, 404]
    assert (await ask(network.http, "DELETE", "/mcp", headers=shown(ada))).status == 400
    made_up = {**shown(ada), "Mcp-Session-Id": str(uuid4())}
    assert (await ask(network.http, "DELETE", "/mcp", headers=made_up)).status == 404


async def test_strangers_without_an_id_get_nowhere(network):
    assert (await ask(network.http, "GET", "/mcp")).status == 405
    assert (await ask(network.http, "GET", "/mcp", headers={"Accept": "text/event-stream"})).status == 400
    assert (await ask(network.http, "DELETE", "/mcp")).status == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD"])
async def test_other_methods_are_refused(network, method):
    answer = await ask(network.http, method, "/mcp")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST, DELETE")


async def test_a_listener_hears_a_heartbeat_at_once_and_only_one_listens(network, ada):
    opened = await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada))
    known = {**shown(ada), "Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "Accept": "text/event-stream"}
    async with network.http.get("/mcp", headers=known, timeout=ClientTimeout(total=10)) as stream:
        assert stream.status == 200
        assert await stream.content.readline() == b": heartbeat\n"
        assert (await ask(network.http, "GET", "/mcp", headers=known)).status == 409
    while True:  # the server notices the end of the first when it looks next
        async with network.http.get("/mcp", headers=known, timeout=ClientTimeout(total=10)) as again:
            if again.status == 200:
                break
            await asyncio.sleep(0)


async def test_a_closing_server_waits_for_no_listener(network, ada):
    opened = await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada))
    known = {**shown(ada), "Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "Accept": "text/event-stream"}
    async with network.http.get("/mcp", headers=known, timeout=ClientTimeout(total=10)) as stream:
        await stream.content.readline()
        await network.http.server.app.shutdown()
        assert b"heartbeat" not in await stream.content.read()


async def test_a_page_of_another_site_is_refused(network):
    answer = await ask(network.http, "POST", "/mcp", json=initialize(), headers={"Origin": "http://evil.example"})
    assert answer.status == 403


async def test_what_stands_beside_it(network):
    health = await ask(network.http, "GET", "/healthz")
    assert (health.json["status"], health.json["timestamp"][-1]) == ("ok", "Z")
    resource = await ask(network.http, "GET", "/.well-known/oauth-protected-resource")
    assert resource.json["resource"] == "http://network.test"
    assert resource.json["authorization_servers"] == ["http://network.test"]
    assert resource.headers["Cache-Control"] == "public, max-age=3600"
    mcp = await ask(network.http, "GET", "/.well-known/oauth-protected-resource/mcp")
    assert mcp.json == resource.json | {"resource": "http://network.test/mcp"}
    assert (await ask(network.http, "GET", "/.well-known/mcp-resource-health")).json["status"] == "healthy"


@pytest.mark.parametrize("place", ["oauth-authorization-server", "openid-configuration"])
async def test_where_tokens_are_given_is_reported_as_clients_read_it(network, place):
    told = (await ask(network.http, "GET", f"/.well-known/{place}")).json
    assert str(OAuthMetadata.model_validate(told).issuer) == "http://network.test"
    assert told["token_endpoint"] == "http://network.test/oauth2/token"
    assert told["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["EdDSA"]
    assert told["grant_types_supported"] == ["client_credentials"]
    # What OpenID Connect Discovery 1.0 §3 asks for.
    assert told["subject_types_supported"] == ["public"]
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]
    assert (await ask(network.http, "GET", "/.well-known/jwks.json")).status == 200


async def test_nobody_logs_in_by_a_browser(network):
    refused = await ask(network.http, "GET", "/oauth2/auth?response_type=code&client_id=x")
    assert (refused.status, refused.json["error"]) == (400, "unsupported_response_type")


async def test_the_address_may_end_with_a_slash(network, ada):
    for method, sent in (("POST", {"json": CALL}), ("GET", {}), ("DELETE", {})):
        with_slash, without = [
            await ask(network.http, method, path, headers=shown(ada), **sent) for path in ("/mcp/", "/mcp")
        ]
        assert (with_slash.status, with_slash.json) == (without.status, without.json)
    assert (await ask(network.http, "POST", "/mcp/", json=CALL, headers=shown(ada))).status == 200
    assert (await ask(network.http, "POST", "/mcp/mcp", json=CALL, headers=shown(ada))).status == 404


@pytest.mark.parametrize("written", ["bearer {}", "BEARER {}", "Bearer  {}"])
async def test_the_bearer_scheme_is_read_however_it_is_written(network, ada, written):
    headers = {"Authorization": written.format(ada.token)}
    assert (await ask(network.http, "POST", "/mcp", json=CALL, headers=headers)).status == 200
