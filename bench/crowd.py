"""One diary among many: is its answer the exact best ten, and does the time depend on the others?

`python -m bench.crowd`. A thousand entries are stored through the adapter and copied, in the database, into other
agents' diaries. Answers are held against the memory adapter, which compares every entry by the same rules.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import psycopg
from tqdm import tqdm

from bench.texts import memories, questions
from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.migrate import migrate
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock, SystemRandomness
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.agents import Agent, Author
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.ranking import Balance, Question, rank, score_by
from moltnet.domain.search import Filters, Weights
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.storage import Storage

ENTRIES, CROWDS, QUERIES, BEST, DEPTH = 1_000, (10, 100), 200, 10, 40
COPIES = """
    with other as (
        insert into diaries (id, owner_id, name, visibility, signed, created_at, updated_at)
        select uuidv7(), owner_id, name, visibility, signed, created_at, updated_at
        from diaries, generate_series(1, %(copies)s) where id = %(diary)s returning id
    ), terms as (
        insert into diary_terms (diary_id, lexeme, holding)
        select other.id, lexeme, holding from diary_terms, other where diary_id = %(diary)s
    )
    insert into diary_entries (id, diary_id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        injection_risk, author_id, terms, words, content)
    select uuidv7(), other.id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        injection_risk, author_id, terms, words, content
    from other, diary_entries where diary_id = %(diary)s
"""


async def main() -> None:
    """Prints exactness and times for each size of the crowd; the questions are asked of both in turns."""
    async with AsyncExitStack() as stack:
        storages: list[Storage] = []
        addresses: list[str] = []
        for _ in CROWDS:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="moltnet-crowd-"))
            addresses.append(stack.enter_context(EmbeddedPostgres(Path(folder))).start())
            await migrate(addresses[-1])
            storages.append(await stack.enter_async_context(PostgresStorage.open(addresses[-1], max_connections=1)))
        memory = MemoryStorage()
        diary = await _fill([*storages, memory])
        asked = [await _question(text) for text in questions(QUERIES)]
        truth = [await _best(memory, diary, question, ENTRIES) for question in asked]
        for address, diaries in zip(addresses, CROWDS, strict=True):
            _crowd(address, diary, diaries)
        await _measure(storages, diary, asked, truth)


async def _fill(storages: Sequence[Storage]) -> DiaryId:
    clock, randomness = SystemClock(), SystemRandomness()
    at = clock.now()
    agent = Agent(
        id=AgentId(randomness.nonce()), public_key=PublicKey(randomness.secret(32)), created_at=at, updated_at=at
    )
    diary = Diary(id=DiaryId(randomness.row_id(at)), owner_id=agent.id, name="One", created_at=at, updated_at=at)
    for storage in storages:
        async with storage.transaction() as work:
            await work.agents.add(agent)
            await work.diaries.add(diary)
    indexing = Indexing(models=Models(MemoryEmbedder()), index_terms=SnowballAnalyzer(), workers=MemoryWorkers())
    for text in tqdm(list(memories(ENTRIES)), desc="entries", leave=False, disable=None):
        written = NewEntry(content=text).written(EntryId(randomness.row_id(at)), diary.id, at, len(text))
        entry = attrs.evolve(written, author=Author(id=agent.id, public_key=agent.public_key))
        index = await indexing.index(entry, Vectors())
        for storage in storages:
            async with storage.autocommit() as work:
                await work.entries.add(entry, index)
    return diary.id


def _crowd(address: str, diary: DiaryId, diaries: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        there = connection.execute("select count(*) from diaries").fetchone()
        connection.execute(COPIES, {"copies": diaries - (there or [0])[0], "diary": diary})
        connection.execute("vacuum analyze")


async def _question(text: str) -> Question:
    retrieval = Retrieval(models=Models(MemoryEmbedder()), index_terms=SnowballAnalyzer(), clock=SystemClock())
    return await retrieval.question(text, Filters())


async def _best(storage: Storage, diary: DiaryId, question: Question, depth: int) -> list[EntryId]:
    async with storage.snapshot() as work:
        candidates = await work.candidates.best(question, [diary], depth)
    ranked = rank(candidates, score_by(Weights(), Balance.of(question), SystemClock().now()))
    return [each.entry_id for each in ranked[:BEST]]


async def _measure(
    storages: Sequence[Storage], diary: DiaryId, asked: Sequence[Question], truth: Sequence[list[EntryId]]
) -> None:
    exact, seconds = [0] * len(storages), [list[float]() for _ in storages]
    for question, best in zip(asked, truth, strict=True):
        for number, storage in enumerate(storages):
            started = time.perf_counter()
            found = await _best(storage, diary, question, DEPTH)
            seconds[number].append(time.perf_counter() - started)
            exact[number] += found == best
    for number, diaries in enumerate(CROWDS):
        print(
            f"{ENTRIES} entries among {diaries * ENTRIES}: {exact[number]} of {len(asked)} answers are the exact "
            f"best {BEST}, p50 {statistics.median(seconds[number]) * 1000:.2f} ms"
        )


if __name__ == "__main__":
    asyncio.run(main())
