"""The story of `moltnet demo` through tools, by the official client: over HTTP to two workers, and over stdio."""

import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import attrs
import pytest
import pytest_asyncio
from mcp import StdioServerParameters
from mcp.client.client import Client

from moltnet.adapters.nacl import NaclKeyPair
from tests.support.live_server import LiveServer, asked, genesis, serving
from tests.support.mcp_clients import mcp_client, refused, used

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@attrs.frozen
class Credentials:
    """What an agent needs to come in, and to sign."""

    client_id: str
    client_secret: str
    keys: NaclKeyPair

    @property
    def shown(self) -> dict[str, str]:
        return {"X-Client-Id": self.client_id, "X-Client-Secret": self.client_secret}


Connect = Callable[[LiveServer, Credentials], AbstractAsyncContextManager[Client]]


def over_http(era: str) -> Connect:
    return lambda server, agent: mcp_client(server.url, agent.shown, era)


@asynccontextmanager
async def over_stdio(server: LiveServer, agent: Credentials) -> AsyncIterator[Client]:
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH", "HOME"}},
        "MOLTNET_CLIENT_ID": agent.client_id,
        "MOLTNET_CLIENT_SECRET": agent.client_secret,
        "MOLTNET_API_URL": server.url,
    }
    command = StdioServerParameters(command=sys.executable, args=["-m", "moltnet", "mcp"], env=environment)
    async with Client(command) as client:
        yield client


WAYS = {"http": over_http("legacy"), "http without sessions": over_http("auto"), "stdio": over_stdio}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[LiveServer, list[dict[str, str]]]]:
    """A network served by two processes, and its founders, one for each way."""
    folder = tmp_path_factory.mktemp("network")
    founders = await genesis(folder, len(WAYS))
    async with serving(folder, "--workers", "2") as server:
        yield server, founders


@pytest.mark.parametrize("way", WAYS)
async def test_the_whole_story_through_tools(network: tuple[LiveServer, list[dict[str, str]]], way: str) -> None:
    server, founders = network
    founder = founders.pop()
    ada = Credentials(
        founder["clientId"], founder["clientSecret"], NaclKeyPair(base64.b64decode(founder["privateKey"]))
    )
    async with WAYS[way](server, ada) as hers:
        assert (await used(hers, "moltnet_whoami"))["identity"]["fingerprint"] == founder["fingerprint"]
        bea = await _newcomer(server, (await used(hers, "moltnet_vouch"))["voucher"]["code"])
        async with WAYS[way](server, bea) as others:
            await _memories_and_sharing(hers, others, str(bea.keys.public_key.fingerprint))
            await _signing(hers, others, ada.keys)
        await _self(hers, way)


async def _newcomer(server: LiveServer, code: str) -> Credentials:
    keys = NaclKeyPair.generate()
    body = {"public_key": keys.public_key.text, "voucher_code": code}
    async with aiohttp.ClientSession(server.url) as session:
        status, registered = await asked(session, "POST", "/auth/register", json=body)
        assert status == 200, registered
        other = {**body, "public_key": NaclKeyPair.generate().public_key.text}
        assert (await asked(session, "POST", "/auth/register", json=other))[0] == 403
    return Credentials(registered["clientId"], registered["clientSecret"], keys)


async def _memories_and_sharing(hers: Client, others: Client, fingerprint: str) -> None:
    diary = (await used(hers, "diaries_create", name="Work"))["diary"]["id"]
    memories = (
        ("The deploy failed because the OAuth callback URL still pointed at staging.", "ops"),
        ("Mara prefers short status updates on Friday afternoon.", "people"),
        ("Postgres needs the vector extension before the first migration.", "ops"),
    )
    written = [
        (await used(hers, "diary_create", diary_ref="Work", content=content, tags=[tag]))["entry"]["id"]
        for content, tag in memories
    ]
    for query, wanted in (("why could nobody log in after the release?", 0), ("Mara", 1)):
        found = await used(hers, "diary_search", query=query, diary_ref=diary)
        assert (found["results"][0]["id"], found["search_type"]) == (written[wanted], "hybrid")
    place = {"diary_ref": diary, "entry_id": written[0]}
    assert (await refused(others, "diary_get", **place))["error"] == "Entry not found"
    await used(hers, "diary_share", diary_ref="Work", fingerprint=fingerprint)
    (invitation,) = (await used(others, "invitations_list"))["invitations"]
    await used(others, "invitations_accept", invitation_id=invitation["id"])
    assert (await used(others, "diary_get", **place))["entry"]["content"] == memories[0][0]
    (shared,) = (await others.read_resource(f"moltnet://diary/{written[0]}")).contents
    assert "OAuth callback" in shared.text
    assert (await refused(others, "diary_create", diary_ref=diary, content="mine"))["status"] == 403
    await used(hers, "diary_unshare", diary_ref="Work", fingerprint=fingerprint)
    assert (await refused(others, "diary_get", **place))["status"] == 404
    digest = (await used(hers, "diary_reflect", diary_ref="Work"))["digest"]
    assert digest["totalEntries"] == len(memories)


async def _signing(hers: Client, others: Client, keys: NaclKeyPair) -> None:
    prepared = await used(hers, "crypto_prepare_signature", message="I endorse Bea — ✓\nsigned twice")
    signature = keys.sign(base64.b64decode(prepared["signing_input"]))
    submitted = await used(hers, "crypto_submit_signature", request_id=prepared["request_id"], signature=signature)
    assert (submitted["status"], submitted["valid"]) == ("completed", True)
    assert (await used(others, "crypto_verify", signature=signature))["valid"] is True
    assert (await used(others, "crypto_verify", signature=keys.sign(b"never submitted")))["valid"] is False


async def _self(hers: Client, way: str) -> None:
    for kind in ("identity", "soul"):
        await used(
            hers, "diary_create", diary_ref="default", content=f"my {kind}", tags=["system", kind], entry_type=kind
        )
    known = await used(hers, "moltnet_whoami")
    assert [known["profile"][part]["content"] for part in ("whoami", "soul")] == ["my identity", "my soul"]
    (prompt,) = (await hers.get_prompt("identity_bootstrap")).messages
    assert "## Whoami (established)" in prompt.content.text
    assert "## Soul (established)" in prompt.content.text
    diary = await used(hers, "diaries_create", name="Open", visibility="public")
    await used(hers, "diary_create", diary_ref=diary["diary"]["id"], content="For everyone", tags=[way])
    feed = await used(hers, "public_feed_browse", tag=way)
    assert [item["content"] for item in feed["items"]] == ["For everyone"]


async def test_a_session_survives_its_worker_and_the_server(tmp_path: Path) -> None:
    (founder,) = await genesis(tmp_path)
    headers = {"X-Client-Id": founder["clientId"], "X-Client-Secret": founder["clientSecret"]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "diaries_list"}}
    opening = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a client", "version": "1"}}
    async with serving(tmp_path, "--workers", "2") as server:
        async with aiohttp.ClientSession(headers=headers) as session:
            body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening}
            async with session.post(f"{server.url}/mcp", json=body) as opened:
                session_id = opened.headers["Mcp-Session-Id"]
        for _ in range(20):  # a connection each: the workers take turns
            assert await _served_as(server, session_id, headers, call) == session_id
    async with serving(tmp_path) as again:
        assert await _served_as(again, session_id, headers, call) == session_id


async def _served_as(server: LiveServer, session_id: str, headers: dict[str, str], call: dict[str, object]) -> str:
    async with (
        aiohttp.ClientSession(headers={**headers, "Mcp-Session-Id": session_id}) as session,
        session.post(f"{server.url}/mcp", json=call) as answer,
    ):
        assert json.loads((await answer.json())["result"]["content"][0]["text"])["diaries"]
        return answer.headers["Mcp-Session-Id"]
