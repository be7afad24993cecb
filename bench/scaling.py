"""What one PostgreSQL gives, and what a replica takes off it: the figures of docs/scaling.md.

`python -m bench.scaling`. Entries are written and searched through the storage adapter, without HTTP and with vectors
that are there already, so what is measured is the database and its driver. A server with its streaming replica runs on
the same machine: the time that each of the two spends is told apart, not how much faster two machines would be.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import attrs

from bench.server import cores, database_s
from bench.texts import memories, questions
from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.postgres.migrate import migrate
from moltnet.adapters.postgres.replicas import PostgresReplicas
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock, SystemRandomness
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.agents import Author
from moltnet.domain.entries import Entry, NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex
from moltnet.domain.ranking import Question
from moltnet.domain.search import Query, Weights
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval
from tests.support.builders import an_agent
from tests.support.replica import Pair, a_pair
from tests.support.stored import joined, opened

WRITES, SEARCHES, ENTRIES = 800, 400, 1000
CONNECTIONS, WRITERS = (1, 4, 16), 2
Act: TypeAlias = Callable[[int], Awaitable[object]]
EMBEDDER = MemoryEmbedder()


@attrs.frozen
class Written:
    """What is stored again and again, under new ids; each writer may have a diary of its own."""

    diaries: Sequence[DiaryId]
    entries: Sequence[tuple[Entry, EntryIndex]]

    def another(self, writer: int) -> tuple[Entry, EntryIndex]:
        """One of them, new."""
        entry, index = random.choice(self.entries)
        return attrs.evolve(entry, id=EntryId(_new_id()), diary_id=self.diaries[writer % len(self.diaries)]), index


async def main() -> None:
    """Prints rates by connections, and what each server spends for a search."""
    with a_pair() as pair:
        await migrate(pair.main)
        async with PostgresStorage.open(pair.main, max_connections=max(CONNECTIONS)) as storage:
            written, searched = await _filled(storage)
            asked = [await _question(text) for text in questions(SEARCHES)]
            print(f"{cores()} cores, shared by the databases and this process\n")
            main_folder = Path(pair.folder) / "main"
            one = attrs.evolve(written, diaries=written.diaries[:1])
            left = iter(asked * len(CONNECTIONS))
            acts: Sequence[tuple[str, int, Act]] = (
                ("writes, a diary each", WRITES, lambda writer: _write(storage, written, writer)),
                ("writes into one diary", WRITES, lambda writer: _write(storage, one, writer)),
                (f"searches among {ENTRIES}", SEARCHES, lambda _: _search(storage, next(left), searched)),
            )
            for what, count, act in acts:
                await _by_connections(what, main_folder, count, act)
            await _with_replica(pair, storage, written, searched, asked)


async def _by_connections(what: str, folder: Path, count: int, act: Act) -> None:
    print(f"{what:<24}{'per s':>10}{'database ms each':>20}")
    for connections in CONNECTIONS:
        before, started = database_s(folder), time.perf_counter()
        await _repeated(count, connections, act)
        took, used = time.perf_counter() - started, database_s(folder) - before
        print(f"  {connections:>3} at once{'':<11}{count / took:>10.0f}{used / count * 1000:>20.2f}", flush=True)
    print()


async def _with_replica(
    pair: Pair, storage: PostgresStorage, written: Written, searched: DiaryId, asked: Sequence[Question]
) -> None:
    main_folder, copy_folder = Path(pair.folder) / "main", Path(pair.folder) / "copy"
    async with PostgresReplicas.open(storage, pair.replica, max_connections=8) as replicas:
        retrieval = Retrieval(models=Models(EMBEDDER), index_terms=SnowballAnalyzer(), clock=SystemClock())
        answered = [0]

        async def by_replica(question: Question) -> None:
            since = await replicas.committed()
            ranked = await replicas.read(since, lambda work: retrieval.best(work, question, [searched], Weights(), 10))
            answered[0] += ranked is not None
            if ranked is None:
                await _search(storage, question, searched)
                return
            async with storage.snapshot() as work:
                await work.entries.find_many([each.entry_id for each in ranked])

        async def by_main(question: Question) -> None:
            await _search(storage, question, searched)

        beside = f"ranked there beside {WRITERS} writers"
        print(f"{'searches':<24}{'database ms each':>20}{'replica ms each':>18}{beside:>34}")
        for name, search in (("without a replica", by_main), ("with a replica", by_replica)):
            quiet, busy = asked[: SEARCHES // 2], asked[SEARCHES // 2 :]
            main_s, copy_s = await _spent(main_folder, copy_folder, _all(search, quiet))
            answered[0], stop = 0, asyncio.Event()
            writers = [asyncio.create_task(_steadily(storage, written, number, stop)) for number in range(WRITERS)]
            await _all(search, busy)
            stop.set()
            await asyncio.gather(*writers)
            each = [seconds / len(quiet) * 1000 for seconds in (main_s, copy_s)]
            print(f"  {name:<22}{each[0]:>20.2f}{each[1]:>18.2f}{answered[0] / len(busy):>34.1%}", flush=True)


async def _spent(main: Path, copy: Path, doing: Awaitable[object]) -> tuple[float, float]:
    before = database_s(main), database_s(copy)
    await doing
    return database_s(main) - before[0], database_s(copy) - before[1]


async def _all(search: Callable[[Question], Awaitable[None]], asked: Sequence[Question]) -> None:
    for question in asked:
        await search(question)
        await asyncio.sleep(0.01)  # as long as its query takes to be embedded


async def _steadily(storage: PostgresStorage, written: Written, number: int, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await _write(storage, written, number)
        await asyncio.sleep(0.02)


async def _repeated(count: int, at_once: int, act: Act) -> None:
    remaining = iter(range(count))

    async def client(number: int) -> None:
        for _ in remaining:
            await act(number)

    await asyncio.gather(*map(client, range(at_once)))


async def _write(storage: PostgresStorage, written: Written, writer: int) -> None:
    entry, index = written.another(writer)
    async with storage.transaction() as work:
        await work.entries.add(entry, index)


async def _search(storage: PostgresStorage, question: Question, diary: DiaryId) -> None:
    retrieval = Retrieval(models=Models(EMBEDDER), index_terms=SnowballAnalyzer(), clock=SystemClock())
    async with storage.snapshot() as work:
        ranked = await retrieval.best(work, question, [diary], Weights(), 10)
        await work.entries.find_many([each.entry_id for each in ranked])


async def _filled(storage: PostgresStorage) -> tuple[Written, DiaryId]:
    agent = await joined(storage, an_agent())
    author = Author(id=agent.id, public_key=agent.public_key)
    searched, *written_in = [(await opened(storage, agent)).id for _ in range(1 + max(CONNECTIONS))]
    indexing = Indexing(models=Models(EMBEDDER), index_terms=SnowballAnalyzer(), workers=MemoryWorkers())
    at, made = SystemClock().now(), list[tuple[Entry, EntryIndex]]()
    for text in memories(ENTRIES):
        entry = NewEntry(content=text).written(EntryId(_new_id()), searched, at, len(text))
        entry = attrs.evolve(entry, author=author).with_fold()
        index = storage.prepared(await indexing.index(entry, Vectors()))
        made.append((entry, index))
        async with storage.autocommit() as work:
            await work.entries.add(entry, index)
    return Written(written_in, made), searched


async def _question(text: str) -> Question:
    query = Query.parse(text)
    vector = await EMBEDDER.embed_query(query.scored)
    return Question(vector=vector, model=EMBEDDER.model, words=SnowballAnalyzer().of_query(query))


def _new_id() -> UUID:
    return SystemRandomness().row_id(SystemClock().now())


if __name__ == "__main__":
    asyncio.run(main())
