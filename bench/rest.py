"""The same work through a server's REST interface, with one client and with many."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import attrs

from bench.rates import Rate, timed
from bench.server import Server, cpu_s, diary, genesis, running

CLIENTS, SETTLES_S, IDLE_S = 16, 10.0, 30.0


@attrs.frozen(kw_only=True)
class ThroughRest:
    """What was measured, and what the server had stored in the end."""

    notes: list[Rate]
    paragraphs: list[Rate]
    searches: list[Rate]
    diary: str
    entries: int
    facts: list[str]


def through_rest(folder: Path, notes: Sequence[str], paragraphs: Sequence[str], asked: Sequence[str]) -> ThroughRest:
    """Starts a server cold and warm, and loads it."""
    with running(folder) as cold:
        pass
    agent = genesis(folder)
    with running(folder) as server:
        at_rest, idle = server.resident_mb(), _idle(server, folder)
        measured = asyncio.run(_load(server, agent["accessToken"], notes, paragraphs, asked))
        start = f"start to ready: {cold.ready_s:.2f} s with an empty folder, {server.ready_s:.2f} s with a used one"
        memory = f"server process resident: {at_rest:.0f} MB at rest (aim 200), {server.resident_mb():.0f} MB after it"
        return attrs.evolve(
            measured, facts=[start, memory, f"idle server and database: {idle:.1%} of a core (aim 1 %)"]
        )


def _idle(server: Server, folder: Path) -> float:
    """The share of a core that a server and its database use while nobody asks for anything."""
    time.sleep(SETTLES_S)  # what the start has used is not counted any more once its processes have ended
    before = sum(cpu_s(server, folder))
    time.sleep(IDLE_S)
    return (sum(cpu_s(server, folder)) - before) / IDLE_S


async def _load(
    server: Server, token: str, notes: Sequence[str], paragraphs: Sequence[str], asked: Sequence[str]
) -> ThroughRest:
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {token}"}) as session:
        diary_id = await diary(session)

        async def write(text: str) -> None:
            await _post(session, f"/diaries/{diary_id}/entries", {"content": text})

        async def search(text: str) -> None:
            await _post(session, "/diaries/search", {"diaryId": diary_id, "query": text})

        written = [await timed(name, write, notes, clients) for name, clients in _ONE_AND_MANY]
        long = [await timed(name, write, paragraphs, clients) for name, clients in _ONE_AND_MANY]
        searched = [await timed(name, search, asked, clients) for name, clients in _ONE_AND_MANY]
        async with session.get(f"/diaries/{diary_id}/entries?limit=1") as answer:
            entries = (await answer.json())["total"]
    return ThroughRest(notes=written, paragraphs=long, searches=searched, diary=diary_id, entries=entries, facts=[])


async def _post(session: aiohttp.ClientSession, path: str, body: dict[str, str]) -> None:
    async with session.post(path, json=body) as answer:
        answer.raise_for_status()
        await answer.read()


_ONE_AND_MANY = (("REST, 1 client", 1), (f"REST, {CLIENTS} clients", CLIENTS))
