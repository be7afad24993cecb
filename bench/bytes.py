"""Bytes of database per entry, by table: rows, long texts moved out of them (TOAST), indexes.

`python -m bench.bytes [--only NAME …]`. Each workload is written through the library into a network of its own, from
whose tables those of the empty network are subtracted. `notes` are of 175 characters, `memories` and `sentences` of
10 000: the bundled set's memories joined, and sentences so short that an entry has as many passages as one can have.
`mixed` is what agents do besides (keys of idempotency, edits, searches, signatures, registrations), before anything of
it is cleared away. Texts are cut into passages as ever, but their vectors are random: the bytes are the same.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import attrs
import psycopg
from tqdm import tqdm

from bench.texts import HABITS, PEOPLE, PLACES, memories, questions
from moltnet import sign_and_submit
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.indexing import DIMENSIONS, Vector
from moltnet.entrypoints.cli.commands.bench import BUNDLED
from moltnet.entrypoints.cli.scoring.rankings import read_memory_set
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings

NOTES, NOTE, LONG, LENGTH, AGENTS, MIXED, WRITERS, SHOWN = 2_000, 175, 100, 10_000, 8, 100, 8, 200
# Every table but PostgreSQL's own, with what belongs to it, in bytes.
SIZES = """
    select c.oid::regclass::text, pg_relation_size(c.oid),
        case when c.reltoastrelid = 0 then 0 else pg_total_relation_size(c.reltoastrelid) end, pg_indexes_size(c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
"""


@attrs.frozen
class Workload:
    """How many entries are written and how, and how large each may become with all that belongs to it."""

    entries: int
    most_kb: float
    write: Callable[[MoltNet], Awaitable[None]]


async def main(folder: Path) -> None:
    """Prints a table for each workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=[*WORKLOADS])
    chosen = random.Random(7)
    vectors = [Vector.of([chosen.gauss(0, 0.05) for _ in range(DIMENSIONS)]) for _ in range(NOTES)]
    with patch.object(OnnxEmbedder, "_compute", lambda _, __: chosen.choice(vectors)):
        for name in parser.parse_args().only or WORKLOADS:
            await _measure(name, WORKLOADS[name], folder / name)


async def _measure(name: str, workload: Workload, folder: Path) -> None:
    async with _network(folder) as moltnet:
        await moltnet.genesis()
    before = _sizes(folder)
    async with _network(folder) as moltnet:
        await workload.write(moltnet)
    grown = {table: parts - before[table] for table, parts in _sizes(folder).items()}
    totals = {table: sum(parts.values()) / workload.entries for table, parts in grown.items()}
    kilobytes = sum(totals.values()) / 1000
    print(f"\n{name}: {kilobytes:.2f} kB per entry, at most {workload.most_kb} wanted", flush=True)
    print(f"  {'bytes per entry':<36}{'rows':>9}{'TOAST':>9}{'indexes':>9}")
    for table in sorted(grown, key=totals.__getitem__, reverse=True):
        if totals[table] >= kilobytes * 1000 / SHOWN:
            shown = "".join(f"{grown[table][part] / workload.entries:>9.0f}" for part in ("rows", "toast", "indexes"))
            print(f"  {table:<36}{shown}", flush=True)


@asynccontextmanager
async def _network(folder: Path) -> AsyncIterator[MoltNet]:
    settings = read_settings(folder, UNTHROTTLED)
    async with network(settings, settings.url(1)) as services:
        yield MoltNet(services, NetworkUrls(api_url=settings.url(1)))


def _sizes(folder: Path) -> dict[str, Counter[str]]:
    with EmbeddedPostgres(folder) as postgres, psycopg.connect(postgres.start(), autocommit=True) as connection:
        rows = connection.execute(SIZES).fetchall()
    return {name: Counter(rows=main, toast=toast, indexes=indexes) for name, main, toast, indexes in rows}


async def _write(moltnet: MoltNet, texts: list[str]) -> None:
    agent = await moltnet.genesis()
    diary, *_ = await agent.diaries.list()
    waiting = iter(texts)

    async def write() -> None:
        for text in waiting:
            await agent.diary.create(diary.id, content=text)
            bar.update()

    with tqdm(total=len(texts), leave=False, disable=None) as bar:
        await asyncio.gather(*(write() for _ in range(WRITERS)))


async def _mix(moltnet: MoltNet) -> None:
    founders = [await moltnet.genesis() for _ in range(AGENTS)]

    async def live(number: int) -> None:
        voucher = await founders[number].vouch.issue()
        agent = await moltnet.register(voucher.code)
        diary, *_ = await agent.diaries.list()
        asked = questions(MIXED, seed=number)
        for at, text in enumerate(memories(MIXED, seed=number)):
            entry = await agent.diary.create(diary.id, content=text[:NOTE], key=f"entry-{at}")
            if at % 5 == 0:
                await agent.diary.search(next(asked), diary_id=diary.id)
                await agent.diary.update(diary.id, entry.id, tags=["edited"])
            if at % 10 == 0:
                await sign_and_submit(agent, f"I was here at {at}")

    await asyncio.gather(*map(live, range(AGENTS)))


def _notes() -> list[str]:
    return [text[:NOTE] for text in memories(NOTES)]


def _long(sentences: Iterator[str]) -> list[str]:
    return [" ".join(islice(sentences, LENGTH // 30))[:LENGTH] for _ in range(LONG)]


def _bundled() -> Iterator[str]:
    facts, chosen = [each.new.content for each in read_memory_set(BUNDLED).entries], random.Random(7)
    while True:
        yield from chosen.sample(facts, len(facts))


def _short() -> Iterator[str]:
    chosen = random.Random(7)
    while True:
        yield f"{chosen.choice(PEOPLE)} {chosen.choice(HABITS)[:28]}, {chosen.choice(PEOPLE)} {chosen.choice(PLACES)}."


WORKLOADS = {
    "notes": Workload(NOTES, 2.7, lambda moltnet: _write(moltnet, _notes())),
    "memories": Workload(LONG, 120, lambda moltnet: _write(moltnet, _long(_bundled()))),
    "sentences": Workload(LONG, 120, lambda moltnet: _write(moltnet, _long(_short()))),
    "mixed": Workload(AGENTS * MIXED, 8, _mix),
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-bytes-") as made:
        asyncio.run(main(Path(made)))
