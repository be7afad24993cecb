"""What a request of each main path costs in CPU time, beside the same by another version of the code.

`python -m bench.paths [FOLDER] [--only NAME …]`, where FOLDER holds the other version (a worktree of an earlier
commit). Each version serves a network of its own with the same entries; requests alternate in rounds, and of each path
the cheapest round counts, so that what else the machine does touches both alike. The time of the server's process and
of the database's processes is printed apart.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import Server, cores, cpu_s, diary, founders, running
from bench.texts import memories, questions

ENTRIES, ROUNDS, REQUESTS = 600, 6, 60
Act: TypeAlias = Callable[[int], Awaitable[object]]


@attrs.frozen
class Network:
    """A served network and what is asked of it."""

    server: Server
    folder: Path
    acts: Mapping[str, Act]


async def main() -> None:
    """Prints a line for each path."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?")
    parser.add_argument("--only", nargs="*")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moltnet-paths-") as made:
        async with AsyncExitStack() as stack:
            trees = [None, *([asked.other.resolve()] if asked.other else [])]
            networks = [
                await stack.enter_async_context(_served(Path(made) / str(number), tree))
                for number, tree in enumerate(trees)
            ]
            print(f"{cores()} cores; ms of CPU for a request among {ENTRIES} entries (server + database)")
            for name in asked.only or networks[0].acts:
                measured = await _measured(name, networks)
                totals = [server + database for server, database in measured]
                shown = "".join(f"{server:>8.2f} +{database:>5.2f}" for server, database in measured)
                print(f"  {name:<14}{shown}" + (f"{totals[0] / totals[1]:>8.2f} x" if totals[1:] else ""), flush=True)


async def _measured(name: str, networks: list[Network]) -> list[tuple[float, float]]:
    """The least of all rounds, each in ms for a request: the server's and the database's, by network."""
    rounds: list[list[tuple[float, float]]] = [[] for _ in networks]
    for number in tqdm(range(ROUNDS + 1), desc=name, leave=False, disable=None):
        for network, taken in zip(networks, rounds, strict=True):
            before = cpu_s(network.server, network.folder)
            for at in range(REQUESTS):
                await network.acts[name](number * REQUESTS + at)
            after = cpu_s(network.server, network.folder)
            if number:  # the first round warms up
                server, database = ((end - start) * 1000 / REQUESTS for start, end in zip(before, after, strict=True))
                taken.append((server, database))
    return [min(taken, key=sum) for taken in rounds]


@asynccontextmanager
async def _served(folder: Path, tree: Path | None) -> AsyncIterator[Network]:
    owner, other = founders(folder, 2, tree)
    headers = {"Authorization": f"Bearer {owner['accessToken']}"}
    credentials = {"X-Client-Id": owner["clientId"], "X-Client-Secret": owner["clientSecret"]}
    with running(folder, tree=tree) as server:
        async with (
            aiohttp.ClientSession(server.url, headers=headers) as rest,
            aiohttp.ClientSession(server.url, headers=credentials) as mcp,
        ):
            yield Network(server, folder, await acts_of(rest, mcp, other))


async def acts_of(rest: aiohttp.ClientSession, mcp: aiohttp.ClientSession, other: Mapping[str, str]) -> dict[str, Act]:
    """What an agent with these sessions asks of its network, whose other agent is named."""
    async with rest.get("/agents/whoami", headers={"Authorization": f"Bearer {other['accessToken']}"}) as answer:
        fingerprint = (await answer.json())["fingerprint"]
    home, public = await diary(rest), await _public(rest)
    new, asked = list(memories(ENTRIES + (ROUNDS + 1) * REQUESTS)), list(questions((ROUNDS + 1) * REQUESTS))
    written = [await _json(rest.post(f"/diaries/{home}/entries", json={"content": text})) for text in new[:ENTRIES]]
    ids = [entry["id"] for entry in written]
    for text in new[:40]:
        await _json(rest.post(f"/diaries/{public}/entries", json={"content": text}))

    async def share(_: int) -> None:
        await _json(rest.post(f"/diaries/{home}/share", json={"fingerprint": fingerprint}))
        await _json(rest.delete(f"/diaries/{home}/share/{fingerprint}"))

    async def call(name: str, **arguments: object) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        result = (await _json(mcp.post("/mcp", json=message)))["result"]
        if result.get("isError"):
            raise RuntimeError(str(result))

    return {
        "whoami": lambda _: _json(rest.get("/agents/whoami")),
        "get": lambda at: _json(rest.get(f"/diaries/{home}/entries/{ids[at % ENTRIES]}")),
        "list": lambda _: _json(rest.get(f"/diaries/{home}/entries?limit=20")),
        "search": lambda at: _json(rest.post("/diaries/search", json={"diaryId": home, "query": asked[at]})),
        "search all": lambda at: _json(rest.post("/diaries/search", json={"query": asked[at]})),
        "feed": lambda _: _json(rest.get("/public/feed?limit=20")),
        "MCP whoami": lambda _: call("moltnet_whoami"),
        "MCP search": lambda at: call("diary_search", diary_ref=home, query=asked[at]),
        "share, revoke": share,
        "importance": lambda at: _json(
            rest.patch(f"/diaries/{home}/entries/{ids[at % ENTRIES]}", json={"importance": at % 10 + 1})
        ),
        "edit": lambda at: _json(
            rest.patch(f"/diaries/{home}/entries/{ids[at % ENTRIES]}", json={"content": f"{new[at]} Edited."})
        ),
        "create": lambda at: _json(rest.post(f"/diaries/{home}/entries", json={"content": new[ENTRIES + at]})),
    }


async def _public(rest: aiohttp.ClientSession) -> str:
    return str((await _json(rest.post("/diaries", json={"name": "Public", "visibility": "public"})))["id"])


async def _json(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        if not answer.ok:
            raise RuntimeError(await answer.text())
        return dict(await answer.json())


if __name__ == "__main__":
    asyncio.run(main())
