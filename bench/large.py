"""Searches among 1 000 to 160 000 entries through REST: what they cost beside the smallest, and what they miss.

`python -m bench.large [--texts FOLDER] [--data FOLDER]`: the first FOLDER holds `corpus.jsonl` and `queries.jsonl`
(`_id`, `title`, `text`); without it, notes of invented people. Texts are written through REST and then mixed, in the
database, into as many entries as asked for; no two have the same vector, and many have the same words. All places are
asked the same questions in turns. CPU is that of the server and of the database; recall is that of the ten best against
comparing every entry. The second FOLDER stays, so that another run need not fill it.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import aiohttp
import attrs
import psycopg
from tqdm import tqdm

from bench.server import Server, cores, cpu_s, diary, founders, running, used_s
from bench.texts import memories, questions
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.postgres import candidates
from moltnet.adapters.postgres.candidates import LARGE_FROM, Indexed, PostgresCandidates
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.ranking_indexes import FIND_LARGE
from moltnet.adapters.postgres.session import Session
from moltnet.adapters.postgres.storage import PostgresUnitOfWork
from moltnet.adapters.system import SystemClock
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.entries import CONTENT_MAX
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, Weights
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval

SIZES, MANY, EACH, PUBLIC, WRITTEN = (1_000, 10_000, 50_000, 100_000), 40, 2_000, 60_000, 5_000
QUERIES, WARM, WRITERS, LIMIT, EVERYTHING = 100, 8, 8, 10, 1_000_000_000
# What each place may cost beside a diary of 1 000.
AIMS = {"10000": 1.5, "50000": 2.0, "100000": 2.5, "all own": 3.0, "many": 3.0, "public": 3.0}
SOURCE = """
    create temporary table source as
    select (row_number() over (order by id))::int - 1 as number, e.* from diary_entries e where diary_id = %(source)s
"""
INDEXED = "create index on source (number)"
MIXED = """
    insert into diary_entries (id, diary_id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        expansion, injection_risk, author_id, terms, words, analysis, content)
    select uuidv7(), d.id, one.created_at, one.updated_at, d.visibility, one.embedding_model,
        l2_normalize(one.embedding + other.embedding), one.expansion,
        one.injection_risk, d.owner_id, one.terms, one.words, one.analysis, one.content
    from diaries d, (
        select (entry + %(shift)s) %% %(written)s as first,
            (entry * 7919 + (entry + %(shift)s) / %(written)s * 104729) %% %(written)s as second
        from generate_series(0, %(entries)s - 1) as entry
    ) as pair
    cross join lateral (select * from source where number = first offset 0) as one
    cross join lateral (select * from source where number = second offset 0) as other
    where d.id = %(diary)s
"""
COUNTED = """
    insert into diary_terms (diary_id, lexeme, holding) select %(diary)s, lexeme, count(*) from (
        select unnest(tsvector_to_array(words)) collate "C" as lexeme from diary_entries where diary_id = %(diary)s
    ) as terms group by lexeme
"""
# What triggers do one by one and the job of large diaries by two hundred, for all at once: graphs are built anew, which
# takes a fraction of the time.
GRAPHS = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as made from pg_index
    where indrelid::regclass::text ~ '^(public|large)_passages' and pg_get_indexdef(indexrelid) like '%hnsw%'
"""
INDEX = (
    "truncate large_passages, large_words, public_passages, diary_sizes",
    "insert into diary_sizes select diary_id, 0, count(*) from diary_entries group by diary_id",
    "insert into public_passages (entry_id, ordinal, embedding_model, embedding) select * from public_vectors",
    """
    insert into large_passages (part, diary_id, entry_id, ordinal, embedding_model, embedding)
    select part, diary_id, entry_id, ordinal, embedding_model, embedding
    from entry_vectors join large_diaries using (diary_id)
    """,
    """
    insert into large_words (part, diary_id, entry_id, words)
    select part, diary_id, id, words from diary_entries join large_diaries using (diary_id)
    """,
    "update large_diaries set since = '1', ready = true",
)


@attrs.frozen(kw_only=True)
class Network:
    """A filled one: its folder, the credentials of two agents, and which diaries are searched by the name of a place.

    The first agent owns the diaries of SIZES, the second MANY of EACH; everything public has no diaries here.
    """

    folder: Path
    agents: Sequence[Mapping[str, str]]
    places: Mapping[str, Sequence[str]]


async def main() -> None:
    """Prints a line for each place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    texts, asked = _collection(given.texts) if given.texts else (list(memories(WRITTEN)), list(questions(QUERIES)))
    with tempfile.TemporaryDirectory(prefix="moltnet-large-") as made:
        network = await _network(given.data or Path(made), texts)
        await _measure(network, asked)
        await _tell_missed(network, asked)


def _collection(folder: Path) -> tuple[list[str], list[str]]:
    read = [
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("corpus.jsonl", "queries.jsonl")
    ]
    texts, asked = ([f"{each.get('title', '')} {each['text']}".strip() for each in part] for part in read)
    return texts[:WRITTEN], (asked * QUERIES)[:QUERIES]


async def _network(folder: Path, texts: Sequence[str]) -> Network:
    described, data = folder / "places.json", folder / "network"
    if not described.exists():
        agents = founders(data, 2)
        with running(data) as server:
            places = await _write(server, agents, texts)
        with EmbeddedPostgres(data) as postgres:
            _mix(postgres.start(), places)
        described.write_text(json.dumps({"agents": agents, "places": places}), "utf-8")
    return Network(folder=data, **json.loads(described.read_text("utf-8")))


async def _write(server: Server, agents: Sequence[Mapping[str, str]], texts: Sequence[str]) -> dict[str, list[str]]:
    """Stores the texts in the first agent's first diary, and makes the others."""
    async with _session(server, agents[0]) as first, _session(server, agents[1]) as second:
        source, waiting = await diary(first), iter(texts)
        with tqdm(total=len(texts), desc="entries", leave=False, disable=None) as bar:

            async def write() -> None:
                for text in waiting:
                    await _json(first.post(f"/diaries/{source}/entries", json={"content": text[:CONTENT_MAX]}))
                    bar.update()

            await asyncio.gather(*(write() for _ in range(WRITERS)))
        places = {str(size): [await _made(first, "private")] for size in SIZES}
        places |= {"many": [await _made(second, "private") for _ in range(MANY)]}
        return {"source": [source]} | places | {"public": [await _made(second, "public")]}


async def _made(session: aiohttp.ClientSession, visibility: str) -> str:
    return str((await _json(session.post("/diaries", json={"name": "Mixed", "visibility": visibility})))["id"])


def _mix(address: str, places: Mapping[str, Sequence[str]]) -> None:
    """Fills the diaries, and what leads to the entries of large ones and of public ones."""
    sizes = dict.fromkeys(places["many"], EACH) | {places["public"][0]: PUBLIC}
    sizes |= {places[str(size)][0]: size for size in SIZES}
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(SOURCE, {"source": places["source"][0]})
        connection.execute(INDEXED)
        connection.execute("set session_replication_role = replica")
        connection.execute("set maintenance_work_mem = '1GB'")
        for shift, (diary_id, entries) in enumerate(tqdm(sizes.items(), desc="mixing", leave=False, disable=None)):
            values = {"diary": diary_id, "entries": entries}
            connection.execute(MIXED, {**values, "written": WRITTEN, "shift": shift * 100})
            connection.execute(COUNTED, values)
        _index(connection)


def _index(connection: psycopg.Connection[Any]) -> None:
    graphs = connection.execute(GRAPHS).fetchall()
    for name, _ in graphs:
        connection.execute(f"drop index {name}".encode())
    first, sizes, *others = INDEX
    connection.execute(first.encode())
    connection.execute(sizes.encode())
    while connection.execute(FIND_LARGE, {"least": LARGE_FROM}).rowcount:
        pass
    for statement in (*others, *(made for _, made in tqdm(graphs, desc="graphs", leave=False, disable=None))):
        connection.execute(statement.encode())
    connection.execute("vacuum analyze")


async def _measure(network: Network, asked: Sequence[str]) -> None:
    """All places in turns, with the bare embedding of the question beside them."""
    embedder = OnnxEmbedder.load(default_model())
    retrieval = Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=SystemClock())

    async def embed(text: str) -> None:
        await retrieval.question(text, Filters())

    with running(network.folder) as server:
        async with _asking(server, network) as acts:
            taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ("embedding", *acts)}
            for text in tqdm([*asked[-WARM:], *asked], desc="questions", leave=False, disable=None):
                for name, act in ({"embedding": embed} | acts).items():
                    before, started = _used(server, network.folder, name), time.perf_counter()
                    await act(text)
                    took = time.perf_counter() - started
                    after = _used(server, network.folder, name)
                    taken[name].append((took, after[0] - before[0], after[1] - before[1]))
    await embedder.close()
    print(f"{cores()} cores, {len(asked)} questions in turns; ms, and beside a diary of {SIZES[0]}")
    print(
        f"{'':<12}{'p50':>8}{'mean':>8}{'CPU':>8}{'database':>10}{'p50':>8}{'CPU':>8}{'aim':>6}   against comparing all"
    )
    small = taken[str(SIZES[0])][WARM:]
    for name, each in taken.items():
        mine, least = _figures(each[WARM:]), _figures(small)
        cpu = mine[2] + mine[3]
        print(
            f"{name:<12}{mine[0]:>8.1f}{mine[1]:>8.1f}{cpu:>8.1f}{mine[3]:>10.1f}{mine[0] / least[0]:>8.2f}"
            f"{cpu / (least[2] + least[3]):>8.2f}{AIMS.get(name, ''):>6}"
        )
    bare, rest = _figures(taken["embedding"][WARM:]), _figures(small)
    print(f"a search in {SIZES[0]} takes {rest[0] / bare[0]:.2f} times as long as embedding alone (aim 2)")


def _used(server: Server, folder: Path, name: str) -> tuple[float, float]:
    return (used_s(os.getpid()), 0.0) if name == "embedding" else cpu_s(server, folder)


def _figures(taken: Sequence[tuple[float, float, float]]) -> list[float]:
    """p50, and means: in all, of the process, of the database; in ms."""
    times, process, database = zip(*taken, strict=True)
    figures = (statistics.median(times), *(statistics.mean(each) for each in (times, process, database)))
    return [seconds * 1000 for seconds in figures]


@asynccontextmanager
async def _asking(server: Server, network: Network) -> AsyncIterator[dict[str, Callable[[str], Awaitable[object]]]]:
    """How each place is searched."""
    async with (
        _session(server, network.agents[0]) as first,
        _session(server, network.agents[1]) as second,
        aiohttp.ClientSession(server.url) as anybody,
    ):

        def within(diary_id: str) -> Callable[[str], Awaitable[object]]:
            return lambda text: _json(first.post("/diaries/search", json={"diaryId": diary_id, "query": text}))

        yield {
            **{str(size): within(network.places[str(size)][0]) for size in SIZES},
            "all own": lambda text: _json(first.post("/diaries/search", json={"query": text})),
            "many": lambda text: _json(second.post("/diaries/search", json={"query": text})),
            "public": lambda text: _json(anybody.get("/public/feed/search", params={"q": text})),
        }


@asynccontextmanager
async def _session(server: Server, agent: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientSession]:
    form = {"grant_type": "client_credentials", "client_id": agent["clientId"], "client_secret": agent["clientSecret"]}
    async with aiohttp.ClientSession(server.url) as session:
        token = (await _json(session.post("/oauth2/token", data=form)))["access_token"]
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {token}"}) as session:
        yield session


async def _json(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        answer.raise_for_status()
        return dict(await answer.json())


@attrs.frozen
class Counted:
    """A unit of work's candidates, with a count of how often they are asked for."""

    of: PostgresCandidates
    times: list[int] = attrs.field(factory=lambda: [0])

    @property
    def candidates(self) -> "Counted":
        """As of a unit of work."""
        return self

    async def best(self, *asked: Any) -> Any:
        """As the port has it."""
        self.times[0] += 1
        return await self.of.best(*asked)

    async def best_public(self, *asked: Any) -> Any:
        """As the port has it."""
        self.times[0] += 1
        return await self.of.best_public(*asked)


async def _tell_missed(network: Network, asked: Sequence[str]) -> None:
    """Prints what a search costs the database, how many of the best ten it finds, and how often it asks again."""
    embedder = OnnxEmbedder.load(default_model())
    retrieval = Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=SystemClock())
    found = [await retrieval.question(text, Filters()) for text in dict.fromkeys(asked)]
    await embedder.close()
    places = {str(size): network.places[str(size)] for size in SIZES}
    own = [*network.places["source"], *chain.from_iterable(places.values())]
    places |= {"all own": own, "many": [*network.places["many"], *network.places["public"]], "public": []}
    with EmbeddedPostgres(network.folder) as postgres:
        async with opened_pool(postgres.start(), max_connections=1, wait_s=5) as pool, pool.connection() as connection:
            for name, within in places.items():
                told = await _recall(connection, retrieval, found, [DiaryId(UUID(each)) for each in within])
                print(f"{name:<12}{told}", flush=True)


async def _recall(connection: Any, retrieval: Retrieval, asked: Sequence[Question], within: Sequence[DiaryId]) -> str:
    searched = Counted(PostgresUnitOfWork(Session(connection), {}).candidates)
    everything = Counted(PostgresUnitOfWork(Session(connection), dict.fromkeys(within, Indexed())).candidates)

    async def best(work: Any, question: Question) -> set[EntryId]:
        ranked = (
            await retrieval.best(work, question, within, Weights(), LIMIT)
            if within
            else await retrieval.best_public(work, question, LIMIT)
        )
        return {each.entry_id for each in ranked}

    pid, alike, took = connection.info.backend_pid, 0, [0.0, 0.0]
    for question in asked:
        began = used_s(pid)
        found = await best(searched, question)
        between = used_s(pid)
        with patch.object(candidates, "PUBLIC_COMPARED", EVERYTHING):
            alike += len(found & await best(everything, question))
        took = [took[0] + between - began, took[1] + used_s(pid) - between]
    again = searched.times[0] - len(asked)
    search_ms, everything_ms = (seconds * 1000 / len(asked) for seconds in took)
    return (
        f"{search_ms:.1f} ms of the database, comparing all {everything_ms:.1f}; "
        f"recall@{LIMIT} {alike / LIMIT / len(asked):.3f}, {again} of {len(asked)} asked again"
    )


if __name__ == "__main__":
    asyncio.run(main())
