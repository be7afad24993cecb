"""What no method stands for is asked of the REST door by hand, with the token and the care of all other calls."""

import pytest

from moltnet import (
    Invalid,
    NoCredentials,
    NotFound,
    NotKept,
    RemoteAgent,
    Unauthenticated,
    Unavailable,
    blocking,
    connect,
    register,
    visit,
)
from tests.support.scripted import a_script, problem, says
from tests.support.worlds import Served

TOKEN = "POST /oauth2/token"
GIVEN = says(200, {"access_token": "good", "expires_in": 3600})
SOMEBODY = {"client_id": "00000000-0000-0000-0000-000000000001", "client_secret": "secret"}


async def somebody(network: Served, voucher: str) -> RemoteAgent:
    identity = await register(voucher, api_url=network.url, keyring=NotKept())
    credentials = identity.credentials
    return await connect(client_id=str(credentials.client_id), client_secret=credentials.secret, api_url=network.url)


async def test_the_token_is_the_agents_own_and_is_fetched_once(network: Served, voucher: str) -> None:
    async with await somebody(network, voucher) as agent:
        token = await agent.get_token()
        assert await agent.get_token() == token
        me = await agent.agents.whoami()
        async with await visit(api_url=network.url) as visitor:
            told = await visitor.request("GET", "/agents/whoami", headers={"Authorization": f"Bearer {token}"})
    assert told["identityId"] == str(me.agent_id)


@pytest.mark.usefixtures("folder")
async def test_nobody_in_particular_has_no_token(network: Served) -> None:
    async with await visit(api_url=network.url) as visitor:
        with pytest.raises(NoCredentials):
            await visitor.get_token()


async def test_an_answer_is_its_json_value_or_its_text(network: Served, voucher: str) -> None:
    async with await somebody(network, voucher) as agent:
        made = await agent.request("POST", "/diaries", json={"name": "by hand"})
        assert (await agent.request("GET", f"/diaries/{made['id']}"))["name"] == "by hand"
        assert "MoltNet" in await agent.request("GET", "/llms.txt")


async def test_a_refusal_is_reported_as_to_every_other_method(network: Served, voucher: str) -> None:
    async with await somebody(network, voucher) as agent:
        with pytest.raises(NotFound):
            await agent.request("GET", "/diaries/00000000-0000-4000-8000-00000000dead")
        with pytest.raises(Invalid):
            await agent.request("POST", "/diaries", json={"name": ""})
    async with await visit(api_url=network.url) as visitor:
        with pytest.raises(Unauthenticated):
            await visitor.request("GET", "/diaries")


@pytest.mark.parametrize(
    "path", ["", "diaries", "https://elsewhere.example/", "/a b", "/a\r\nHost: elsewhere", "/\0", "/\ud800", "/\u00e9"]
)
async def test_a_path_that_is_none_is_asked_of_nobody(path: str) -> None:
    async with a_script() as server, await connect(**SOMEBODY, api_url=server.url) as agent:
        with pytest.raises(Invalid, match="percent-encoded"):
            await agent.request("GET", path)
        assert not server.asked


async def test_a_path_never_leads_a_token_elsewhere() -> None:
    async with a_script() as server, await connect(**SOMEBODY, api_url=server.url) as agent:
        server.says(TOKEN, GIVEN)
        for path in ("//elsewhere.example/", "/@elsewhere.example/"):
            server.says(f"GET {path}", says(200, {}))
            await agent.request("GET", path)
        assert server.asked == [TOKEN, "GET //elsewhere.example/", "GET /@elsewhere.example/"]


async def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    async with a_script() as server, await connect(**SOMEBODY, api_url=server.url) as agent:
        server.says(TOKEN, GIVEN, says(200, {"access_token": "fresh", "expires_in": 3600}))
        server.says("DELETE /x", problem(401, "UNAUTHORIZED"), says(200, {"success": True}))
        assert await agent.request("DELETE", "/x") == {"success": True}
        assert server.tokens[-1] == "Bearer fresh"
        assert server.times(TOKEN) == 2


@pytest.mark.parametrize(("method", "path", "times"), [("GET", "/x", 3), ("POST", "/x", 1), ("POST", "/vouch?y", 1)])
async def test_what_may_have_been_carried_out_is_not_sent_again(method: str, path: str, times: int) -> None:
    async with a_script() as server, await connect(**SOMEBODY, api_url=server.url) as agent:
        server.says(TOKEN, GIVEN)
        name = f"{method} {path.partition('?')[0]}"
        server.says(name, problem(503, "UPSTREAM_ERROR"))
        with pytest.raises(Unavailable):
            await agent.request(method, path)
        assert server.times(name) == times


@pytest.mark.usefixtures("folder")
def test_the_face_that_waits_has_both() -> None:
    with blocking.visit(api_url="http://127.0.0.1:9") as visitor:
        with pytest.raises(NoCredentials):
            visitor.get_token()
        with pytest.raises(Invalid):
            visitor.request("GET", "elsewhere")


async def test_a_long_text_is_sent_with_its_characters_as_they_are(network: Served, voucher: str) -> None:
    async with await somebody(network, voucher) as agent:
        diary = await agent.diaries.create(name="Long")
        for character in ("\U0001f600", "\x01", '"'):
            with pytest.raises(Invalid, match="10000 characters"):  # it came as a whole: with escapes it has over 1 MiB
                await agent.diary.create(diary.id, content=character * 90_000)
        with pytest.raises(Invalid):
            await agent.diary.create(diary.id, content="\ud83d")
