"""Constraints of the tables: each rule is held by the database itself, and broken it is told as the rule."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres.health_check import DiskSpace, PostgresReadiness
from moltnet.adapters.postgres.session import RULES, translated
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.entries import Entry, UnknownSuccessor
from moltnet.domain.errors import MoltNetError, StorageFull, StorageReadOnly, StorageUnavailable
from moltnet.domain.idempotency import IdempotencyRecord
from moltnet.domain.permissions import Relation
from tests.support.builders import (
    NOON,
    a_diary,
    a_keyed_request,
    a_share,
    a_signing_request,
    a_voucher,
    an_agent,
    an_entry,
    an_index,
)
from tests.support.postgres import a_database, execute, rows
from tests.support.stored import written

pytestmark = pytest.mark.real

COPY_AGENT = """
    insert into agent_keys
    select %(id)s, 'ed25519:' || encode(coalesce(%(raw)s::bytea, public_key_bytes), 'base64'),
        coalesce(%(raw)s::bytea, public_key_bytes), coalesce(%(fingerprint)s, fingerprint), created_at, updated_at
    from agent_keys
"""
COPY_ENTRY = """
    insert into diary_entries (id, diary_id, diary_visibility, created_at, updated_at, author_id, content)
    select gen_random_uuid(), diary_id, diary_visibility, created_at, updated_at, author_id, content from diary_entries
"""


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


@pytest.fixture
async def storage(database: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(database, max_connections=2) as storage:
        yield storage


@pytest.fixture
async def entry(storage: PostgresStorage, diary: Diary) -> Entry:
    entry = an_entry(diary=diary.id)
    await written(storage, entry)
    return entry


async def test_every_rule_is_a_constraint_of_the_tables(database: str) -> None:
    unique = "select relname from pg_index join pg_class on pg_class.oid = indexrelid where indisunique"
    constraints = {name for (name,) in await rows(database, f"select conname from pg_constraint union {unique}")}
    assert RULES.keys() <= constraints


@pytest.mark.parametrize(
    ("statement", "values", "rule"),
    [
        (COPY_AGENT, {"raw": None, "fingerprint": "AAAA-AAAA-AAAA-AAAA"}, KeyTaken),
        (COPY_AGENT, {"raw": bytes(32), "fingerprint": None}, KeyTaken),
        ("update diary_entries set superseded_by = %(id)s", {}, UnknownSuccessor),
        ("update diary_entries set superseded_by = id", {}, UnknownSuccessor),
        ("update diary_entries set diary_id = %(id)s", {}, DiaryNotFound),
        ("insert into diary_terms values (%(id)s, 'word', 1)", {}, DiaryNotFound),
    ],
)
async def test_a_broken_constraint_is_reported_as_its_rule(
    database: str, entry: Entry, statement: LiteralString, values: dict[str, object], rule: type[MoltNetError]
) -> None:
    assert entry
    with pytest.raises(rule) as told, translated():
        await execute(database, statement, id=an_agent().id, **values)
    assert isinstance(told.value.__cause__, psycopg.IntegrityError)


@pytest.mark.parametrize(
    "statement",
    [
        "update diary_entries set importance = 0",
        "update diary_entries set importance = 11",
        "update diary_entries set content = ''",
        "update diary_entries set content = repeat('ä', 100001)",
        "update diary_entries set tags = array_fill('x'::text, array[21])",
        "update diary_entries set embedding_model = null, embedding = array_fill(1, array[384])::vector",
        "update diaries set name = ''",
        "update agent_keys set public_key_bytes = '\\x00'",
        "update agent_keys set fingerprint = 'aaaa-aaaa-aaaa-aaaa'",
        "insert into relation_tuples (object, relation, subject) select id, 'parent', owner_id from diaries",
    ],
)
async def test_what_no_race_can_break_stays_an_error_of_ours(database: str, entry: Entry, statement: str) -> None:
    assert entry
    with pytest.raises(psycopg.errors.CheckViolation), translated():
        await execute(database, statement)


async def test_limits_count_characters(database: str, entry: Entry) -> None:
    await execute(database, "update diary_entries set content = repeat('ä', 100000), title = repeat('ä', 255)")
    assert await rows(database, "select char_length(content) from diary_entries where id = %(id)s", id=entry.id) == [
        (100_000,)
    ]


async def test_references_to_who_is_gone_are_reported_as_such(storage: PostgresStorage, diary: Diary) -> None:
    async with storage.autocommit() as work:
        with pytest.raises(ProfileNotFound):
            await work.diaries.add(a_diary())
        with pytest.raises(ProfileNotFound):
            await work.vouchers.issue(a_voucher())
        with pytest.raises(ProfileNotFound):
            await work.signing_requests.add(a_signing_request())
        with pytest.raises(ProfileNotFound):
            await work.idempotency_records.add(IdempotencyRecord.of(a_keyed_request(), b"answer", NOON))
        with pytest.raises(ProfileNotFound):
            await work.shares.add(a_share(diary=diary.id))
        with pytest.raises(ProfileNotFound):
            await work.relations.add(diary.id, Relation.READERS, an_agent().id)


async def test_references_to_a_diary_that_is_gone_are_reported_as_such(storage: PostgresStorage, agent: Agent) -> None:
    async with storage.autocommit() as work:
        with pytest.raises(DiaryNotFound):
            await work.entries.add(an_entry(), an_index())
        with pytest.raises(DiaryNotFound):
            await work.shares.add(a_share(agent=agent.id))
        with pytest.raises(DiaryNotFound):
            await work.relations.add(a_diary().id, Relation.READERS, agent.id)


async def test_everything_of_an_agent_goes_with_it(
    storage: PostgresStorage, database: str, agent: Agent, entry: Entry
) -> None:
    async with storage.transaction() as work:
        await work.vouchers.issue(a_voucher(issuer=agent.id))
        await work.signing_requests.add(a_signing_request(agent=agent.id))
        await work.relations.add(entry.diary_id, Relation.OWNER, agent.id)
        await work.entries.record_views({entry.id: 1}, NOON)
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    for table in (
        "diary_entries",
        "diary_terms",
        "entry_accesses",
        "relation_tuples",
        "agent_vouchers",
        "signing_requests",
    ):
        assert await rows(database, f"select count(*) from {table}") == [(0,)]


async def test_a_database_that_gives_up_is_unavailable(database: str) -> None:
    with pytest.raises(StorageUnavailable), translated():
        await execute(database, "set statement_timeout = 1; select pg_sleep(60)")


@pytest.mark.parametrize(
    ("sqlstate", "told"),
    [
        ("53100", StorageFull),  # disk_full
        ("53200", StorageUnavailable),  # out_of_memory
        ("53300", StorageUnavailable),  # too_many_connections
        ("57P03", StorageUnavailable),  # cannot_connect_now
        ("25006", StorageReadOnly),  # read_only_sql_transaction
    ],
)
async def test_a_database_that_cannot_do_its_work_is_distinguished(
    database: str, sqlstate: str, told: type[MoltNetError]
) -> None:
    with pytest.raises(told), translated():
        await execute(database, f"do $$ begin raise exception 'as ordered' using errcode = '{sqlstate}'; end $$")


async def test_a_standby_takes_no_writes(database: str, agent: Agent) -> None:
    conninfo = make_conninfo(database, options="-c default_transaction_read_only=on")
    async with PostgresStorage.open(conninfo, max_connections=1) as standby:
        with pytest.raises(StorageReadOnly):
            async with standby.transaction() as work:
                await work.agents.remove(agent.id)


async def test_a_write_without_room_is_noted_until_there_is_some(database: str, agent: Agent) -> None:
    disk_space = DiskSpace()
    await execute(
        database,
        "create function full_disk() returns trigger language plpgsql as "
        "$$ begin raise exception 'as ordered' using errcode = 'disk_full'; end $$",
    )
    await execute(database, "create trigger full_disk before insert on diaries execute function full_disk()")
    try:
        async with PostgresStorage.open(database, max_connections=1, disk_space=disk_space) as storage:
            with pytest.raises(StorageFull):
                async with storage.transaction() as work:
                    await work.diaries.add(a_diary(owner=agent.id))
    finally:
        await execute(database, "drop function full_disk cascade")
    assert disk_space.is_missing
    async with aclosing(PostgresReadiness(database, disk_space)) as readiness:
        await readiness.check()
    assert not disk_space.is_missing
