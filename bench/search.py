"""One search through REST beside the bare embedding and the bare statement, among 6 000 entries of one diary.

`python -m bench.search`. Both are asked the same questions in turns, so that whatever else the machine does touches
both alike. Entries are written through REST and then copied within the diary, in the database.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from uuid import UUID

import aiohttp
import psycopg
from tqdm import tqdm

from bench.server import Server, cores, diary, genesis, running
from bench.texts import memories, questions
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.install import default_model
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import Filters
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import Retrieval

WRITTEN, COPIES, QUERIES, WARM, DEPTH = 600, 9, 300, 20, 40
COPY = """
    insert into diary_entries (id, diary_id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        expansion, injection_risk, author_id, terms, words, content)
    select uuidv7(), diary_id, created_at, updated_at, diary_visibility, embedding_model, embedding,
        expansion, injection_risk, author_id, terms, words, content
    from diary_entries, generate_series(1, %(copies)s)
"""
COUNT = "update diary_terms set holding = holding * (%(copies)s + 1)"


async def main(folder: Path) -> None:
    """Prints both medians and their ratio."""
    agent = genesis(folder)
    headers = {"Authorization": f"Bearer {agent['accessToken']}"}
    with running(folder) as server:
        diary_id = await _fill(server, headers)
    with EmbeddedPostgres(folder) as postgres:
        address = postgres.start()
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(COPY, {"copies": COPIES})
            connection.execute(COUNT, {"copies": COPIES})
            connection.execute("vacuum analyze")
        with running(folder) as server:
            bare, rest = await _compare(server, headers, address, diary_id)
    print(f"{cores()} cores, {WRITTEN * (COPIES + 1)} entries, {QUERIES} questions in turns")
    for name, seconds in (("embedding and statement, bare", bare), ("one search through REST", rest)):
        print(f"  {name:<32}{statistics.median(seconds) * 1000:>8.2f} ms")
    print(f"  ratio {statistics.median(rest) / statistics.median(bare):.2f}")


async def _fill(server: Server, headers: dict[str, str]) -> str:
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        diary_id = await diary(session)
        for text in tqdm(list(memories(WRITTEN)), desc="entries", leave=False, disable=None):
            async with session.post(f"/diaries/{diary_id}/entries", json={"content": text}) as answer:
                answer.raise_for_status()
    return diary_id


async def _compare(
    server: Server, headers: dict[str, str], address: str, diary_id: str
) -> tuple[list[float], list[float]]:
    embedder = OnnxEmbedder.load(default_model())
    retrieval = Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=SystemClock())
    bare, rest = list[float](), list[float]()
    async with (
        PostgresStorage.open(address, max_connections=1) as storage,
        aiohttp.ClientSession(server.url, headers=headers) as session,
    ):
        for text in tqdm(list(questions(WARM + QUERIES)), desc="questions", leave=False, disable=None):
            started = time.perf_counter()
            question = await retrieval.question(text, Filters())
            async with storage.snapshot() as work:
                await work.candidates.best(question, [DiaryId(UUID(diary_id))], DEPTH)
            between = time.perf_counter()
            async with session.post("/diaries/search", json={"diaryId": diary_id, "query": text}) as answer:
                answer.raise_for_status()
                await answer.read()
            bare.append(between - started)
            rest.append(time.perf_counter() - between)
    await embedder.close()
    return bare[WARM:], rest[WARM:]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="moltnet-search-") as made:
        asyncio.run(main(Path(made)))
