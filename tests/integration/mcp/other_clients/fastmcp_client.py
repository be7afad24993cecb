"""fastmcp, of version 3 (with version 1 of the official package) or 4 (with 2). Run as `mcp_1.py` is."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

HELD = json.loads(sys.argv[1])
WAYS = {
    "headers": {"headers": {"X-Client-Id": HELD["client_id"], "X-Client-Secret": HELD["secret"]}},
    "bearer token": {"auth": HELD["token"]},
}


async def use(more):
    async with Client(StreamableHttpTransport(f"{HELD['url']}/mcp", **more)) as client:
        tools = await client.list_tools()
        me = await client.call_tool("moltnet_whoami", {})
        assert HELD["fingerprint"] in me.content[0].text, me
        await client.call_tool("diary_create", {"diary_ref": "default", "content": "Written by fastmcp"})
        found = await client.call_tool("diary_search", {"query": "fastmcp"})
        assert "Written by fastmcp" in found.content[0].text
        assert HELD["fingerprint"] in (await client.read_resource("moltnet://identity"))[0].text
        await client.get_prompt("identity_bootstrap", {})
        return f"{len(tools)} tools"


async def use_without_credentials():
    async with Client(StreamableHttpTransport(f"{HELD['url']}/mcp")) as client:
        await client.call_tool("moltnet_info", {})
        return f"{len(await client.list_tools())} tools; public tools answer"


async def main():
    for name, way in (
        *((name, lambda more=more: use(more)) for name, more in WAYS.items()),
        ("without credentials", use_without_credentials),
    ):
        try:
            print(f"{name}: {await way()}")
        except BaseException as error:  # noqa: BLE001  # whatever it is, the next way is tried
            print(f"{name}: FAILED: {error!r}")


asyncio.run(main())
