"""A network switches its model while clients search and write, and its server is killed in the middle."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import attrs
import psycopg
import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.indexing import ModelMigrationProgress
from moltnet.domain.services.models import ModelMigrationService
from tests.support.commands import run
from tests.support.live_server import LiveServer, asked, first_diary, genesis, serving, start
from tests.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.real

CLIENTS, STILL, BUSY, BEFORE_THE_KILL = 4, 30, 300, 60
BIRDS = ("heron", "stork", "crane", "wren", "swift", "rook", "teal", "smew", "knot", "ruff")
PLACES = ("harbour", "moor", "attic", "quarry", "orchard")
PROBES = ("a heron in the harbour", "birds of the moor", "who nests in an attic", "teal")


@attrs.define
class Snapshot:
    """What clients met: the orders each probe was answered in, one after the other, and what should not have been."""

    orders: dict[str, list[tuple[str, ...]]] = attrs.field(factory=lambda: {probe: [] for probe in PROBES})
    begun: int = 0
    written: int = 0
    wrong: list[object] = attrs.field(factory=list)


@attrs.frozen
class WritingAgent:
    """An agent with a diary that nobody writes to any more, and one that is written to."""

    token: str
    still: str
    busy: str


async def test_a_switch_under_load_outlives_a_kill_and_mixes_nothing(tmp_path: Path) -> None:
    data, tiny, seen = tmp_path / "data", write_tiny_model(tmp_path / "tiny").path, Snapshot()
    (founder,) = await genesis(data)
    server = await start(data)
    agent = await _settled(server, founder["accessToken"])
    with EmbeddedPostgres(data) as database:
        address = database.start()
        async with PostgresStorage.open(address, max_connections=2) as storage:
            model_migration = ModelMigrationService(storage=storage)
            old = await _orders(server, agent)
            async with _unfinished(address):
                assert (await run("model", "use", str(tiny), "--data", str(data))).status == 0
                async with _clients(server, agent, seen, outlive_it=False):
                    killed = await _until(model_migration, lambda now: now.done >= BEFORE_THE_KILL)
                    await server.kill()
            assert killed.state.target is not None
            assert killed.done < killed.total
            async with serving(data) as server:
                assert (await model_migration.progress()).done >= killed.done  # what was done is not done again
                async with _clients(server, agent, seen, outlive_it=True):
                    over = await _until(model_migration, lambda now: now.state.target is None)
                new = await _orders(server, agent)
                complete = await _until(model_migration, lambda now: now.complete)
    assert seen.wrong == []
    assert over.state.serving is not None
    assert over.state.serving.name.startswith("tiny@")
    # What the kill came in between may have been stored or not.
    assert STILL + BUSY + seen.written <= complete.total <= STILL + BUSY + seen.begun
    assert old != new
    for probe, orders in seen.orders.items():
        assert set(orders) <= {old[probe], new[probe]}, "an answer of neither model"
        assert sorted(orders, key=lambda order: order == new[probe]) == orders, "the old model after the new one"


@contextlib.asynccontextmanager
async def _unfinished(address: str) -> AsyncIterator[None]:
    """Holds on to the latest entry, so that no switch comes to its end meanwhile."""
    async with await psycopg.AsyncConnection.connect(address) as connection:
        await connection.execute("select from diary_entries order by id desc limit 1 for update")
        yield


async def _settled(server: LiveServer, token: str) -> WritingAgent:
    async with server.session(token) as session:
        still = await first_diary(session)
        busy = (await asked(session, "POST", "/diaries", json={"name": "Busy"}))[1]["id"]
        waiting = [(still, count) for count in range(STILL)] + [(busy, count) for count in range(BUSY)]

        async def write() -> None:
            while waiting:
                diary, count = waiting.pop()
                assert (await _write(session, diary, count))[0] == 201

        await asyncio.gather(*(write() for _ in range(CLIENTS)))
    return WritingAgent(token, still, busy)


async def _write(session: aiohttp.ClientSession, diary: str, count: int) -> tuple[int, object]:
    bird, place = BIRDS[count % len(BIRDS)], PLACES[count // len(BIRDS) % len(PLACES)]
    body = {"content": f"Day {count}: a {bird} was seen near the {place}, for the {count % 7}th time."}
    return await asked(session, "POST", f"/diaries/{diary}/entries", json=body)


async def _orders(server: LiveServer, agent: WritingAgent) -> dict[str, tuple[str, ...]]:
    async with server.session(agent.token) as session:
        return {probe: (await _search(session, agent, probe, []))[1] for probe in PROBES}


async def _search(
    session: aiohttp.ClientSession, agent: WritingAgent, probe: str, wrong: list[object]
) -> tuple[str, tuple[str, ...]]:
    body = {"diaryId": agent.still, "query": probe}
    status, answer = await asked(session, "POST", "/diaries/search", json=body)
    if (status, answer.get("searchType")) != (200, "hybrid"):
        wrong.append((status, answer))
    return probe, tuple(entry["id"] for entry in answer["results"])


@contextlib.asynccontextmanager
async def _clients(server: LiveServer, agent: WritingAgent, seen: Snapshot, *, outlive_it: bool) -> AsyncIterator[None]:
    """Clients that search and write until the block ends, or, unless they are to outlive it, the server."""
    stop = asyncio.Event()

    async def client(number: int) -> None:
        async with server.session(agent.token) as session:
            turn = number
            while not stop.is_set():
                turn += 1
                if turn % CLIENTS:
                    probe, order = await _search(session, agent, PROBES[turn // CLIENTS % len(PROBES)], seen.wrong)
                    seen.orders[probe].append(order)
                    continue
                seen.begun += 1
                status, answer = await _write(session, agent.busy, turn)
                seen.written += status == 201
                if status != 201:
                    seen.wrong.append((status, answer))

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    try:
        yield
    finally:
        stop.set()
        outcomes = await asyncio.gather(*clients, return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(failure, aiohttp.ClientError) for failure in failures), failures
    assert not (outlive_it and failures)


async def _until(
    model_migration: ModelMigrationService, holds: Callable[[ModelMigrationProgress], bool]
) -> ModelMigrationProgress:
    while True:
        progress = await model_migration.progress()
        if holds(progress):
            return progress
        await asyncio.sleep(0.01)
