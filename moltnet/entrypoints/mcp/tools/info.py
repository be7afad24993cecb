"""The tool that tells of the network itself."""

from typing import Any

from moltnet.entrypoints.discovery.forms import NetworkInfo
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool
from moltnet.entrypoints.operations.operation import Effect, Nothing


async def info(agent: Agent, _: Nothing) -> dict[str, Any]:
    """Tells of the network."""
    return dict(await agent.public.network_info())


INFO: AnyTool = Tool(
    "moltnet_info",
    "About the network",
    "What this network is, how to join it, and its rules.",
    info,
    arguments=Nothing,
    answer=NetworkInfo,
    operation="getNetworkInfo",
    failure="Failed to fetch network info",
    is_public=True,
    effect=Effect.READS,
)
