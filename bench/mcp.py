"""What MCP costs beside REST: the same search as a tool call and as a request, in turn, on the same server.

`python -m bench.mcp`. Both are asked on a connection that stays open; the tool call shows its credentials in the two
headers, as an MCP client does. The aim is at most 1.5 times the request's time.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import aiohttp
from tqdm import tqdm

from bench.server import Server, diary, genesis, running
from bench.texts import memories, questions

ENTRIES, TIMES, AIM = 200, 300, 1.5


async def main(folder: Path) -> None:
    """Prints both medians, their ratio, what other messages take, and what the server holds in memory."""
    agent = genesis(folder)
    with running(folder) as server:
        at_rest = server.resident_mb()
        async with _rest(server, agent) as rest, _mcp(server, agent) as mcp:
            first = await _timed(_call(mcp, "moltnet_whoami"))
            diary_id = await diary(rest)
            for text in tqdm(memories(ENTRIES), desc="writing", total=ENTRIES, leave=False, disable=None):
                await _read(rest.post(f"/diaries/{diary_id}/entries", json={"content": text}))
            await _compare(rest, mcp, diary_id)
            listing = statistics.median([await _timed(_ask(mcp, "tools/list")) for _ in range(20)])
        print(f"first message {first * 1000:.0f} ms, tools/list {listing * 1000:.1f} ms")
        print(f"server process resident: {at_rest:.0f} MB at rest, {server.resident_mb():.0f} MB after MCP")


async def _compare(rest: aiohttp.ClientSession, mcp: aiohttp.ClientSession, diary_id: str) -> None:
    by_rest, by_mcp = [], []
    for asked in tqdm(list(questions(TIMES)), desc="searching", leave=False, disable=None):
        request = {"diaryId": diary_id, "query": asked}
        by_rest.append(await _timed(_read(rest.post("/diaries/search", json=request))))
        by_mcp.append(await _timed(_call(mcp, "diary_search", diary_ref=diary_id, query=asked)))
    slow, quick = statistics.median(by_mcp), statistics.median(by_rest)
    print(f"diary_search: REST {quick * 1000:.2f} ms, MCP {slow * 1000:.2f} ms (n = {TIMES}, medians)")
    print(f"ratio {slow / quick:.2f}: {'within' if slow / quick <= AIM else 'NOT within'} {AIM}")


async def _timed(request: Awaitable[object]) -> float:
    started = time.perf_counter()
    await request
    return time.perf_counter() - started


async def _call(mcp: aiohttp.ClientSession, name: str, **given: str) -> None:
    result = await _ask(mcp, "tools/call", name=name, arguments=given)
    if "isError" in result:
        raise RuntimeError(str(result))


async def _ask(mcp: aiohttp.ClientSession, method: str, **params: object) -> dict[str, Any]:
    answer = await _read(mcp.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    return dict(answer["result"])


async def _read(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        answer.raise_for_status()
        return dict(await answer.json())


def _rest(server: Server, agent: dict[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {agent['accessToken']}"})


def _mcp(server: Server, agent: dict[str, str]) -> aiohttp.ClientSession:
    headers = {"X-Client-Id": agent["clientId"], "X-Client-Secret": agent["clientSecret"]}
    return aiohttp.ClientSession(server.url, headers=headers)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-mcp-") as made:
        asyncio.run(main(Path(made)))
