"""The parts by themselves: the model, a table and its commits, the search statement."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psycopg

from bench.rates import Rate, timed
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.ids import DiaryId
from moltnet.domain.indexing import Vector
from moltnet.domain.search import Filters
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval

CALLERS, DEPTH = 16, 40
CREATE = "create table bare (id serial primary key, content text not null, embedding halfvec(384) not null)"
INSERT = "insert into bare (content, embedding) values (%s, %s::halfvec)"
NEAREST = "select content from diary_entries where diary_id = %s order by embedding <=> %s::halfvec limit 10"


def bare_writes(folder: Path, texts: Sequence[str]) -> list[Rate]:
    """A loop that embeds, inserts and commits, and the embedder alone."""
    with EmbeddedPostgres(folder) as postgres, psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("create extension vector")
        connection.execute(CREATE)
        return asyncio.run(_writes(connection, texts))


async def _writes(connection: psycopg.Connection, texts: Sequence[str]) -> list[Rate]:
    embedder = OnnxEmbedder.load(default_model())

    async def write(text: str) -> None:
        (vector,) = await embedder.embed_passages([text])
        connection.execute(INSERT, (text, _literal(vector)))

    async def embed(text: str) -> None:
        await embedder.embed_passages([text])

    rates = [
        await timed("bare loop: embed, insert, commit", write, texts),
        await timed(f"embedder alone, {CALLERS} callers", embed, texts, CALLERS),
    ]
    await embedder.close()
    return rates


def bare_searches(folder: Path, diary: str, asked: Sequence[str]) -> list[Rate]:
    """On the entries a server has stored: the statement it searches with, and vectors alone."""
    with EmbeddedPostgres(folder) as postgres:
        return asyncio.run(_searches(postgres.start(), DiaryId(UUID(diary)), asked))


async def _searches(address: str, diary: DiaryId, asked: Sequence[str]) -> list[Rate]:
    embedder = OnnxEmbedder.load(default_model())
    retrieval = Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=SystemClock())
    async with PostgresStorage.open(address, max_connections=1) as storage:

        async def hybrid(text: str) -> None:
            question = await retrieval.question(text, Filters())
            async with storage.snapshot() as work:
                await work.candidates.best(question, [diary], DEPTH)

        statement = await timed("bare loop: embed, the search statement", hybrid, asked)
    with psycopg.connect(address) as connection:

        async def nearest(text: str) -> None:
            vector = await embedder.embed_query(text)
            connection.execute(NEAREST, (diary, _literal(vector))).fetchall()

        vectors = await timed("bare loop: embed, nearest ten vectors", nearest, asked)
    await embedder.close()
    return [statement, vectors]


def _literal(vector: Vector) -> str:
    return f"[{','.join(map(str, vector.numbers()))}]"
