"""What the pages weigh and cost on a network of 10 000 public entries.

`python -m bench.web [ENTRIES]`. The network stands on the embedded database, without the model; a client on the same
machine loads each page in turns with `/health`, which does nothing, so that what HTTP itself costs is told apart. The
first visit is the page with all that a browser loads for it.
"""

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from tqdm import tqdm

from bench.server import cores
from bench.texts import memories
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.entrypoints.cli.serving import listen, served_url
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.library.network import MoltNet, NetworkUrls
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.listening import listening_app
from moltnet.entrypoints.rest.options import ConnectionLimits, RestOptions
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings
from moltnet.entrypoints.web.mount import mount_web
from moltnet.entrypoints.web.routing import WebOptions

ENTRIES, AGENTS, ROUNDS, AT_ONCE = 10_000, 150, 60, 8
FIRST_VISIT_KB, SERVER_MS = 60, 50
FIRST_PAGES = ("landing", "feed")
HTML = {"Accept": "text/html"}


async def main(entries: int) -> None:
    """Prints a line for each page; the exit status is 1 if one of those that people see first is over its limit."""
    with tempfile.TemporaryDirectory(prefix="moltnet-web-") as folder, listen("127.0.0.1", 0) as listening:
        url = served_url(read_settings(Path(folder), {}), listening)
        settings = read_settings(Path(folder), {**UNTHROTTLED, "MOLTNET_PUBLIC_URL": url})
        async with network(settings, url, with_model=False) as services:
            paths = await _fill(MoltNet(services, NetworkUrls(api_url=url)), entries)
            app = create_app(services, RestOptions(api_url=url))
            mount_web(app, WebOptions(urls=NetworkUrls(api_url=url)))
            async with (
                listening_app(app, listening, drain_s=1, limits=ConnectionLimits()),
                aiohttp.ClientSession(url, headers=HTML) as http,
            ):
                over = await _measure(http, paths, entries)
    sys.exit(over)


async def _fill(moltnet: MoltNet, entries: int) -> dict[str, str]:
    agents = [await moltnet.genesis()]
    for number in range(AGENTS - 1):
        voucher = await agents[number // 4].vouch.issue()
        agents.append(await moltnet.register(voucher.code))
    diaries = [await agent.diaries.create(name="Public", visibility=Visibility.PUBLIC) for agent in agents[:20]]
    texts, last = list(memories(entries)), None
    with tqdm(total=entries, desc="public entries", leave=False, disable=None) as bar:

        async def write(number: int) -> None:
            nonlocal last
            for place in range(number, entries, AT_ONCE):
                agent: LocalAgent = agents[place % 20]
                new = NewEntry(content=texts[place], title=texts[place][:60], tags=("bench", f"t{place % 50}"))
                last = (await agent.diary.keep(diaries[place % 20].id, new)).entry
                bar.update()

        await asyncio.gather(*map(write, range(AT_ONCE)))
    first, deep = (agents[number].identity.public_key.fingerprint for number in (0, -1))  # type: ignore[union-attr]
    return {
        "landing": "/",
        "feed": "/feed",
        "feed, by tag": "/feed?tag=t7",
        "feed, searched": "/feed?q=backup+window",
        "entry": f"/feed/{last.id if last else ''}",
        "agent": f"/agent/{first}",
        "diary": f"/diary/{diaries[0].id}",
        "trust": "/trust",
        "trust, a path": f"/trust?agent={deep}&to={first}",
        "verify": "/verify",
        "Atom": "/feed.atom",
    }


async def _measure(http: aiohttp.ClientSession, paths: dict[str, str], entries: int) -> bool:
    print(f"{cores()} cores, shared by server, database and client; {entries} public entries, {AGENTS} agents")
    print(f"{'':<16}{'page kB':>9}{'first visit kB':>16}{'least ms':>10}{'p50 ms':>9}{'p95 ms':>9}{'HTTP alone':>12}")
    over = False
    for name, path in paths.items():
        page, visit = await _weight(http, path)
        times, bare = [], []
        for _ in range(ROUNDS):
            times.append(await _time(http, path))
            bare.append(await _time(http, "/health"))
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        over |= name in FIRST_PAGES and (visit > FIRST_VISIT_KB or p50 > SERVER_MS)
        print(
            f"{name:<16}{page:>9.1f}{visit:>16.1f}{min(times):>10.2f}{p50:>9.2f}{p95:>9.2f}{statistics.median(bare):>12.2f}"
        )
    return over


async def _time(http: aiohttp.ClientSession, path: str) -> float:
    started = time.perf_counter()
    async with http.get(path) as answer:
        await answer.read()
        answer.raise_for_status()
    return (time.perf_counter() - started) * 1000


async def _weight(http: aiohttp.ClientSession, path: str) -> tuple[float, float]:
    """Kilobytes of a page, heads of answers aside, and of the page with its style sheet, script and pictures."""
    async with http.get(path) as answer:
        text = await answer.text()
    page = len(text.encode())
    parts = set(re.findall(r'(?:src|href)="(/(?:assets|mark)/[^"]+)"', text))
    total = page
    for part in parts:
        async with http.get(part) as answer:
            total += len(await answer.read())
    return page / 1000, total / 1000


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else ENTRIES))
