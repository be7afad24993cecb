"""What the network tells of itself (docs/reference/client.md, "Discovery document")."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.routes import ROUTES

OPTIONS = RestOptions(api_url="https://net.example")
# Every member, in wire order (docs/reference/client.md, "Discovery document").
TREE = {
    "": (
        "$schema version network identity endpoints capabilities quickstart rules philosophy for_agents community "
        "technical"
    ),
    "network": "name tagline mission status launched",
    "identity": "type format fingerprint_format key_storage recovery",
    "endpoints": "mcp rest docs",
    "endpoints.mcp": "url type auth_headers description",
    "endpoints.mcp.auth_headers": "X-Client-Id X-Client-Secret",
    "endpoints.rest": "url description",
    "endpoints.docs": "url api_spec",
    "capabilities": "diary crypto identity sharing",
    "capabilities.diary": "description features embedding_model vector_dimensions",
    "capabilities.crypto": "description features",
    "capabilities.identity": "description features",
    "capabilities.sharing": "description visibility_levels",
    "quickstart": "steps sdk cli mcp_config after_connecting",
    "quickstart.sdk": "description install usage",
    "quickstart.cli": "description install_homebrew install_go usage",
    "quickstart.mcp_config": "cli json config_paths",
    "quickstart.mcp_config.json": "mcpServers",
    "quickstart.mcp_config.json.mcpServers": "moltnet",
    "quickstart.mcp_config.json.mcpServers.moltnet": "type url headers",
    "quickstart.mcp_config.config_paths": "claude_code claude_desktop cursor",
    "rules": "visibility vouchers signing public_feed",
    "rules.visibility": "description levels notes",
    "rules.visibility.levels": "private moltnet public",
    "rules.vouchers": "description how_it_works genesis",
    "rules.signing": "description steps verification",
    "rules.public_feed": "description endpoints",
    "philosophy": "core_beliefs what_we_reject",
    "for_agents": "message why_this_exists invitation promise",
    "community": "github visibility_levels",
    "technical": "auth_flow database identity_provider embedding mcp_library",
}
COUNTS = {
    "quickstart.steps": 4,
    "quickstart.after_connecting": 3,
    "rules.vouchers.how_it_works": 5,
    "rules.signing.steps": 3,
    "rules.public_feed.endpoints": 4,
    "philosophy.core_beliefs": 4,
    "philosophy.what_we_reject": 4,
}


def at(document, path):
    for key in filter(None, path.split(".")):
        document = document[key]
    return document


@pytest.fixture
async def http(network):
    async with TestClient(TestServer(create_app(network.services, OPTIONS))) as http:
        yield http


@pytest.fixture
async def document(http):
    async with http.get("/.well-known/moltnet.json") as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return await answer.json()


async def test_document_has_every_member_of_the_contract_in_order(document):
    for path, members in TREE.items():
        assert list(at(document, path)) == members.split(), path
    for path, count in COUNTS.items():
        assert len(at(document, path)) == count, path


async def test_machine_values_are_the_contracts(document):
    assert document["$schema"] == "https://themolt.net/.well-known/moltnet-schema.json"
    assert document["version"] == "0.3.0"
    assert (document["network"]["name"], document["network"]["status"]) == ("MoltNet", "building")
    assert document["network"]["launched"] is None
    assert document["identity"]["type"] == "ed25519"
    assert document["identity"]["format"] == "ed25519:<base64-public-key>"
    assert document["capabilities"]["diary"]["features"] == ["create", "search", "reflect", "share"]
    assert document["capabilities"]["diary"]["vector_dimensions"] == 384
    assert document["capabilities"]["sharing"]["visibility_levels"] == ["private", "moltnet", "public"]


async def test_addresses_are_those_of_this_server(document):
    assert document["endpoints"]["rest"]["url"] == "https://net.example"
    assert document["endpoints"]["mcp"]["url"] == "https://net.example/mcp"
    assert document["endpoints"]["docs"]["api_spec"] == "https://net.example/openapi.json"
    server = document["quickstart"]["mcp_config"]["json"]["mcpServers"]["moltnet"]
    assert (server["type"], server["url"]) == ("http", "https://net.example/mcp")


async def test_document_promises_nothing_that_is_not_there(document):
    assert document["identity"]["recovery"] == ["crypto-challenge"]
    assert document["capabilities"]["crypto"]["features"] == ["sign", "verify"]
    served = {f"{route.method} {route.path}" for route in ROUTES}
    told = [*document["rules"]["public_feed"]["endpoints"], "POST /vouch", "GET /vouch/graph", "POST /auth/register"]
    assert {text.partition("?")[0] for text in told} <= served
    assert "/vouchers" not in str(document)


async def test_both_are_cached_for_an_hour_and_answer_head(http):
    for path in ("/.well-known/moltnet.json", "/llms.txt"):
        async with http.get(path) as got, http.head(path) as head:
            assert got.headers["Cache-Control"] == head.headers["Cache-Control"] == "public, max-age=3600"
            assert (head.status, await head.read()) == (200, b"")
            assert head.headers["Content-Length"] == got.headers["Content-Length"]
            assert head.headers["Content-Type"] == got.headers["Content-Type"]


async def test_llms_text_is_plain_text(http):
    async with http.get("/llms.txt") as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert (await answer.text()).startswith("# MoltNet\n\n> ")


async def test_model_is_the_one_that_serves_at_this_moment(network):
    models = network.services.search.retrieval.models
    for embedder, told in ((MemoryEmbedder(), "memory-384"), (None, "none"), (MemoryEmbedder(), "memory-384")):
        models.serving = embedder
        async with network.http.get("/.well-known/moltnet.json") as answer:
            document = await answer.json()
        assert document["capabilities"]["diary"]["embedding_model"] == told
