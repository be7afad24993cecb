"""That the suite of the agent's port really goes through tools, where there are tools."""

from moltnet.domain.credentials import ClientSecret
from moltnet.entrypoints.mcp.calls import BY_NAME
from tests.support.tool_agent import WAYS, McpAgent, ToolDoor


def test_every_tool_but_two_has_a_way():
    # These tell less than the port asks for, or have no argument for its pages.
    assert set(BY_NAME) - {way.tool for way in WAYS} == {"moltnet_whoami", "moltnet_trust_graph"}


async def test_what_a_tool_does_is_asked_of_the_tool(network, ada):
    async with McpAgent(network.url, ClientSecret.of(ada.client_id, ada.secret)) as agent:
        diary = await agent.diaries.create(name="Work")
        entry = await agent.diary.create(diary.id, content="A day", tags=["x"])
        await agent.diary.update(diary.id, entry.id, title="Title")
        await agent.diary.search("day")
        await agent.diary.create(diary.id, content="once", key="k")
        client = agent._network._client
        assert isinstance(client, ToolDoor)
        assert client.used == {"diaries_create", "diary_create", "diary_update", "diary_search"}


async def test_an_anonymous_client_goes_through_the_public_tools(network):
    async with McpAgent(network.url) as nobody:
        assert (await nobody.public.feed()).items == ()
        assert not await nobody.crypto.verify("x")
        client = nobody._network._client
        assert isinstance(client, ToolDoor)
        assert client.used == {"public_feed_browse", "crypto_verify"}
