"""An agent's tools for any framework: those that MCP lists, called without a server.

A failed call is answered, not raised: the model reads what went wrong, and the host agent goes on.
"""

from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import attrs

from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.mcp.calls import Result, call, tool_named
from moltnet.entrypoints.mcp.sessions import SingleMcpSession
from moltnet.entrypoints.mcp.tools.tool import Tool

MEMORY_TOOLS = ("moltnet_whoami", "diary_search", "diary_create", "diary_get", "diary_update", "diary_reflect")
"""What an agent needs to remember; the other tools of docs/reference/mcp.md can be named, too."""


@attrs.frozen
class AgentTool:
    """One tool of one agent."""

    _agent: LoopBound
    _tool: Tool

    @property
    def name(self) -> str:
        """Its name, the same in every framework."""
        return self._tool.name

    @property
    def description(self) -> str:
        """What a model is told of it."""
        return self._tool.face.text

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        schema: Any = self._tool.definition["inputSchema"]
        return dict(schema)

    async def call(self, arguments: Mapping[str, object]) -> str:
        """The JSON text that a model is answered; members without a value count as left out."""
        return (await self._agent.awaited(self._called(arguments))).text

    def call_and_wait(self, arguments: Mapping[str, object]) -> str:
        """The same without `await`; raises RuntimeError as `LoopBound.result` does."""
        return self._agent.result(self._called(arguments)).text

    def _called(self, arguments: Mapping[str, object]) -> Coroutine[Any, Any, Result]:
        named = {name: value for name, value in arguments.items() if value is not None}
        return call(SingleMcpSession(self._agent.agent, is_authenticated=True), self._tool, named)


def agent_tools(agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS) -> list[AgentTool]:
    """The tools of these names. Raises ValueError for a name that no tool has."""
    bound, tools = LoopBound.of(agent), {name: tool_named(name) for name in names}
    unknown = [name for name, tool in tools.items() if tool is None]
    if unknown:
        raise ValueError(f"No such tool: {', '.join(unknown)}")
    return [AgentTool(bound, tool) for tool in tools.values() if tool]
