"""langchain-mcp-adapters, which brings version 1 of the official package. Run as `mcp_1.py` is."""

import asyncio
import json
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient

HELD = json.loads(sys.argv[1])
HEADERS = {
    "headers": {"X-Client-Id": HELD["client_id"], "X-Client-Secret": HELD["secret"]},
    "bearer token": {"Authorization": f"bearer {HELD['token']}"},
}


async def use(headers, path="/mcp"):
    connection = {"transport": "streamable_http", "url": HELD["url"] + path, "headers": headers}
    client = MultiServerMCPClient({"moltnet": connection})
    tools = {tool.name: tool for tool in await client.get_tools()}
    answer = await tools["moltnet_whoami"].ainvoke({})
    assert HELD["fingerprint"] in json.dumps(answer), answer
    await tools["diary_create"].ainvoke({"diary_ref": "default", "content": "Written by LangChain", "tags": ["a", "b"]})
    found = await tools["diary_search"].ainvoke({"query": "LangChain"})
    assert "Written by LangChain" in json.dumps(found), found
    resources = await client.get_resources("moltnet", uris=["moltnet://identity"])
    assert HELD["fingerprint"] in resources[0].as_string()
    prompt = await client.get_prompt("moltnet", "identity_bootstrap")
    assert HELD["fingerprint"] in prompt[0].content
    return f"{len(tools)} tools"


async def main():
    for name, headers in HEADERS.items():
        for path in ("/mcp", "/mcp/"):
            try:
                print(f"{name}, {path}: {await use(headers, path)}")
            except BaseException as error:  # noqa: BLE001  # whatever it is, the next way is tried
                print(f"{name}, {path}: FAILED: {error!r}")


asyncio.run(main())
