"""The official client, in both eras."""

import pytest
from mcp.shared.exceptions import MCPError

from tests.integration.mcp.conftest import shown
from tests.support.mcp_clients import ERAS, mcp_client, refused, used

TOOLS, PUBLIC = 34, 7
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("era", ERAS)
async def test_the_client_connects_and_lists(network, ada, era):
    async with mcp_client(network.url, shown(ada), era) as client:
        tools = (await client.list_tools()).tools
        assert client.protocol_version == ERAS[era]
        assert client.server_info is not None
        assert client.server_info.name == "moltnet"
        assert len(tools) == TOOLS
        assert [str(each.uri) for each in (await client.list_resources()).resources] == [
            "moltnet://identity",
            "moltnet://diary/recent",
            "moltnet://self/whoami",
            "moltnet://self/soul",
        ]
        assert len((await client.list_resource_templates()).resource_templates) == 2
        assert [each.name for each in (await client.list_prompts()).prompts] == ["identity_bootstrap", "sign_message"]


@pytest.mark.parametrize("era", ERAS)
async def test_tools_resources_and_prompts_answer(network, ada, era):
    async with mcp_client(network.url, shown(ada), era) as client:
        made = await used(client, "diary_create", diary_ref="default", content="The deploy failed")
        found = await used(client, "diary_search", query="deploy")
        assert [entry["id"] for entry in found["results"]] == [made["entry"]["id"]]
        failed = await refused(client, "diary_get", diary_ref="default", entry_id=NOBODY)
        assert (failed["error"], failed["status"]) == ("Entry not found", 404)
        (content,) = (await client.read_resource(f"moltnet://diary/{made['entry']['id']}")).contents
        assert content.mime_type == "application/json"
        (prompt,) = (await client.get_prompt("sign_message", {"message": "Hello"})).messages
        assert "Hello" in prompt.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_without_credentials_all_tools_are_seen_and_the_public_ones_used(network, era):
    async with mcp_client(network.url, era=era) as client:
        tools = (await client.list_tools()).tools
        assert len(tools) == TOOLS
        open_ones = [tool for tool in tools if tool.meta == {"securitySchemes": [{"type": "noauth"}]}]
        assert len(open_ones) == PUBLIC
        assert (await used(client, "moltnet_info"))["network"]["name"] == "MoltNet"
        for asking in (
            client.call_tool("moltnet_whoami"),
            client.call_tool("diaries_list"),
            client.read_resource("moltnet://identity"),
            client.get_prompt("identity_bootstrap"),
        ):
            with pytest.raises(MCPError):
                await asking
        assert (await used(client, "moltnet_info"))["network"]["name"] == "MoltNet"


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_there_is_an_error(network, ada, era):
    async with mcp_client(network.url, shown(ada), era) as client:
        for asking in (
            client.read_resource("moltnet://no/such"),
            client.get_prompt("no_such_prompt"),
            client.call_tool("no_such_tool", {}),
        ):
            with pytest.raises(MCPError, match=r"no.such"):
                await asking
