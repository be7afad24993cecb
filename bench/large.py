"""What a search costs the database in diaries of several sizes, by indexes and by comparing every entry.

`python -m bench.large [ENTRIES …]`. Texts are embedded by the installed model and then mixed, in the database, into as
many entries as asked for; no two have the same vector, and many have the same words. Both ways are asked the same
questions in turns, and the CPU time of the one connection's process is counted.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import psycopg
from tqdm import tqdm

from bench.server import used_s
from bench.texts import memories, questions
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.migrate import migrate
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.session import Session
from moltnet.adapters.postgres.storage import PostgresStorage, PostgresUnitOfWork
from moltnet.adapters.system import SystemClock, SystemRandomness
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.agents import Agent, Author
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.ranking import Balance, Question, Ranked, Score, Shortlist, is_exact, rank, score_by
from moltnet.domain.search import Filters, Weights
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval

SIZES, WRITTEN, QUERIES, LIMIT, DEPTH = (1_000, 10_000, 50_000), 2_000, 100, 10, 40
MIXED = """
    with source as materialized (
        select row_number() over (order by id) - 1 as number, e.* from diary_entries e where diary_id = %(source)s
    )
    insert into diary_entries (id, diary_id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        injection_risk, author_id, terms, words, content)
    select uuidv7(), %(diary)s, one.created_at, one.updated_at, one.diary_visibility, one.embedding_model,
        l2_normalize(one.embedding + one.embedding + one.embedding + other.embedding), one.injection_risk,
        one.author_id, one.terms, one.words, one.content
    from generate_series(0, %(entries)s - 1) as entry
    join source one on one.number = entry %% %(written)s
    join source other on other.number = (entry * 7919 + entry / %(written)s * 104729) %% %(written)s
"""
COUNTED = """
    insert into diary_terms (diary_id, lexeme, holding) select %(diary)s, lexeme, count(*) from (
        select unnest(tsvector_to_array(words)) collate "C" as lexeme from diary_entries where diary_id = %(diary)s
    ) as terms group by lexeme
"""


@attrs.frozen
class Asked:
    """The questions, and what they are asked with."""

    questions: Sequence[Question]
    score: Score


async def main(folder: Path, sizes: Sequence[int]) -> None:
    """Prints a line for each size."""
    with EmbeddedPostgres(folder) as postgres:
        address = postgres.start()
        await migrate(address)
        embedder = OnnxEmbedder.load(default_model())
        diaries = await _fill(address, embedder, sizes)
        retrieval = Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=SystemClock())
        found = [await retrieval.question(text, Filters()) for text in questions(QUERIES)]
        score = score_by(Weights(), Balance.of(found[0]), SystemClock().now())
        async with _connection(address) as (work, pid):
            for diary, entries in zip(diaries, sizes, strict=True):
                await _measure(work, pid, diary, entries, Asked(found, score))
        await embedder.close()


async def _fill(address: str, embedder: OnnxEmbedder, sizes: Sequence[int]) -> list[DiaryId]:
    clock, randomness = SystemClock(), SystemRandomness()
    at = clock.now()
    key = PublicKey(randomness.secret(32))
    agent = Agent(id=AgentId(randomness.nonce()), public_key=key, created_at=at, updated_at=at)
    source, *mixed = [
        Diary(id=DiaryId(randomness.row_id(at)), owner_id=agent.id, name=str(number), created_at=at, updated_at=at)
        for number in (0, *sizes)
    ]
    indexing = Indexing(models=Models(embedder), index_terms=SnowballAnalyzer(), workers=MemoryWorkers())
    async with PostgresStorage.open(address, max_connections=2) as storage:
        async with storage.transaction() as work:
            await work.agents.add(agent)
            for diary in (source, *mixed):
                await work.diaries.add(diary)
        for text in tqdm(list(memories(WRITTEN)), desc="entries", leave=False, disable=None):
            new = NewEntry(content=text).written(EntryId(randomness.row_id(at)), source.id, at, len(text))
            entry = attrs.evolve(new, author=Author(id=agent.id, public_key=key))
            index = await indexing.index(entry, Vectors())
            async with storage.autocommit() as work:
                await work.entries.add(entry, index)
        with psycopg.connect(address, autocommit=True) as connection:
            for diary, entries in zip(mixed, sizes, strict=True):
                values = {"source": source.id, "diary": diary.id, "entries": entries, "written": WRITTEN}
                connection.execute(MIXED, values)
                connection.execute(COUNTED, values)
            connection.execute("vacuum analyze")
        more = True
        while more:
            async with storage.transaction() as work:
                more = await work.candidates.index_large(200)
    return [diary.id for diary in mixed]


@asynccontextmanager
async def _connection(address: str) -> AsyncIterator[tuple[PostgresUnitOfWork, int]]:
    async with opened_pool(address, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        yield PostgresUnitOfWork(Session(connection), {}), connection.info.backend_pid


async def _measure(work: PostgresUnitOfWork, pid: int, diary: DiaryId, entries: int, asked: Asked) -> None:
    took, alike, again = [0.0, 0.0], 0, 0
    for question in asked.questions:
        began = used_s(pid)
        by_index, rounds = await _best(work, question, diary, asked.score, DEPTH)
        between = used_s(pid)
        compared, _ = await _best(work, question, diary, asked.score, DEPTH * 8)
        took = [took[0] + between - began, took[1] + used_s(pid) - between]
        alike += len({each.entry_id for each in by_index} & {each.entry_id for each in compared})
        again += rounds - 1
    found, everything = (total * 1000 / len(asked.questions) for total in took)
    print(
        f"{entries:>8} entries: a search {found:.2f} ms, comparing all {everything:.2f} ms of the database; "
        f"recall@{LIMIT} {alike / LIMIT / len(asked.questions):.3f}, {again} of {len(asked.questions)} asked again",
        flush=True,
    )


async def _best(
    work: PostgresUnitOfWork, question: Question, diary: DiaryId, score: Score, depth: int
) -> tuple[list[Ranked], int]:
    """As a search does it: again, of more candidates, until the answer is certain; and how many rounds that took."""
    rounds, shortlist = 1, Shortlist(score=score, limit=LIMIT)
    while True:
        candidates = await work.candidates.best(question, [diary], depth, shortlist)
        ranked = rank(candidates, score)
        if is_exact(ranked, LIMIT, candidates, score):
            return ranked, rounds
        rounds, depth = rounds + 1, depth * 8


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-large-") as made:
        asyncio.run(main(Path(made), [int(each) for each in sys.argv[1:]] or SIZES))
