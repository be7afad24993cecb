"""Pages by tag, among many entries: found by the indexes of tags, or in the order of the page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
import pytest

from moltnet.adapters.postgres.candidates import best_values
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.ranking_statements import best
from moltnet.adapters.postgres.repositories.entries import PUBLIC_PAGE_OF_TAG
from moltnet.adapters.postgres.repositories.listing import RARE_TAG, latest, newest, page_values
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import DiaryNotFound, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor
from moltnet.domain.indexing import EntryIndex, Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery
from tests.support.builders import an_author, an_entry
from tests.support.postgres import a_database, execute, rows
from tests.support.stored import joined, opened, written

pytestmark = pytest.mark.real

ENTRIES = 3 * RARE_TAG
COPIES = """
    insert into diary_entries (
        id, diary_id, created_at, updated_at, diary_visibility, author_id, terms, words, content, tags
    )
    select uuidv7(), diary_id, created_at - number * interval '1 second', updated_at, diary_visibility, author_id,
        terms, words, content, case when number %% 2 = 0 then array['common'] else array['other'] end
    from diary_entries, generate_series(1, %(copies)s) as number
"""
VALUES = {"created_at": None, "entry_id": None, "flagged": False, "limit": 20, "rare": RARE_TAG}


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


async def filled(database: str, storage: PostgresStorage) -> Entry:
    """The newest entry, whose tag is its own, before many with others."""
    agent = await joined(storage)
    diary = await opened(storage, agent, Visibility.PUBLIC)
    entry = an_entry(diary=diary.id, author=an_author(agent), tags=("rare",))
    await written(storage, entry)
    await execute(database, COPIES, copies=ENTRIES)
    await execute(database, "vacuum analyze diary_entries")
    return entry


async def test_rare_tag_a_common_one_and_one_that_nobody_uses(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        entry = await filled(database, storage)

        async def page(tag: str, after: Cursor | None = None, limit: int = 20) -> list[Entry]:
            async with storage.autocommit() as work:
                return [each.entry for each in await work.entries.public_page(after, tag, limit, flagged=False)]

        assert await page("rare") == [entry]
        assert await page("rare", Cursor.after(entry)) == []
        assert await page("none") == []
        first = await page("common")
        second = await page("common", Cursor.after(first[-1]))
        assert await page("common", limit=40) == [*first, *second]
        assert {each.tags for each in (*first, *second)} == {("common",)}
        moments = [each.created_at for each in (*first, *second)]
        assert moments == sorted(moments, reverse=True)
        assert len(set(moments)) == 40


async def test_tag_that_few_entries_or_none_have_is_not_looked_for_in_the_others(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        await filled(database, storage)
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        for tag, rows in (("none", 0), ("rare", 1)):
            assert read(await plan_of(connection, PUBLIC_PAGE_OF_TAG, {**VALUES, "tag": tag})) <= rows


async def plan_of(connection: Any, statement: str, values: Mapping[str, object]) -> dict:
    """How a statement was carried out."""
    explain = f"explain (analyze, format json) {statement}".encode()
    [(answer,)] = await (await connection.execute(explain, values, prepare=True)).fetchall()
    return answer[0]["Plan"]


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def read(plan: dict) -> int:
    """How many rows of the table were met and left out, or given."""
    own = plan["Relation Name"] == "diary_entries" if "Relation Name" in plan else False
    met = (plan.get("Rows Removed by Filter", 0) + plan["Actual Rows"]) * plan["Actual Loops"] if own else 0
    return int(met) + sum(
        read(part) for part in plan.get("Plans", []) if part.get("Index Name") != "diary_entries_pkey"
    )


@pytest.mark.parametrize("statement", [newest, latest])
async def test_page_of_a_rare_tag_in_a_diary_reads_no_other_entries(
    database: str, statement: Callable[..., LiteralString]
) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        entry = await filled(database, storage)
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        for tag, rows in (("none", 0), ("rare", 1)):
            asked = [entry.diary_id], Filters(tags=(tag,))
            values = page_values(*asked, Page(20), ANY_TERMS)
            assert read(await plan_of(connection, statement(*asked, ANY_TERMS), values)) <= rows


async def test_search_with_a_rare_tag_reads_no_other_entries(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        entry = await filled(database, storage)
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        for tag, rows in (("none", 0), ("rare", 1)):
            question = Question(words=LexicalQuery(scored=frozenset({Term("word")})), filters=Filters(tags=(tag,)))
            values = {**best_values(question, 10), "within": [entry.diary_id]}
            plan = await plan_of(connection, best(question), values)
            assert read(plan) <= rows + 1  # one tells that the diary is not empty


async def test_page_far_into_a_diary_skips_what_lies_before_in_the_index(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        entry = await filled(database, storage)
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        asked = [entry.diary_id], Filters()
        for statement in (newest, latest):
            values = page_values(*asked, Page(20, ENTRIES - 30), ANY_TERMS)
            plan = await plan_of(connection, statement(*asked, ANY_TERMS), values)
            looked_at = [each for each in nodes(plan) if each.get("Relation Name") == "diary_entries"]
            assert {each["Node Type"] for each in looked_at} == {"Index Only Scan", "Index Scan"}
            assert sum(each["Actual Loops"] for each in looked_at if each["Node Type"] == "Index Scan") == 20


async def test_pages_of_a_common_tag_follow_each_other(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=1) as storage:
        entry = await filled(database, storage)
        asked = [entry.diary_id], Filters(tags=("common",))
        async with storage.autocommit() as work:
            pages = [(await work.entries.newest(*asked, Page(300, at)))[0] for at in (0, 300, 600)]
            assert [await work.entries.latest(*asked, Page(300, at)) for at in (0, 300, 600)] == pages
    found = [each for page in pages for each in page]
    assert found == sorted(set(found), key=lambda each: (each.created_at, each.id), reverse=True)
    assert len(found) == ENTRIES / 2


async def test_size_of_a_diary_is_what_it_holds_after_writes_at_once(database: str) -> None:
    async with PostgresStorage.open(database, max_connections=4) as storage:
        agent = await joined(storage)
        diary, gone = [await opened(storage, agent) for _ in range(2)]
        entries = [an_entry(diary=diary.id, author=an_author(agent)) for _ in range(12)]

        async def write(entry: Entry) -> None:
            async with storage.transaction() as work:
                await work.entries.add(entry, EntryIndex())

        async def write_and_undo() -> None:
            with suppress(DiaryNotFound):
                async with storage.transaction() as work:
                    await work.entries.add(an_entry(diary=diary.id, author=an_author(agent)), EntryIndex())
                    raise DiaryNotFound

        await asyncio.gather(
            *map(write, entries), write_and_undo(), write(an_entry(diary=gone.id, author=an_author(agent)))
        )
        async with storage.transaction() as work:
            assert await work.entries.remove(diary.id, entries[0].id)
            assert await work.diaries.remove(gone.id)
        async with storage.autocommit() as work:
            assert (await work.entries.newest([diary.id, gone.id], Filters(), Page(1)))[1] == 11
    assert await rows(database, "select diary_id, sum(entries) from diary_sizes group by diary_id") == [(diary.id, 11)]
