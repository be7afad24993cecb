"""Who comes in: bearer tokens, credentials in two headers, strangers (docs/reference/mcp.md, "Authentication")."""

import asyncio
import json

import attrs
import pytest

from moltnet.domain.caller import Limits
from moltnet.domain.errors import StorageUnavailable
from tests.integration.mcp.conftest import initialize, message, shown
from tests.integration.rest.members import ask
from tests.support.interruptions import failing
from tests.support.networks import UNTHROTTLED

PING = message("ping")
WHOAMI = message("tools/call", name="moltnet_whoami", arguments={})


async def who(network, **headers):
    answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=headers)
    assert answer.status == 200, answer.json
    told = json.loads(answer.json["result"]["content"][0]["text"])
    return told.get("identity", {}).get("fingerprint")


async def test_both_ways_lead_to_the_same_agent(network, ada):
    assert await who(network, **shown(ada)) == ada.fingerprint
    assert await who(network, Authorization=f"Bearer {ada.token}") == ada.fingerprint
    lower = {name.lower(): value for name, value in shown(ada).items()}
    assert await who(network, **lower) == ada.fingerprint


async def test_an_authorization_header_wins_over_credentials(network, ada):
    bob = await network.member()
    assert await who(network, Authorization=f"Bearer {bob.token}", **shown(ada)) == bob.fingerprint
    for given in ("Bearer nonsense", "Basic eA==", "", "Bearer"):
        answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers={"Authorization": given, **shown(ada)})
        assert (answer.status, answer.json["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == (
            'Bearer realm="MCP Server", resource_metadata="http://network.test/.well-known/oauth-protected-resource/mcp"'
        )


async def test_half_of_the_credentials_is_none(network, ada):
    for given in ({"X-Client-Id": ada.client_id}, {**shown(ada), "X-Client-Secret": ""}):
        answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=given)
        assert (answer.status, answer.json["error"]) == (401, "authorization_required")


@pytest.mark.parametrize("client_id", ["ada", "x" * 5000, "00000000-0000-0000-0000-000000000000", "\u00e9", "a b"])
async def test_credentials_nobody_has_are_rejected(network, client_id):
    answer = await ask(
        network.http, "POST", "/mcp", json=initialize(), headers={"X-Client-Id": client_id, "X-Client-Secret": "x"}
    )
    assert (answer.status, answer.json["error"]) == (401, "UNAUTHORIZED")
    assert "rejected credentials (HTTP 401)" in answer.json["message"]


async def test_guesses_are_held_up_and_the_holder_is_not(network, ada):
    wrong = {**shown(ada), "X-Client-Secret": "wrong"}
    for _ in range(5):
        assert (await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=wrong)).status == 401
    held = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=wrong)
    assert (held.status, held.json["error"]) == (429, "RATE_LIMITED")
    assert 0 < int(held.headers["Retry-After"]) <= 61
    assert await who(network, **shown(ada)) == ada.fingerprint


async def test_a_secret_that_was_replaced_is_rejected_at_once(network, ada):
    assert await who(network, **shown(ada)) == ada.fingerprint
    fresh = (await ada.ask("POST", "/auth/rotate-secret")).json["clientSecret"]
    answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=shown(ada))
    assert (answer.status, answer.json["error"]) == (401, "UNAUTHORIZED")
    assert await who(network, **{**shown(ada), "X-Client-Secret": fresh}) == ada.fingerprint


async def test_a_database_that_is_down_is_a_bad_gateway(network, ada):
    network.calls.before("clients.find", [failing(StorageUnavailable())])
    answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=shown(ada))
    assert (answer.status, answer.json["error"]) == (502, "BAD_GATEWAY")
    assert answer.headers["Retry-After"]
    network.calls.before("clients.find_with_agent", [failing(StorageUnavailable())])
    bearer = {"Authorization": f"Bearer {ada.token}"}
    assert (await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=bearer)).status == 502


async def test_many_at_once_ask_for_one_token(network, ada):
    network.calls.log.clear()
    assert await asyncio.gather(*(who(network, **shown(ada)) for _ in range(10))) == [ada.fingerprint] * 10
    assert network.calls.log.count("clients.find") == 1


async def test_trading_credentials_is_counted_as_at_the_token_endpoint(serve):
    network = await serve(attrs.evolve(UNTHROTTLED, global_anon=3))
    ada = await network.member()  # its token was the first
    for number in range(2):
        wrong = {**shown(ada), "X-Client-Secret": str(number)}
        assert (await ask(network.http, "POST", "/mcp", json=WHOAMI, headers=wrong)).status == 401
    answer = await ask(network.http, "POST", "/mcp", json=WHOAMI, headers={**shown(ada), "X-Client-Secret": "more"})
    assert (answer.status, answer.json["error"]) == (429, "RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) > 0


async def test_calls_are_counted_with_the_requests_of_the_same_operation(serve):
    network = await serve(Limits(embedding=2))
    ada, bob = await network.member(), await network.member()
    search = message("tools/call", name="diary_search", arguments={"query": "x"})
    assert (await ada.ask("POST", "/diaries/search", {"query": "x"})).status == 200
    answers = [await ask(network.http, "POST", "/mcp", json=search, headers=shown(ada)) for _ in range(2)]
    assert "isError" not in answers[0].json["result"]
    told = answers[1].json["result"]["content"][0]["text"]
    assert '"error":"Search failed"' in told
    assert '"status":429' in told
    assert '"retry_after":' in told
    other = await ask(network.http, "POST", "/mcp", json=search, headers=shown(bob))
    assert "isError" not in other.json["result"]


async def test_a_narrow_token_is_held_to_its_scopes(network, ada):
    form = {
        "grant_type": "client_credentials",
        "client_id": ada.client_id,
        "client_secret": ada.secret,
        "scope": "diary:read",
    }
    token = (await ask(network.http, "POST", "/oauth2/token", data=form)).json["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for name, given, status in (
        ("diaries_list", {}, None),
        ("diary_create", {"diary_ref": "default", "content": "x"}, 403),
        ("moltnet_vouch", {}, 403),
    ):
        body = message("tools/call", name=name, arguments=given)
        answer = await ask(network.http, "POST", "/mcp", json=body, headers=bearer)
        text = answer.json["result"]["content"][0]["text"]
        assert ('"status":403' in text) is (status == 403), text
        assert ("Missing required scope" in text) is (status == 403)


async def messages(network, count, /, body=None, **headers):
    sent = {"data": body, "headers": {"Content-Type": "application/json", **headers}} if body else {"json": PING}
    if body is None:
        sent["headers"] = headers
    return [await ask(network.http, "POST", "/mcp", **sent) for _ in range(count)]


async def test_every_message_is_counted_before_its_body_is_read(serve):
    network = await serve(attrs.evolve(UNTHROTTLED, global_anon=2))
    answers = await messages(network, 6, body=b"{")
    assert [answer.status for answer in answers] == [400] * 4 + [429] * 2
    assert answers[0].headers["X-RateLimit-Limit"] == "4"
    assert answers[-1].json["error"] == "RATE_LIMITED"
    assert int(answers[-1].headers["Retry-After"]) > 0
    for options in ({"method": "GET"}, {"method": "DELETE"}):
        assert (await ask(network.http, options["method"], "/mcp")).status == 429


async def test_refused_senders_are_counted_too(serve):
    network = await serve(attrs.evolve(UNTHROTTLED, global_anon=1))
    statuses = [answer.status for answer in await messages(network, 3, Authorization="Bearer no")]
    assert statuses == [401, 401, 429]
    assert [answer.status for answer in await messages(network, 1)] == [429]  # the same address


async def test_an_agent_is_counted_by_itself_and_whatever_it_asks(serve):
    network = await serve(Limits(global_auth=3))
    ada, bob = await network.member(), await network.member()
    for asked in ("ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list", "tools/list"):
        answer = await ask(network.http, "POST", "/mcp", json=message(asked), headers=shown(ada))
        assert answer.status == 200, asked
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    prompt = message("prompts/get", name="sign_message", arguments={"message": "x"})
    assert (await ask(network.http, "POST", "/mcp", json=prompt, headers=shown(ada))).status == 429
    assert (await ask(network.http, "POST", "/mcp", json=prompt, headers=shown(bob))).status == 200
