"""Puts MCP on the server's own application: the same port, the same middlewares, the same headers."""

from aiohttp import web

from moltnet.entrypoints.mcp.endpoint import McpEndpoint
from moltnet.entrypoints.mcp.options import McpOptions
from moltnet.entrypoints.mcp.routes import MCP_PATH, ROUTES
from moltnet.entrypoints.rest.app import add_route
from moltnet.entrypoints.rest.options import SERVICES


def mount_mcp(app: web.Application, options: McpOptions) -> None:
    """Serves `/mcp` and what stands beside it; to be called before the application starts."""
    endpoint = McpEndpoint(app[SERVICES], options)
    app.on_shutdown.append(endpoint.streams.end_all)
    # Both forms of the address: some clients, and some people, end it with a slash.
    for path in (MCP_PATH, f"{MCP_PATH}/"):
        app.router.add_route("*", path, endpoint.handle)
    for route in ROUTES:
        add_route(app, route)
