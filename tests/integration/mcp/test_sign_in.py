"""What clients without credentials are shown, and how they are asked to sign in (ADR-35)."""

import json

import attrs
import pytest

from moltnet.domain.credentials import Scope
from moltnet.entrypoints.mcp.calls import BY_NAME
from moltnet.entrypoints.operations.table import scopes_of
from tests.integration.mcp.conftest import initialize, message, shown
from tests.integration.rest.members import ask
from tests.support.networks import UNTHROTTLED

CHALLENGE = (
    'Bearer realm="MCP Server", resource_metadata="http://network.test/.well-known/oauth-protected-resource/mcp"'
)
NOBODY = "00000000-0000-0000-0000-000000000000"
PROTECTED = [
    *(message("tools/call", name=name, arguments={}) for name, tool in BY_NAME.items() if scopes_of(tool.operation)),
    message("tools/call", name="agent_whoami", arguments={}),
    message("tools/call", name="moltnet_whoami"),
    *(
        message("resources/read", uri=uri)
        for uri in (
            "moltnet://identity",
            "moltnet://diary/recent",
            "moltnet://self/whoami",
            "moltnet://self/soul",
            f"moltnet://diary/{NOBODY}",
            "moltnet://entries/recent",
            f"moltnet://diaries/{NOBODY}",
            f"moltnet://diaries/{NOBODY}/entries/{NOBODY}",
        )
    ),
    message("tools/call", name="entries_search", arguments='{"query": "x"}'),
    message("prompts/get", name="identity_bootstrap"),
    message("prompts/get", name="write_identity"),
]
OPEN = [
    message("ping"),
    *(message(f"{kind}/list") for kind in ("tools", "resources", "resources/templates", "prompts")),
    message("tools/call", name="moltnet_info", arguments={}),
    message("tools/call", name="public_feed_browse", arguments={}),
    message("tools/call", name="agent_lookup", arguments={"fingerprint": "0000-0000-0000-0000"}),
    message("resources/read", uri="moltnet://agent/0000-0000-0000-0000"),
    message("prompts/get", name="sign_message", arguments={"message": "x"}),
]
UNKNOWN = [
    message("tools/call", name="no_such_tool"),
    message("tools/call", name=["moltnet_whoami"]),
    message("resources/read", uri="moltnet://no/such"),
    message("resources/read", uri=7),
    message("prompts/get", name="no_such"),
    message("tools/call"),
    {**message("tools/call"), "params": "x"},
]


async def session(network, name="a client", **headers):
    opening = initialize()
    opening["params"]["clientInfo"]["name"] = name
    answer = await ask(network.http, "POST", "/mcp", json=opening, headers=headers)
    assert answer.status == 200
    return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], **headers}


def modern(sent, name="a client"):
    info = {"name": name, "version": "1"}
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": info,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": sent["method"]}
    named = sent["params"].get("name") or sent["params"].get("uri")
    return {
        "json": {**sent, "params": {**sent["params"], "_meta": meta}},
        "headers": headers | ({"Mcp-Name": named} if named else {}),
    }


@pytest.mark.parametrize("sent", PROTECTED, ids=lambda sent: json.dumps(sent["params"]))
async def test_what_needs_credentials_is_refused_with_where_to_get_them(network, sent):
    headers = await session(network)
    for answer in (
        await ask(network.http, "POST", "/mcp", json=sent, headers=headers),
        await ask(network.http, "POST", "/mcp", json=sent),
        await ask(network.http, "POST", "/mcp", **modern(sent)),
    ):
        assert (answer.status, answer.json["error"]) == (401, "authorization_required")
        assert answer.headers["WWW-Authenticate"] == CHALLENGE
        assert "Mcp-Session-Id" not in answer.headers


@pytest.mark.parametrize("sent", OPEN, ids=lambda sent: sent["method"])
async def test_what_needs_none_is_answered(network, sent):
    headers = await session(network)
    for answer in (
        await ask(network.http, "POST", "/mcp", json=sent, headers=headers),
        await ask(network.http, "POST", "/mcp", **modern(sent)) if sent["method"] != "ping" else None,
    ):
        if answer is not None:
            assert (answer.status, "result" in answer.json) == (200, True), answer.json
            assert "mcp/www_authenticate" not in json.dumps(answer.json)


@pytest.mark.parametrize("sent", UNKNOWN, ids=str)
async def test_what_nobody_has_is_refused_as_ever(network, sent):
    answer = await ask(network.http, "POST", "/mcp", json=sent, headers=await session(network))
    assert (answer.status, answer.json["error"]["code"]) in {(200, -32601), (200, -32602), (400, -32600)}


async def test_a_notification_asks_for_nothing(network):
    sent = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "moltnet_whoami"}}
    assert (await ask(network.http, "POST", "/mcp", json=sent, headers=await session(network))).status == 202


async def test_every_tool_is_listed_and_marked_with_what_it_needs(network, ada):
    without = await ask(network.http, "POST", "/mcp", json=message("tools/list"), headers=await session(network))
    tools = without.json["result"]["tools"]
    for tool in tools:
        scopes = scopes_of(BY_NAME[tool["name"]].operation)
        expected = [{"type": "oauth2", "scopes": list(scopes)}] if scopes else [{"type": "noauth"}]
        assert tool["securitySchemes"] == tool["_meta"]["securitySchemes"] == expected, tool["name"]
    told = await ask(network.http, "POST", "/mcp", json=message("tools/list"), headers=shown(ada))
    by_agent = told.json["result"]["tools"]
    assert [tool["name"] for tool in by_agent] == [tool["name"] for tool in tools]
    assert not any("securitySchemes" in tool or "_meta" in tool for tool in by_agent)
    needed = {scope for tool in tools for scheme in tool["securitySchemes"] for scope in scheme.get("scopes", [])}
    assert needed <= set(Scope)


def challenge_in(result):
    (challenge,) = result["_meta"]["mcp/www_authenticate"]
    assert challenge.startswith(CHALLENGE)
    assert 'error="insufficient_scope"' in challenge
    assert 'error_description="' in challenge
    return challenge


@pytest.mark.parametrize("sent", PROTECTED, ids=lambda sent: json.dumps(sent["params"]))
async def test_clients_that_look_for_the_challenge_in_a_result_find_it_there(network, sent):
    by_name = await session(network, "openai-mcp")
    by_agent = await session(network) | {"User-Agent": "openai-mcp/1.0.0"}
    for more in (
        {"json": sent, "headers": by_name},
        {"json": sent, "headers": by_agent},
        modern(sent, "ChatGPT"),
    ):
        answer = await ask(network.http, "POST", "/mcp", **more)
        assert (answer.status, "WWW-Authenticate" in answer.headers) == (200, False)
        result = answer.json["result"]
        challenge_in(result)
        if sent["method"] == "tools/call":
            assert result["isError"] is True
            assert json.loads(result["content"][0]["text"])["status"] == 401


async def test_the_extension_is_announced_to_clients_that_know_of_extensions(network):
    told = await ask(network.http, "POST", "/mcp", **modern(message("server/discover")))
    assert told.json["result"]["capabilities"]["extensions"] == {"io.modelcontextprotocol/oauth-client-credentials": {}}


async def test_with_credentials_they_are_served_like_others(network, ada):
    headers = await session(network, "openai-mcp") | shown(ada)
    sent = message("tools/call", name="moltnet_whoami", arguments={})
    answer = await ask(network.http, "POST", "/mcp", json=sent, headers=headers)
    assert json.loads(answer.json["result"]["content"][0]["text"])["authenticated"] is True
    assert "_meta" not in answer.json["result"]


@pytest.mark.parametrize("name", [None, 7, [], {}, "", "openai", "x openai-mcp", "\u0000"], ids=repr)
async def test_any_other_name_is_answered_by_status(network, name):
    opening = initialize()
    opening["params"]["clientInfo"] = {"name": name, "version": "1"}
    began = await ask(network.http, "POST", "/mcp", json=opening)
    headers = {"Mcp-Session-Id": began.headers["Mcp-Session-Id"]} if "Mcp-Session-Id" in began.headers else {}
    sent = message("tools/call", name="moltnet_whoami", arguments={})
    assert (await ask(network.http, "POST", "/mcp", json=sent, headers=headers)).status == 401


async def test_without_anonymous_access_a_client_signs_in_first(serve):
    network = await serve(anonymous=False)
    ada = await network.member()
    for sent in (initialize(), message("tools/list"), message("ping"), OPEN[5]):
        for more in ({"json": sent}, modern(sent), {"json": sent, "headers": {"User-Agent": "openai-mcp/1.0.0"}}):
            answer = await ask(network.http, "POST", "/mcp", **more)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)
    for method in ("GET", "DELETE"):
        assert (await ask(network.http, method, "/mcp")).status == 401
    assert (await ask(network.http, "POST", "/mcp", json=initialize(), headers=shown(ada))).status == 200
    for path in ("oauth-protected-resource/mcp", "oauth-authorization-server"):
        assert (await ask(network.http, "GET", f"/.well-known/{path}")).status == 200


async def test_those_who_are_refused_are_counted(serve):
    network = await serve(attrs.evolve(UNTHROTTLED, global_anon=2))
    sent = message("tools/call", name="moltnet_whoami", arguments={})
    assert [(await ask(network.http, "POST", "/mcp", json=sent)).status for _ in range(5)] == [401] * 4 + [429]
