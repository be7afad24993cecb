"""An agent's tools, called as a framework does."""

import json

import pytest

from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, agent_tools
from moltnet.testing import outage


def tools_of(agent, names=MEMORY_TOOLS):
    return {tool.name: tool for tool in agent_tools(agent, names)}


async def test_what_one_tool_stores_another_finds(moltnet_agent):
    tools = tools_of(moltnet_agent)
    stored = json.loads(await tools["diary_create"].call({"diary_ref": "default", "content": "The bakery is closed"}))
    found = json.loads(await tools["diary_search"].call({"query": "bakery", "tags": None}))
    assert found["results"][0]["id"] == stored["entry"]["id"]


async def test_schemas_refer_to_nothing_outside(moltnet_agent):
    tools = tools_of(moltnet_agent)
    assert list(tools) == list(MEMORY_TOOLS)
    for tool in tools.values():
        assert tool.parameters["type"] == "object"
        assert "$ref" not in json.dumps(tool.parameters)


async def test_wrong_arguments_are_reported_to_the_model(moltnet_agent):
    search = tools_of(moltnet_agent)["diary_search"]
    assert "colour" in await search.call({"query": "bakery", "colour": "red"})


async def test_a_network_that_is_away_is_reported_to_the_model(moltnet_agent):
    tools = tools_of(moltnet_agent)
    with outage(moltnet_agent):
        found = json.loads(await tools["diary_search"].call({"query": "bakery"}))
        me = json.loads(await tools["moltnet_whoami"].call({}))
    assert (found["code"], me["reason"]) == ("UPSTREAM_ERROR", "UPSTREAM_ERROR")


async def test_an_unknown_name_is_refused_at_once(moltnet_agent):
    with pytest.raises(ValueError, match="diary_burn"):
        agent_tools(moltnet_agent, ["diary_search", "diary_burn"])
