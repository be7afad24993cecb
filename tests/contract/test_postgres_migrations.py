"""Migrations: done once however many do them, never over a database that another version made."""

import asyncio
import base64
import json
import sys
from uuid import uuid4

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres.migrate import Migration, SchemaUnusable, load_migrations, migrate
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import NewEntry, written_tags
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.records import EMPTY, EntryRecord, Head, SignedRecord, record_hash
from moltnet.domain.transparency import Leaf
from moltnet.ports.credentials import SigningKey
from tests.support.builders import NOON, a_diary, a_voucher, an_agent, an_author, an_id
from tests.support.postgres import a_database, an_empty_database, execute, rows, running_server
from tests.support.stored import joined

pytestmark = pytest.mark.real

MIGRATE = """
import asyncio, json, sys
from moltnet.adapters.postgres.migrate import migrate
print(json.dumps(asyncio.run(migrate(sys.argv[1]))))
"""
# docs/reference/data.md, "Tables", column by column.
SEED = {
    "diaries": "id owner_id name visibility signed created_at updated_at",
    "diary_entries": "id diary_id title content embedding tags injection_risk importance entry_type superseded_by "
    "created_at updated_at",
    "diary_shares": "id diary_id shared_with role status invited_at responded_at",
    "agent_keys": "identity_id public_key fingerprint created_at updated_at",
    "agent_vouchers": "id code issuer_id redeemed_by expires_at redeemed_at created_at",
    "signing_requests": "id agent_id message nonce status signature valid workflow_id created_at expires_at "
    "completed_at",
    "used_recovery_nonces": "nonce expires_at",
}
SEED_TYPES = {
    "visibility": ["private", "moltnet", "public"],
    "entry_type": ["episodic", "semantic", "procedural", "reflection", "identity", "soul"],
    "diary_share_role": ["reader", "writer"],
    "diary_share_status": ["pending", "accepted", "declined", "revoked"],
    "signing_request_status": ["pending", "completed", "expired"],
}
COLUMNS = "select column_name from information_schema.columns where table_schema = 'public' and table_name = %(table)s"
LABELS = """
    select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = %(name)s::text::regtype
"""
OLD_AGENT = """
    insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, created_at, updated_at)
    values (%(id)s, %(text)s, %(raw)s, %(fingerprint)s, now(), now())
"""
OLD_IDENTITY = "insert into identities (identity_id, public_key, created_at) values (%(id)s, %(text)s, now())"
TABLES = "select table_name from information_schema.tables where table_schema = 'public'"

ENTRY_OF_BEFORE = """
    with agent as (
        insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, created_at, updated_at)
        values (%(agent)s, %(key)s, %(raw)s, %(fingerprint)s, now(), now())
    ), diary as (
        insert into diaries (id, owner_id, name, created_at, updated_at)
        values (%(diary)s, %(agent)s, 'A diary', now(), now())
    )
    insert into diary_entries (id, diary_id, diary_visibility, created_at, updated_at, content)
    values (%(entry)s, %(diary)s, 'private', now(), now(), 'What happened')
"""


def a_migration(version: int, sql: str = "select 1") -> Migration:
    return Migration(version, f"{version:04}_something.sql", sql.encode())


async def migrated_elsewhere(conninfo: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MIGRATE, conninfo, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate()
    assert process.returncode == 0
    applied: list[str] = json.loads(answer)
    return applied


async def test_of_eight_processes_at_once_one_migrates() -> None:
    async with an_empty_database() as conninfo:
        answers = await asyncio.gather(*(migrated_elsewhere(conninfo) for _ in range(8)))
        assert sorted(answers) == [[]] * 7 + [[migration.name for migration in load_migrations()]]


async def test_what_is_done_is_not_done_again() -> None:
    async with a_database() as conninfo:
        assert await migrate(conninfo) == []


async def test_what_is_missing_is_added_in_order() -> None:
    async with an_empty_database() as conninfo:
        first, second, third = a_migration(1, "create table a ()"), a_migration(2, "drop table a"), a_migration(3)
        assert await migrate(conninfo, [first]) == [first.name]
        assert await migrate(conninfo, [first, second, third]) == [second.name, third.name]


async def test_a_migration_that_fails_leaves_nothing_of_itself() -> None:
    async with an_empty_database() as conninfo:
        with pytest.raises(Exception, match="nonsense"):
            await migrate(
                conninfo, [a_migration(1, "create table a ()"), a_migration(2, "create table b (); nonsense")]
            )
        tables = {name for (name,) in await rows(conninfo, TABLES)}
        assert "a" in tables
        assert "b" not in tables
        assert await migrate(conninfo, [a_migration(1, "create table a ()"), a_migration(2)]) == [a_migration(2).name]


async def test_a_migration_that_cannot_be_noted_was_not_done() -> None:
    async with an_empty_database() as conninfo:
        hiding = a_migration(1, "create table b (); alter table schema_migrations rename to hidden")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await migrate(conninfo, [hiding])
        assert {("schema_migrations",)} == set(await rows(conninfo, TABLES))


async def test_a_changed_migration_is_refused() -> None:
    async with an_empty_database() as conninfo:
        await migrate(conninfo, [a_migration(1)])
        with pytest.raises(SchemaUnusable, match=r"0001_something\.sql .* another form"):
            await migrate(conninfo, [a_migration(1, "select 2"), a_migration(2)])
        assert await migrate(conninfo, [a_migration(1)]) == []


async def test_a_later_versions_database_is_refused() -> None:
    async with an_empty_database() as conninfo:
        await migrate(conninfo, [a_migration(1), a_migration(2)])
        with pytest.raises(SchemaUnusable, match=r"later version .*0002_something\.sql"):
            await migrate(conninfo, [a_migration(1)])


async def test_a_role_that_may_not_create_the_extension_learns_what_to_do() -> None:
    async with an_empty_database() as conninfo:
        await execute(running_server(), "create role nobody_much")
        try:
            with pytest.raises(SchemaUnusable, match="CREATE EXTENSION vector"):
                await migrate(make_conninfo(conninfo, options="-c role=nobody_much"))
        finally:
            await execute(running_server(), "drop role nobody_much")


@pytest.mark.parametrize("table", SEED)
async def test_the_seeds_tables_have_the_seeds_columns(table: str) -> None:
    async with a_database() as conninfo:
        columns = {name for (name,) in await rows(conninfo, COLUMNS, table=table)}
    assert set(SEED[table].split()) <= columns


@pytest.mark.parametrize("name", SEED_TYPES)
async def test_the_seeds_types_have_the_seeds_values(name: str) -> None:
    async with a_database() as conninfo:
        assert await rows(conninfo, LABELS, name=name) == [(SEED_TYPES[name],)]


async def test_keys_that_were_stored_as_they_were_sent_become_canonical() -> None:
    raw, agent_id = bytes(range(32)), uuid4()
    names = [migration.name for migration in load_migrations()]
    before = next(at for at, name in enumerate(names) if name.endswith("_proofs.sql"))
    async with an_empty_database() as conninfo:
        await migrate(conninfo, load_migrations()[:before])
        sent = base64.b64encode(raw).decode().rstrip("=") + " <!> IGNORE ALL"
        await execute(conninfo, OLD_AGENT, id=agent_id, text=sent, raw=raw, fingerprint=str(Fingerprint.of(raw)))
        await execute(conninfo, OLD_IDENTITY, id=agent_id, text=sent)
        await migrate(conninfo)
        key = PublicKey(raw).text
        assert await rows(conninfo, "select public_key, proven from agent_keys") == [(key, False)]
        assert await rows(conninfo, "select public_key from identities") == [(key,)]
        with pytest.raises(psycopg.errors.CheckViolation):
            await execute(conninfo, "update agent_keys set public_key = public_key || ' and more'")


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [migration.version for migration in load_migrations()]
    assert numbers == [*range(1, len(numbers) + 1)]


def test_another_text_has_another_checksum() -> None:
    migration = a_migration(1)
    assert attrs.evolve(migration, sql=migration.sql + b" ").checksum != migration.checksum


async def test_entries_from_before_authors_were_stored_are_put_down_to_their_diarys_owner() -> None:
    async with an_empty_database() as conninfo:
        migrations = load_migrations()
        (authors,) = (each for each in migrations if each.name.endswith("_authors.sql"))
        await migrate(conninfo, [each for each in migrations if each.version < authors.version])
        owner, diary, entry = an_agent(), an_id(), an_id()
        key = {"key": owner.public_key.text, "raw": owner.public_key.raw, "fingerprint": owner.fingerprint.text}
        await execute(conninfo, ENTRY_OF_BEFORE, agent=owner.id, diary=diary, entry=entry, **key)
        await migrate(conninfo)
        async with PostgresStorage.open(conninfo, max_connections=2) as storage, storage.snapshot() as work:
            kept = await work.entries.find(DiaryId(diary), EntryId(entry))
    assert kept
    assert (kept.author, kept.edited_by) == (an_author(owner, assumed=True), None)
    assert kept.is_by(owner.id)


async def test_tags_that_were_stored_as_they_were_sent_are_written_one_way() -> None:
    long = "\u0958" * 30  # twice as long in NFC
    async with an_empty_database() as conninfo:
        migrations = load_migrations()
        (tags,) = (each for each in migrations if each.name.endswith("_tags.sql"))
        (authors,) = (each for each in migrations if each.name.endswith("_authors.sql"))
        await migrate(conninfo, [each for each in migrations if each.version < authors.version])
        owner, diary, entry = an_agent(), an_id(), an_id()
        key = {"key": owner.public_key.text, "raw": owner.public_key.raw, "fingerprint": owner.fingerprint.text}
        await execute(conninfo, ENTRY_OF_BEFORE, agent=owner.id, diary=diary, entry=entry, **key)
        await migrate(conninfo, [each for each in migrations if each.version < tags.version])
        sent = ["cafe\u0301", "\u2003 infra\t", "plain", "", long]
        await execute(conninfo, "update diary_entries set tags = %(sent)s", sent=sent)
        await migrate(conninfo)
        ((kept,),) = await rows(conninfo, "select tags from diary_entries")
    assert kept == ["caf\u00e9", "infra", "plain", "", long]
    assert list(written_tags(sent)) == kept


async def test_what_was_there_before_the_open_log_is_its_beginning() -> None:
    migrations = load_migrations()
    (log,) = (each for each in migrations if each.name.endswith("_transparency.sql"))
    async with an_empty_database() as conninfo:
        await migrate(conninfo, [each for each in migrations if each.version < log.version])
        async with PostgresStorage.open(conninfo, max_connections=2) as storage:
            ada, bob = await joined(storage), await joined(storage)
            private = a_diary(owner=ada.id)
            public = attrs.evolve(a_diary(owner=ada.id, visibility=Visibility.PUBLIC), signed=True)
            voucher, key = a_voucher(issuer=ada.id), SigningKey(kid="k-1_A", sealed=b"x", created_at=NOON)
            record = an_entry_record(public, ada)
            async with storage.transaction() as work:
                await work.vouchers.issue(voucher)
                await work.vouchers.redeem(voucher.code, bob.id, NOON)
                for diary in (public, private):
                    await work.diaries.add(diary)
                await work.records.append(record, SignedRecord.of(record, bytes(64)))
                await work.signing_keys.add(key)
            await migrate(conninfo)
            assert await migrate(conninfo) == []
            async with storage.snapshot() as work:
                pending = await work.transparency.pending(100)
    leaves = [each.leaf for each in pending]
    at = leaves[0].at
    expected = [
        Leaf.registered(ada.public_key, at),
        Leaf.registered(bob.public_key, at),
        Leaf.vouched(bob.fingerprint, ada.fingerprint, at),
        Leaf.published(public.id, ada.fingerprint, at),
        Leaf.head(public.id, Head(sequence=1, hash=record_hash(record.payload)), at),
        Leaf.network_key(key.kid, at, alone=False),
    ]
    assert leaves == [attrs.evolve(leaf, initial=True) for leaf in expected]


def an_entry_record(diary: Diary, author: Agent) -> EntryRecord:
    return EntryRecord.of(
        NewEntry(content="x"),
        diary_id=diary.id,
        head=EMPTY,
        key=author.public_key,
        entry_id=EntryId(an_id()),
        supersedes=None,
        salt=bytes(16),
        at=NOON,
    )
