"""A network switches its embedding model while agents search and write: is anything ever wrong?

`python -m bench.switching [--entries N] [--model DIRECTORY]`. Without a directory it writes one: the installed model
under another name, so that both orders of an answer are plausible and the work is as much as in earnest.

A diary that nobody writes to is searched all the while. Each of its answers must be the order of the old model or that
of the new one, and never the old one again after the new one. The server is killed in the middle and started again.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import attrs
from tqdm import tqdm

from bench.server import genesis, running
from bench.texts import memories, questions
from moltnet.adapters.onnx.install import default_model

CLIENTS, PROBES, STILL = 8, 12, 300


@attrs.frozen
class Load:
    """What the clients do: search a still diary for the probes, write to a busy one."""

    agent: dict[str, str]
    still: str
    busy: str
    probes: Sequence[str]


@attrs.define
class Snapshot:
    """What the clients met."""

    done: Counter[str] = attrs.field(factory=Counter)
    errors: Counter[str] = attrs.field(factory=Counter)
    answers: dict[str, list[tuple[str, ...]]] = attrs.field(factory=dict)


async def main() -> None:
    """Runs it and prints what was seen."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="moltnet-switching-") as folder:
        target = Path(options.model) if options.model else _another_model(Path(folder) / "another")
        await _measure(Path(folder) / "data", target, options.entries)


async def _measure(data: Path, target: Path, entries: int) -> None:
    agent = genesis(data)
    probes, seen = list(questions(PROBES)), Snapshot()
    with running(data) as server:
        async with _session(server.url, agent) as session:
            still = await _diary(session, memories(STILL, seed=3))
            busy = await _diary(session, memories(entries))
            load = Load(agent, still, busy, probes)
            old = {probe: await _search(session, still, probe) for probe in probes}
        _moltnet("model", "use", str(target), "--data", str(data))
        started = time.monotonic()
        async with _clients(server.url, load, seen, hurts=False):
            reached = await _until(data, lambda now: now["done"] >= now["total"] // 2 and now["done"] > 0)
            os.kill(server.pid, signal.SIGKILL)
    print(f"killed at {reached['done']} of {reached['total']} after {time.monotonic() - started:.0f} s")
    with running(data) as server:
        resumed = _status(data)
        print(f"started again at {resumed['done']} of {resumed['total']}")
        async with _clients(server.url, load, seen, hurts=True):
            over = await _until(data, lambda now: now["target"] is None)
        print(f"switched after {time.monotonic() - started:.0f} s, {over['total']} entries then")
        async with _session(server.url, agent) as session:
            new = {probe: await _search(session, still, probe) for probe in probes}
    _report(seen, old, new)


def _report(seen: Snapshot, old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]]) -> None:
    mixed = back = 0
    told = Counter[str]()
    for probe, answers in seen.answers.items():
        kinds = ["old" if answer == old[probe] else "new" if answer == new[probe] else "mixed" for answer in answers]
        told.update(kinds)
        mixed += kinds.count("mixed")
        if "new" in kinds:
            back += kinds[kinds.index("new") :].count("old")
    differing = sum(old[probe] != new[probe] for probe in old)
    print(f"{dict(seen.done)}; errors: {dict(seen.errors) or 'none'}")
    print(f"{differing} of {len(old)} probes are ordered differently by the two models")
    print(f"answers by the old model {told['old']}, by the new {told['new']}, mixed {mixed}, old after new {back}")


@contextlib.asynccontextmanager
async def _clients(url: str, load: Load, seen: Snapshot, *, hurts: bool) -> AsyncIterator[None]:
    """Clients that search and write for the length of the block; unless it hurts, a lost connection ends one."""
    stop = asyncio.Event()

    async def client(number: int) -> None:
        async with _session(url, load.agent) as session:
            for count, text in enumerate(memories(1_000_000, seed=100 + number)):
                if stop.is_set():
                    return
                try:
                    await turn(session, number, count, text)
                except aiohttp.ClientError as error:
                    if hurts:
                        seen.errors[repr(error)] += 1
                    return

    async def turn(session: aiohttp.ClientSession, number: int, count: int, text: str) -> None:
        if (number + count) % 4 == 0:
            async with session.post(f"/diaries/{load.busy}/entries", json={"content": text}) as answer:
                await _note(seen, "writes", answer, 201)
            return
        probe = load.probes[(number * 5 + count) % len(load.probes)]
        async with session.post("/diaries/search", json={"diaryId": load.still, "query": probe}) as answer:
            found = await _note(seen, "searches", answer, 200)
        if found is not None:
            if found["searchType"] != "hybrid":
                seen.errors[found["searchType"]] += 1
            seen.answers.setdefault(probe, []).append(tuple(each["id"] for each in found["results"]))

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*clients)


async def _note(seen: Snapshot, what: str, answer: aiohttp.ClientResponse, expected: int) -> dict[str, Any] | None:
    if answer.status != expected:
        seen.errors[f"{what}: {answer.status} {await answer.text()}"] += 1
        return None
    seen.done[what] += 1
    return dict(await answer.json())


async def _until(data: Path, holds: Any) -> dict[str, Any]:
    with tqdm(desc="switching", unit=" entries", leave=False, disable=None) as bar:
        while True:
            now = await asyncio.to_thread(_status, data)
            bar.total = now["total"]
            bar.update(now["done"] - bar.n)
            if holds(now):
                return now
            await asyncio.sleep(0.5)


async def _diary(session: aiohttp.ClientSession, contents: Any) -> str:
    async with session.post("/diaries", json={"name": "A diary"}) as answer:
        diary = str((await answer.json())["id"])
    waiting = asyncio.Semaphore(16)

    async def write(content: str) -> None:
        async with waiting, session.post(f"/diaries/{diary}/entries", json={"content": content}) as answer:
            answer.raise_for_status()

    await asyncio.gather(*(write(content) for content in contents))
    return diary


async def _search(session: aiohttp.ClientSession, diary: str, query: str) -> tuple[str, ...]:
    async with session.post("/diaries/search", json={"diaryId": diary, "query": query}) as answer:
        return tuple(each["id"] for each in (await answer.json())["results"])


def _session(url: str, agent: dict[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {agent['accessToken']}"})


def _status(data: Path) -> dict[str, Any]:
    return dict(json.loads(_moltnet("model", "status", "--json", "--data", str(data))))


def _moltnet(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "moltnet", *arguments], check=True, capture_output=True, text=True
    ).stdout


def _another_model(place: Path) -> Path:
    """The installed model with prefixes, as another: its vectors differ, and so does the order of some answers."""
    shutil.copytree(default_model(), place)
    declaration = place / "moltnet-model.json"
    members = {**json.loads(declaration.read_text(encoding="utf-8")), "name": "another", "query_prefix": "query: "}
    declaration.write_text(json.dumps({**members, "passage_prefix": "passage: "}), encoding="utf-8")
    return place


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000, help="entries that are written before the switch")
    parser.add_argument("--model", help="the directory of the model to switch to")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
