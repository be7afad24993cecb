"""Brings a database to the schema of this version, by the numbered files in `sql/`.

Files only go forward and are never changed once released. Several processes may migrate at once: one does it, the
others wait and find it done.
"""

import hashlib
import re
from importlib import resources

import attrs
import psycopg

from moltnet.adapters.postgres.session import Connection, limit_statements, translated
from moltnet.domain.errors import Unavailable

# Any number that no other program on the same database uses: the first bytes of the SHA-256 of "moltnet migrations".
LOCK_KEY = int.from_bytes(hashlib.sha256(b"moltnet migrations").digest()[:8], signed=True)
VECTOR_VERSION = (0, 7)  # the first with vectors in half precision, and with sparse ones

# Waits until no other process migrates this database; held until the connection ends.
LOCK = "select pg_advisory_lock(%(key)s)"
# The extension and the list of what was applied.
PREPARE_EXTENSION = "create extension if not exists vector"
PREPARE_LIST = """
    create table if not exists schema_migrations (
        version    integer primary key,
        name       text not null,
        checksum   text not null,
        applied_at timestamptz not null default now()
    )
"""
# The version of the extension, for example 0.8.6.
EXTENSION = "select extversion from pg_extension where extname = 'vector'"
# What was applied, in order; schema_migrations_pkey.
APPLIED = "select version, name, checksum from schema_migrations order by version"
# One row.
RECORD_MIGRATION = (
    "insert into schema_migrations (version, name, checksum) values (%(version)s, %(name)s, %(checksum)s)"
)

_FILE_NAME = re.compile(r"(\d{4})_\w+\.sql", re.ASCII)


class SchemaUnusable(Unavailable):
    """The database cannot be brought to the schema of this version; somebody has to decide what to do."""

    code = "SCHEMA_UNUSABLE"
    sentence = "The database has a schema that this version cannot use"


@attrs.frozen
class Migration:
    """One step forward."""

    version: int
    name: str
    sql: bytes = attrs.field(repr=False)

    @property
    def checksum(self) -> str:
        """The SHA-256 of its text, in hex."""
        return hashlib.sha256(self.sql).hexdigest()


def load_migrations() -> list[Migration]:
    """The migrations of this version, in order."""
    folder = resources.files(__package__) / "sql"
    named = ((_FILE_NAME.fullmatch(file.name), file) for file in folder.iterdir())
    found = [Migration(int(match[1]), file.name, file.read_bytes()) for match, file in named if match]
    return sorted(found, key=lambda migration: migration.version)


async def migrate(conninfo: str, migrations: list[Migration] | None = None) -> list[str]:
    """Applies what is missing, each file in a transaction of its own, and answers the names of those files.

    Args:
        conninfo: the database's URL or libpq connection string; its role may create tables and the extension.
        migrations: in order; those of this version unless given.

    Raises:
        StorageUnavailable: the database does not answer.
        SchemaUnusable: the encoding is not UTF8, the extension is missing or too old, an applied file was changed
            since, or the database was migrated by a later version. Nothing was written by this call.
    """
    with translated():
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            # Whatever the role's own limit: a migration of much data takes its time, and so does waiting for another's.
            await limit_statements(connection, 0)
            require_utf8(connection)
            await connection.execute(LOCK, {"key": LOCK_KEY})
            await _prepare(connection)
            return await _apply(connection, load_migrations() if migrations is None else migrations)


def require_utf8(connection: Connection) -> None:
    """Raises SchemaUnusable for a database of another encoding: it could not store what agents write."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise SchemaUnusable(
            f"The database has the encoding {encoding}, and UTF8 is needed: create another one with "
            "CREATE DATABASE name ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0, and name it in DATABASE_URL"
        )


async def _prepare(connection: Connection) -> None:
    try:
        await connection.execute(PREPARE_EXTENSION)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFile,
    ) as error:
        raise SchemaUnusable(
            "The database has no extension pgvector and this role cannot create it: install pgvector on the database "
            "server and let an administrator run CREATE EXTENSION vector in this database"
        ) from error
    version = await (await connection.execute(EXTENSION)).fetchone()
    if version is None or tuple(map(int, version[0].split(".")[:2])) < VECTOR_VERSION:
        raise SchemaUnusable(
            f"The extension pgvector is too old ({version and version[0]}): version 0.7 or newer is needed; install it "
            "on the database server and run ALTER EXTENSION vector UPDATE in this database"
        )
    await connection.execute(PREPARE_LIST)


async def _apply(connection: Connection, migrations: list[Migration]) -> list[str]:
    applied = await (await connection.execute(APPLIED)).fetchall()
    known = {migration.version: migration for migration in migrations}
    for version, name, checksum in applied:
        _check_applied(known.get(version), name, checksum)
    done = {version for version, _, _ in applied}
    missing = [migration for migration in migrations if migration.version not in done]
    for migration in missing:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                RECORD_MIGRATION, {"version": migration.version, "name": migration.name, "checksum": migration.checksum}
            )
    return [migration.name for migration in missing]


def _check_applied(known: Migration | None, name: str, checksum: str) -> None:
    if known is None:
        raise SchemaUnusable(
            f"The database was migrated by a later version of MoltNet (it has {name}): start that version, or restore "
            "a backup from before"
        )
    if known.checksum != checksum:
        raise SchemaUnusable(
            f"The migration {name} was applied to the database in another form than this version has: use the version "
            "of MoltNet that applied it"
        )
