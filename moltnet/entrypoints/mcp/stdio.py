"""MCP over standard input and output: one client, one agent, whatever network that agent is of."""

from mcp.server.stdio import stdio_server

from moltnet.entrypoints.mcp.server import mcp_server
from moltnet.entrypoints.mcp.visitor import OnlyVisitor
from moltnet.ports.agent import Agent


async def serve_stdio(agent: Agent, *, is_known: bool) -> None:
    """Serves one client until it closes its end; `is_known` tells whether the agent has credentials."""
    server = mcp_server(OnlyVisitor(agent, is_known))
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
