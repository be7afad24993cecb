"""Bytes of database per entry, by table: rows, long texts moved out of them (TOAST), indexes.

`python -m bench.bytes [--only NAME …]`. Each workload goes through REST into a network of its own, and the empty
network is subtracted. `notes` are of 175 characters, `memories` and `sentences` of 10 000: the bundled set's memories
joined, and sentences so short that an entry has as many passages as one can have. `mixed` is what agents do besides
writing (receipts, edits, searches, signatures, registrations), half an hour after which nothing has been cleared yet.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path

import attrs
import psycopg
from tqdm import tqdm

from bench.server import founders, running
from bench.texts import HABITS, PEOPLE, memories, questions
from moltnet import connect, register, sign_and_submit
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set
from moltnet.entrypoints.library.agent import Agent

NOTES, NOTE, LONG, LENGTH, AGENTS, MIXED, WRITERS, SHOWN = 2_000, 175, 60, 10_000, 8, 100, 8, 200
# Every table and materialized view but PostgreSQL's own, with what belongs to it, in bytes.
SIZES = """
    select c.oid::regclass::text, pg_relation_size(c.oid),
        case when c.reltoastrelid = 0 then 0 else pg_total_relation_size(c.reltoastrelid) end, pg_indexes_size(c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
"""


@attrs.frozen
class Workload:
    """What is written, by whom, how many entries that are, and how large each may become."""

    entries: int
    most_kb: float
    write: Callable[["Visit"], Awaitable[None]]


@attrs.frozen
class Visit:
    """A served network, with its first agent and a folder for the others' keys."""

    url: str
    agent: Agent
    folder: Path


async def main(folder: Path) -> None:
    """Prints a table for each workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=[*WORKLOADS])
    for name in parser.parse_args().only or WORKLOADS:
        await _measure(name, WORKLOADS[name], folder / name)


async def _measure(name: str, workload: Workload, folder: Path) -> None:
    (founder,) = founders(folder, 1)
    before = _sizes(folder)
    with running(folder) as server:
        client, secret = founder["clientId"], founder["clientSecret"]
        async with await connect(client_id=client, client_secret=secret, api_url=server.url) as agent:
            await workload.write(Visit(server.url, agent, folder))
    grown = {table: parts - before[table] for table, parts in _sizes(folder).items()}
    total = sum(sum(parts.values()) for parts in grown.values()) / workload.entries / 1000
    print(f"\n{name}: {total:.2f} kB per entry, at most {workload.most_kb} wanted", flush=True)
    print(f"  {'bytes per entry':<36}{'rows':>9}{'TOAST':>9}{'indexes':>9}")
    for table, parts in sorted(grown.items(), key=lambda each: -sum(each[1].values())):
        if sum(parts.values()) / workload.entries >= total * 1000 / SHOWN:
            shown = "".join(f"{parts[part] / workload.entries:>9.0f}" for part in ("rows", "toast", "indexes"))
            print(f"  {table:<36}{shown}", flush=True)


def _sizes(folder: Path) -> dict[str, Counter[str]]:
    with EmbeddedPostgres(folder) as postgres, psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("checkpoint")
        rows = connection.execute(SIZES).fetchall()
    return {name: Counter(rows=main, toast=toast, indexes=indexes) for name, main, toast, indexes in rows}


async def _write(visit: Visit, texts: list[str]) -> None:
    diary, *_ = await visit.agent.diaries.list()
    waiting = iter(texts)

    async def write() -> None:
        for text in waiting:
            await visit.agent.diary.create(diary.id, content=text)
            bar.update()

    with tqdm(total=len(texts), leave=False, disable=None) as bar:
        await asyncio.gather(*(write() for _ in range(WRITERS)))


async def _mix(visit: Visit) -> None:
    async def live(number: int) -> None:
        voucher = await visit.agent.vouch.issue()
        folder = visit.folder / f"agent-{number}"
        await register(voucher.code, api_url=visit.url, config_dir=folder)
        async with await connect(config_dir=folder, api_url=visit.url) as agent:
            diary, *_ = await agent.diaries.list()
            asked = questions(MIXED, seed=number)
            for at, text in enumerate(memories(MIXED, seed=number)):
                entry = await agent.diary.create(diary.id, content=text[:NOTE], key=f"entry-{at}")
                if at % 5 == 0:
                    await agent.diary.search(next(asked), diary_id=diary.id)
                    await agent.diary.update(diary.id, entry.id, tags=["edited"])
                if at % 10 == 0:
                    await sign_and_submit(agent, f"I was here at {at}")

    await asyncio.gather(*(live(number) for number in range(AGENTS)))


def _notes() -> list[str]:
    return [text[:NOTE] for text in memories(NOTES)]


def _long(sentences: Iterator[str]) -> list[str]:
    return [" ".join(islice(sentences, LENGTH // 30))[:LENGTH] for _ in range(LONG)]


def _bundled() -> Iterator[str]:
    facts, chosen = [each.new.content for each in read_memory_set(BUNDLED).entries], random.Random(7)
    while True:
        yield from chosen.sample(facts, len(facts))


def _short() -> Iterator[str]:
    chosen, number = random.Random(7), 0
    while number := number + 1:
        yield f"{chosen.choice(PEOPLE)} {chosen.choice(HABITS)[:24]} {number}."


WORKLOADS = {
    "notes": Workload(NOTES, 2.7, lambda visit: _write(visit, _notes())),
    "memories": Workload(LONG, 120, lambda visit: _write(visit, _long(_bundled()))),
    "sentences": Workload(LONG, 120, lambda visit: _write(visit, _long(_short()))),
    "mixed": Workload(AGENTS * MIXED, 8, _mix),
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-bytes-") as made:
        asyncio.run(main(Path(made)))
