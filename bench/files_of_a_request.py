"""Which modules of moltnet run while one entry is created over REST, and while one search is made over MCP.

`python -m bench.files_of_a_request`. PostgreSQL and the model are real. A module counts if one of its functions runs
during the request, constructors aside, in any thread, each time of several: what runs on its own now and then, such as
jobs and look-ups of keys, is not the request's. The same request was made once before.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

import moltnet
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app

REQUESTS = 5
ROOT = str(Path(moltnet.__file__).parent) + "/"


async def files_of(request: Callable[[], Awaitable[None]]) -> set[str]:
    """The modules that run during a request, by their paths."""
    seen: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if (
            event == "call"
            and frame.f_code.co_name not in {"<module>", "__init__"}
            and frame.f_code.co_filename.startswith(ROOT)
        ):
            seen.add(frame.f_code.co_filename.removeprefix(ROOT))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        await request()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return seen


async def main() -> None:
    """Prints the lists and their lengths."""
    with tempfile.TemporaryDirectory() as folder:
        async with moltnet.MoltNet.open(folder) as network:
            agent = await network.genesis()
            diary = await agent.diaries.create(name="followed")
            services, secret = network._services, agent.identity.credentials  # noqa: SLF001
            token = (await services.credentials.token(str(secret.client_id), secret.secret, None)).text
            app = create_app(services)
            mount_mcp(app, McpOptions(urls=NetworkUrls(api_url=network.url), session_secret=bytes(32)))
            headers = {"Authorization": f"Bearer {token}", "MCP-Protocol-Version": "2025-06-18"}
            async with TestServer(app) as server, ClientSession(str(server.make_url("/")), headers=headers) as session:

                async def create() -> None:
                    body = {"content": "The deploy failed because of a callback URL", "tags": ["ops"]}
                    async with session.post(f"/diaries/{diary.id}/entries", json=body) as answer:
                        assert answer.ok, await answer.text()

                async def search() -> None:
                    params = {"name": "diary_search", "arguments": {"query": "why did the deploy fail?"}}
                    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
                    async with session.post("/mcp", json=body) as answer:
                        assert "callback" in await answer.text()

                for name, request in (("one entry created over REST", create), ("one search over MCP", search)):
                    await request()
                    files = sorted(set.intersection(*[await files_of(request) for _ in range(REQUESTS)]))
                    print(f"{name}: {len(files)} modules", *files, "", sep="\n  ")


asyncio.run(main())
