"""What the whole costs beside its parts: a bare loop, the embedder alone, and the same work through REST."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiohttp
import attrs
import psycopg
from tqdm import tqdm

from bench.server import cores, diary, genesis, running
from bench.texts import memories, questions
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.search import Vector

WRITES, SEARCHES, CLIENTS = 600, 400, 16
CREATE = "create table bare (id serial primary key, content text not null, embedding vector(384) not null)"
INSERT = "insert into bare (content, embedding) values (%s, %s::vector)"
NEAREST = "select content from bare order by embedding <=> %s::vector limit 10"


@attrs.frozen
class Rate:
    """How many a second, and how long one took in the middle."""

    name: str
    per_s: float
    p50_ms: float

    @classmethod
    def of(cls, name: str, seconds: Sequence[float], total_s: float) -> "Rate":
        return cls(name, len(seconds) / total_s, statistics.median(seconds) * 1000)


def main() -> None:
    """Runs everything and prints a table."""
    print(f"{cores()} cores; {WRITES} writes and {SEARCHES} searches of each kind\n")
    texts, asked = list(memories(WRITES)), list(questions(SEARCHES))
    with tempfile.TemporaryDirectory(prefix="moltnet-bench-") as folder:
        bare_writes, bare_searches, embedder = _bare(Path(folder) / "bare", texts, asked)
        through_rest = _rest(Path(folder) / "rest", texts, asked)
    print()
    _table("writes", bare_writes, embedder, through_rest[:2])
    _table("searches", bare_searches, None, through_rest[2:4])
    for line in through_rest[4]:
        print(line)


def _bare(folder: Path, texts: list[str], asked: list[str]) -> tuple[Rate, Rate, Rate]:
    embedder = OnnxEmbedder.load(default_model())
    with EmbeddedPostgres(folder) as postgres, psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("create extension vector")
        connection.execute(CREATE)
        return asyncio.run(_bare_loops(embedder, connection, texts, asked))


async def _bare_loops(
    embedder: OnnxEmbedder, connection: psycopg.Connection, texts: list[str], asked: list[str]
) -> tuple[Rate, Rate, Rate]:
    async def write(text: str) -> None:
        (vector,) = await embedder.embed_passages([text])
        connection.execute(INSERT, (text, _literal(vector)))

    async def search(text: str) -> None:
        connection.execute(NEAREST, (_literal(await embedder.embed_query(text)),)).fetchall()

    async def embed(text: str) -> None:
        await embedder.embed_passages([text])

    writes = await _timed("bare loop: embed, insert, commit", write, texts, 1)
    searches = await _timed("bare loop: embed, nearest ten", search, asked, 1)
    alone = await _timed(f"embedder alone, {CLIENTS} callers", embed, texts, CLIENTS)
    await embedder.close()
    return writes, searches, alone


def _rest(folder: Path, texts: list[str], asked: list[str]) -> tuple[Rate, Rate, Rate, Rate, list[str]]:
    with running(folder) as cold:
        pass
    agent = genesis(folder)
    with running(folder) as server:
        at_rest = server.resident_mb()
        rates = asyncio.run(_rest_loops(server.url, agent["accessToken"], texts, asked))
        after = server.resident_mb()
        facts = [
            f"cold start, empty folder, to ready: {cold.ready_s:.2f} s; warm: {server.ready_s:.2f} s",
            f"server process resident: {at_rest:.0f} MB at rest, {after:.0f} MB after the load",
        ]
    return (*rates, facts)


async def _rest_loops(url: str, token: str, texts: list[str], asked: list[str]) -> tuple[Rate, Rate, Rate, Rate]:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        diary_id = await diary(session)

        async def write(text: str) -> None:
            async with session.post(f"/diaries/{diary_id}/entries", json={"content": text}) as answer:
                answer.raise_for_status()
                await answer.read()

        async def search(text: str) -> None:
            async with session.post("/diaries/search", json={"diaryId": diary_id, "query": text}) as answer:
                answer.raise_for_status()
                await answer.read()

        return (
            await _timed("REST, 1 client", write, texts, 1),
            await _timed(f"REST, {CLIENTS} clients", write, texts, CLIENTS),
            await _timed("REST, 1 client", search, asked, 1),
            await _timed(f"REST, {CLIENTS} clients", search, asked, CLIENTS),
        )


async def _timed(name: str, act: Callable[[str], Awaitable[None]], texts: list[str], clients: int) -> Rate:
    waiting, seconds = iter(texts), list[float]()
    for text in texts[:5]:
        await act(text)  # warm: plans, caches, connections

    async def client() -> None:
        for text in waiting:
            started = time.perf_counter()
            await act(text)
            seconds.append(time.perf_counter() - started)
            progress.update()

    with tqdm(total=len(texts), desc=name, leave=False, disable=None) as progress:
        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        total_s = time.perf_counter() - started
    return Rate.of(name, seconds, total_s)


def _table(title: str, bare: Rate, alone: Rate | None, through_rest: Sequence[Rate]) -> None:
    print(f"{title:<36}{'per s':>9}{'p50 ms':>9}{'time vs bare':>14}{'rate vs embedder':>18}")
    for rate in [bare, *([alone] if alone else []), *through_rest]:
        beside = f"{rate.per_s / alone.per_s:>18.2f}" if alone else ""
        print(f"  {rate.name:<34}{rate.per_s:>9.1f}{rate.p50_ms:>9.2f}{rate.p50_ms / bare.p50_ms:>14.2f}{beside}")
    print()


def _literal(vector: Vector) -> str:
    return f"[{','.join(map(str, vector.numbers()))}]"


if __name__ == "__main__":
    main()
