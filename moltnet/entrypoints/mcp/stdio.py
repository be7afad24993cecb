"""MCP over standard input and output: one client, one agent, whatever network that agent is of."""

from mcp.server.stdio import stdio_server

from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.mcp_session import SingleMcpSession
from moltnet.entrypoints.mcp.server import mcp_server


async def serve_stdio(agent: Agent, *, is_authenticated: bool) -> None:
    """Serves one client until it closes its end; `is_authenticated` says whether the agent has credentials."""
    server = mcp_server(SingleMcpSession(agent, is_authenticated))
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
