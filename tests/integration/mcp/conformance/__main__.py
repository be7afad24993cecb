"""Runs the official conformance suite against our door, once with the suite's exhibits and once as it is.

`python -m tests.integration.mcp.conformance`. Needs Node 22 and, in the working folder or above, the suite:
`npm install @modelcontextprotocol/conformance`; or else `npx` gets it. Prints both summaries.
"""

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import unused_port

from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.mcp.endpoint import McpEndpoint, McpOptions
from moltnet.entrypoints.mcp.json_rpc import JsonRpcHandler
from moltnet.entrypoints.mcp.routes import MCP_PATH
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from tests.integration.mcp.conformance.exhibits import exhibition
from tests.support.network import a_network


async def main(command: list[str]) -> None:
    """Prints what the suite says."""
    for name, shows_exhibits in (("with the suite's exhibits", True), ("as it is", False)):
        async with _served(shows_exhibits=shows_exhibits) as url:
            process = await asyncio.create_subprocess_exec(
                *command, "server", "--url", url, "--suite", "all", stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
        _, _, summary = out.decode().partition("=== SUMMARY ===")
        print(f"{name}:\n{re.sub(r'^', '  ', summary.strip(), flags=re.MULTILINE)}\n")  # noqa: T201


@asynccontextmanager
async def _served(*, shows_exhibits: bool) -> AsyncIterator[str]:
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    options = RestOptions(api_url=url, cors_origins=frozenset({url}))
    async with a_network() as network:
        app = create_app(network.services, options)
        door = McpEndpoint(network.services, McpOptions(urls=NetworkUrls(api_url=url), session_secret=b"s" * 32))
        if shows_exhibits:
            handler = JsonRpcHandler()
            handler._server = exhibition()
            door._loading = asyncio.create_task(asyncio.sleep(0, handler))
        app.router.add_route("*", MCP_PATH, door.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"{url}{MCP_PATH}"
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    local = Path("node_modules/.bin/conformance").absolute()
    node = shutil.which("node") or "node"
    asyncio.run(
        main(sys.argv[1:] or ([node, str(local)] if local.exists() else ["npx", "@modelcontextprotocol/conformance"]))
    )
