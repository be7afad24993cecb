"""A PostgreSQL for tests, started when the first of them asks, databases without rows, and data folders with one."""

import asyncio
import atexit
import functools
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.adapters.postgres.migrate import migrate
from moltnet.adapters.postgres.storage import PostgresStorage

# Everything else goes with the agents, by foreign keys.
EMPTY = b"""
    delete from diaries; delete from agent_keys; delete from identities; delete from oauth_clients;
    delete from token_keys; delete from recovery_codes; delete from recovery_sessions; delete from used_recovery_nonces;
    delete from rate_limit_windows; delete from relation_intents; delete from embedding_model;
    delete from log_pending; delete from log_leaves; delete from log_subjects; delete from log_tiles;
    delete from log_key; update log_head set signed = null, published = null, size = 0
"""

# The database of a data folder.
MIGRATED = "moltnet"

NO_WORKFLOWS = b"""
    delete from dbos.workflow_status; delete from dbos.operation_outputs; delete from dbos.notifications;
    delete from dbos.workflow_input; delete from dbos.workflow_output
"""

# No log for replicas and archives, no second copy of a page, no worker that looks for what to clean in every database.
NOT_DURABLE = """
    wal_level = minimal
    max_wal_senders = 0
    full_page_writes = off
    checkpoint_timeout = 1d
    autovacuum_naptime = 1d
"""

_numbers = itertools.count(1)
_idle: list[str] = []


@functools.cache
def running_server() -> str:
    """The connection string of a server that ends with this process; it stores as fast as it can, not durably.

    Nobody connects to its database `moltnet`, which is as a migration leaves it: new databases are copies of that.
    """
    folder = Path(tempfile.mkdtemp(prefix="moltnet-pg-"))
    server = EmbeddedPostgres(migrated(folder))
    with (folder / "postgres" / "postgresql.conf").open("a") as file:
        file.write(NOT_DURABLE)
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.stop)
    return make_conninfo(server.start(), dbname="postgres", options="-c synchronous_commit=off")


def created(data_dir: Path) -> Path:
    """A data folder whose database was created already, which takes more than a second; it holds no table."""
    if not (data_dir / "postgres").exists():
        copy(_created(), data_dir)
    return data_dir


def migrated(data_dir: Path) -> Path:
    """A data folder whose database has every table, those of workflows included, and no row."""
    if not (data_dir / "postgres").exists():
        copy(_migrated(), data_dir)
    return data_dir


def copy(template: Path, data_dir: Path) -> None:
    """Makes a data folder that is like another one, of which no process runs."""
    data_dir.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{template}/.", data_dir], check=True)


def a_template() -> Path:
    """A folder for a data folder that is copied until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="moltnet-template-"))
    atexit.register(shutil.rmtree, folder)
    return folder


@functools.cache
def _created() -> Path:
    folder = a_template()
    with EmbeddedPostgres(folder):
        return folder


@functools.cache
def _migrated() -> Path:
    from moltnet.adapters.dbos.connections import make_schema  # noqa: PLC0415 - heavy

    folder = created(a_template())
    with EmbeddedPostgres(folder) as postgres, ThreadPoolExecutor(1) as alone:
        address = postgres.start()
        alone.submit(asyncio.run, migrate(address)).result()
        make_schema(address)
    return folder


@asynccontextmanager
async def an_empty_database() -> AsyncIterator[str]:
    """The connection string of a database with nothing in it, dropped afterwards."""
    async with a_copy("template1", f"test_{next(_numbers)}") as conninfo:
        yield conninfo


@asynccontextmanager
async def a_copy(template: str, name: str) -> AsyncIterator[str]:
    """The connection string of a database like another one, which nobody uses; dropped afterwards."""
    conninfo = await _copied(template, name)
    try:
        yield conninfo
    finally:
        await execute(running_server(), f"drop database {name} with (force)")


@asynccontextmanager
async def a_database() -> AsyncIterator[str]:
    """The connection string of a migrated database without a row; used again by later tests."""
    conninfo = _idle.pop() if _idle else await _copied(MIGRATED, f"test_{next(_numbers)}")
    yield conninfo
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute(EMPTY)
    _idle.append(conninfo)


@asynccontextmanager
async def a_workflow_database() -> AsyncIterator[str]:
    """The connection string of a database in which no workflow is remembered; used again by later tests."""
    async with a_database() as conninfo:
        # Not afterwards: a thread of the engine before may have been writing still when that was stopped.
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            await connection.execute(NO_WORKFLOWS)
        yield conninfo


@asynccontextmanager
async def open_storage(max_connections: int = 8) -> AsyncIterator[PostgresStorage]:
    """Storage that holds nothing yet."""
    async with (
        a_database() as conninfo,
        PostgresStorage.open(conninfo, max_connections=max_connections) as storage,
    ):
        yield storage


async def execute(conninfo: str, statement: str, **values: object) -> None:
    """Runs a statement that stands alone."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(statement.encode(), values or None)


async def rows(conninfo: str, statement: str, **values: object) -> list[tuple[Any, ...]]:
    """What a statement answers."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        return await (await connection.execute(statement.encode(), values or None)).fetchall()


async def _copied(template: str, name: str) -> str:
    await execute(running_server(), f"create database {name} template {template} strategy file_copy")
    return make_conninfo(running_server(), dbname=name)
