"""Pydantic AI: an agent's tools as a toolset."""

from collections.abc import Iterable
from typing import Any

from pydantic_ai import FunctionToolset, Tool

from moltnet.entrypoints.integrations.loops import AnyAgent
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools

TOOLSET_ID = "moltnet"


def pydantic_ai_toolset(
    agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS, *, toolset_id: str = TOOLSET_ID
) -> FunctionToolset[Any]:
    """An agent's tools; a run with several agents of a network gives each toolset an id of its own."""
    return FunctionToolset([_tool(each) for each in agent_tools(agent, names)], id=toolset_id)


def _tool(tool: AgentTool) -> Tool[Any]:
    async def call(**arguments: Any) -> str:
        return await tool.call(arguments)

    return Tool.from_schema(call, tool.name, tool.description, tool.parameters)
