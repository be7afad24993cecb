"""`moltnet genesis`: agents nobody vouched for, beside a server that runs on the same data."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ALL_SCOPES
from tests.support.commands import run
from tests.support.live_server import LiveServer, asked, serving

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

MEMBERS = {
    *("name", "identityId", "fingerprint", "publicKey", "privateKey", "clientId", "clientSecret", "accessToken")
}  # docs/reference/client.md, "First agents"


@attrs.frozen
class GenesisNetwork:
    """A server, and the folder it works on."""

    data: Path
    server: LiveServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GenesisNetwork]:
    data = tmp_path_factory.mktemp("genesis") / "data"
    async with serving(data) as server:
        yield GenesisNetwork(data, server)


async def test_agents_have_the_names_and_the_scopes_that_were_asked_for(network: GenesisNetwork) -> None:
    scopes = ("--scopes", "diary:read agent:profile")
    ended = await run("genesis", "--count", "3", "--names", "a, b,c", *scopes, "--data", str(network.data))
    assert (ended.status, ended.err) == (0, "")
    founders = ended.printed
    assert [founder["name"] for founder in founders] == ["a", "b", "c"]
    assert {frozenset(founder) for founder in founders} == {frozenset(MEMBERS)}
    assert len({founder["fingerprint"] for founder in founders}) == 3
    assert not (network.data / "genesis").exists()  # what was told is not kept
    for founder in founders:
        async with network.server.session(founder["accessToken"]) as session:
            assert (await asked(session, "GET", "/agents/whoami"))[1]["identityId"] == founder["identityId"]
            assert (await asked(session, "POST", "/diaries", json={"name": "mine"}))[0] == 403


async def test_agent_without_words_has_a_number_for_a_name_every_scope_and_a_diary(network: GenesisNetwork) -> None:
    (founder,) = (await run("genesis", "--data", str(network.data))).printed
    assert founder["name"] == "agent-1"
    keys = NaclKeyPair(base64.b64decode(founder["privateKey"]))
    assert keys.public_key.text == founder["publicKey"]
    async with network.server.session() as session:
        form = {
            "grant_type": "client_credentials",
            "client_id": founder["clientId"],
            "client_secret": founder["clientSecret"],
            "scope": " ".join(ALL_SCOPES),
        }
        status, token = await asked(session, "POST", "/oauth2/token", data=form)
    assert (status, set(token["scope"].split())) == (200, set(ALL_SCOPES))
    async with network.server.session(token["access_token"]) as session:
        _, diaries = await asked(session, "GET", "/diaries")
        _, whoami = await asked(session, "GET", "/agents/whoami")
    assert [diary["name"] for diary in diaries["items"]] == ["Private"]
    assert whoami.pop("proven") is True
    assert {name: founder[name] for name in whoami} == whoami


async def test_several_at_once_are_all_there(network: GenesisNetwork) -> None:
    ended = await asyncio.gather(*(run("genesis", "--count", "2", "--data", str(network.data)) for _ in range(2)))
    tokens = [founder["accessToken"] for each in ended for founder in each.printed]
    assert len(set(tokens)) == 4
    for token in tokens:
        async with network.server.session(token) as session:
            assert (await asked(session, "GET", "/agents/whoami"))[0] == 200
