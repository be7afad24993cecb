"""The disk of the embedded database is full: writes are refused in a sentence, reads go on, and room ends it.

It takes a small file system of its own, which only root may mount. What runs everywhere is told the same by the
database itself, in tests/contract/test_postgres_violations.py.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.durability.test_database_restarts import Logged, a_server
from tests.support.live_server import all_contents, asked

pytestmark = pytest.mark.real

TRIES = 400
FULL, UNAVAILABLE = 507, 503


@asynccontextmanager
async def a_full_disk(server: Logged, disk: Path) -> AsyncIterator[str]:
    """Fills the disk, but for a new segment of the log, and makes room at the end; answers the database's URL."""
    database = EmbeddedPostgres(server.data)
    url = await asyncio.to_thread(database.start)
    filler = disk / "filler"
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("select pg_switch_wal()")
            await server.write("begins the segment")
            await connection.execute("checkpoint")
        _fill(filler)
        yield url
    finally:
        filler.unlink(missing_ok=True)
        await asyncio.to_thread(database.stop)


def _fill(filler: Path) -> None:
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 1 << 12):
            while _taken(descriptor, size):
                pass
    finally:
        os.close(descriptor)


def _taken(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, b"x" * size) == size
    except OSError:
        return False


async def test_full_disk_refuses_writes_in_a_sentence_and_goes_on_reading(tmp_path: Path, small_disk: Path) -> None:
    async with a_server(small_disk, log=tmp_path / "log") as server:
        kept: list[str] = []
        async with a_full_disk(server, small_disk):
            told = await _until_refused(server, kept)
            assert told["code"] == "UPSTREAM_ERROR"
            assert told["detail"].startswith("The database has no room left, so nothing was stored.")
            reason = await server.until_not_ready()
            assert reason.startswith("The database has no room left")
            assert set(kept) <= set(await all_contents(server.session, server.diary))
            assert (await asked(server.session, "GET", "/health"))[0] == 200
        await server.until_ready()
        assert await server.write("there is room again") == 201
        assert set(kept) <= set(await all_contents(server.session, server.diary))


async def test_log_that_finds_no_room_ends_the_database_until_there_is_some(tmp_path: Path, small_disk: Path) -> None:
    async with a_server(small_disk, log=tmp_path / "log") as server:
        kept = [f"kept {number}" for number in range(5)]
        assert [await server.write(content) for content in kept] == [201] * 5
        async with a_full_disk(server, small_disk) as url:
            await asyncio.to_thread(need_new_segments, url)
            assert await server.until_not_ready()
            assert (await asked(server.session, "GET", "/health"))[0] == 200
        await server.until_ready()
        assert await server.write("there is room again") == 201
        assert set(kept) <= set(await all_contents(server.session, server.diary))


async def _until_refused(server: Logged, kept: list[str]) -> dict[str, str]:
    for number in range(TRIES):
        content = f"{number} {os.urandom(4000).hex()}"
        path = f"/diaries/{server.diary}/entries"
        status, answer = await asked(server.session, "POST", path, json={"content": content})
        if status != 201:
            assert status == FULL, answer
            refusal: dict[str, str] = answer
            return refusal
        kept.append(content)
    raise AssertionError("the disk did not become full")


def need_new_segments(url: str) -> None:
    """Has the server begin segments of its log until it cannot."""
    with suppress(psycopg.OperationalError):
        for number in range(TRIES):
            _begin_segment(url, number)
        raise AssertionError("the log found room all the time")


def _begin_segment(url: str, number: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_logical_emit_message(true, 'test', %s)", (str(number),))
        connection.execute("select pg_switch_wal()")
