"""Search of all that is public, where it is too much to compare: by the approximate index, with true scores."""

import math
import random
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, LiteralString

import attrs
import psycopg
import pytest

from moltnet.adapters.postgres.candidates import best_values
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.ranking_statements import best_public, best_public_near
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Visibility
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import (
    DIMENSIONS,
    EntryIndex,
    IndexedPassage,
    ModelName,
    ModelPassages,
    ModelReference,
    ServingModelChanged,
    Term,
    Vector,
)
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from tests.support.builders import MODEL, an_entry, an_index
from tests.support.postgres import a_database, execute, rows
from tests.support.stored import joined, opened, written

pytestmark = pytest.mark.real

ENTRIES, QUESTIONS, BEST = 800, 25, 10
TARGET = ModelName("target")
WORDS = [f"word{number}" for number in range(60)]
# What is in the approximate index, beside what should be; equal rows are left out.
UNPUBLISHED = """
    with said as (select entry_id, ordinal, embedding_model, embedding::text as vector from public_passages),
    real as (
        select id as entry_id, 0 as ordinal, embedding_model, embedding::text as vector from diary_entries
        where diary_visibility = 'public' and embedding is not null
        union all
        select e.id, p.ordinal, p.model, p.embedding::text
        from diary_entries e join entry_passages p on p.entry_id = e.id
        where e.diary_visibility = 'public' and p.embedding is not null
    )
    (table said except table real) union all (table real except table said)
"""


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


@pytest.fixture
async def storage(database: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(database, max_connections=2) as storage:
        yield storage


def a_dense_vector(chance: random.Random) -> Vector:
    numbers = [chance.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.hypot(*numbers)
    return Vector.of([number / length for number in numbers])


def a_question(chance: random.Random, filters: Filters = Filters()) -> Question:  # noqa: B008 - frozen
    scored = frozenset(map(Term, chance.choices(WORDS, k=3)))
    return Question(vector=a_dense_vector(chance), model=MODEL, words=LexicalQuery(scored=scored), filters=filters)


async def filled(storage: PostgresStorage, chance: random.Random) -> None:
    """Entries of some public diaries; every tenth has the tag `x`."""
    agent = await joined(storage)
    diaries = [await opened(storage, agent, Visibility.PUBLIC) for _ in range(8)]
    async with storage.transaction() as work:
        for number in range(ENTRIES):
            words = an_index(*chance.choices(WORDS, k=12)).index_terms
            passages = tuple(IndexedPassage(at, at, at + 1, a_dense_vector(chance)) for at in range(1 + number % 2))
            entry = an_entry(diary=diaries[number % 8].id, tags=("x",) if number % 10 == 0 else None)
            await work.entries.add(entry, EntryIndex(model=MODEL, passages=passages, index_terms=words))


async def asked(
    connection: psycopg.AsyncConnection[Any], statement: Callable[[Question], LiteralString], question: Question
) -> dict[EntryId, float]:
    """The best entries and their scores."""
    cursor = await connection.execute(statement(question), best_values(question, 40))
    columns = [column.name for column in cursor.description or ()]
    found = [dict(zip(columns, row, strict=True)) for row in await cursor.fetchall()]
    best = sorted(found, key=lambda each: -((each["cosine"] or 0) + each["words"]))[:BEST]
    return {EntryId(each["id"]): (each["cosine"] or 0) + each["words"] for each in best}


@pytest.mark.parametrize("filters", [Filters(), Filters(tags=("x",))])
async def test_of_the_best_ten_at_least_ninety_five_percent_are_found_with_their_true_scores(
    storage: PostgresStorage, database: str, filters: Filters
) -> None:
    chance = random.Random(3)
    await filled(storage, chance)
    hits = 0
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        for _ in range(QUESTIONS):
            question = a_question(chance, filters)
            exact, near = [await asked(connection, each, question) for each in (best_public, best_public_near)]
            assert len(exact) == BEST
            common = exact.keys() & near.keys()
            assert all(exact[entry_id] == near[entry_id] for entry_id in common)
            hits += len(common)
    assert hits / (QUESTIONS * BEST) >= 0.95


def scans(plan: Mapping[str, Any]) -> set[str]:
    named = {plan["Index Name"]} if "Index Name" in plan else set()
    return named.union(*(scans(part) for part in plan.get("Plans", ())))


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_the_indexes_of_public_entries_are_used(storage: PostgresStorage, database: str, mode: str) -> None:
    chance = random.Random(3)
    await filled(storage, chance)
    await execute(database, "analyze")
    # As the planner would see more than it can compare.
    await execute(
        database, "update pg_class set reltuples = 20000 where relname in ('public_passages', 'diary_entries')"
    )
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        await connection.execute("select set_config('plan_cache_mode', %s, false)", (mode,))
        question = a_question(chance)
        cursor: psycopg.AsyncCursor[Any] = await connection.execute(
            "explain (format json) " + best_public_near(question), best_values(question, 40), prepare=True
        )
        [(answer,)] = await cursor.fetchall()
    assert {"public_passages_nearest", "diary_entries_public_words"} <= scans(answer[0]["Plan"])


async def test_the_approximate_index_holds_what_is_public_now(
    storage: PostgresStorage, database: str, agent: Agent
) -> None:
    chance = random.Random(4)
    diaries = [await opened(storage, agent, visibility) for visibility in (Visibility.PUBLIC, Visibility.PRIVATE)]
    entries = [an_entry(diary=diary.id) for diary in diaries for _ in range(3)]

    def an_index_of(passages: int) -> EntryIndex:
        return an_index("a", vectors=tuple(a_dense_vector(chance) for _ in range(passages)))

    async with storage.transaction() as work:
        for entry in entries:
            await work.entries.add(entry, an_index_of(3))
    assert await rows(database, "select count(*) from public_passages") == [(9,)]
    async with storage.transaction() as work:
        for entry, passages in zip(entries, (2, 4, 0, 2, 4, 0), strict=True):
            assert await work.entries.replace(entry, an_index_of(passages), unless_changed_since=entry.updated_at)
        assert await work.entries.remove(diaries[0].id, entries[0].id)
    assert await rows(database, "select count(*) from public_passages") == [(4,)]
    assert await rows(database, UNPUBLISHED) == []
    await execute(
        database,
        "update diaries set visibility = case visibility when 'public' then 'private' else 'public' end::visibility",
    )
    assert await rows(database, "select count(*) from public_passages") == [(6,)]
    assert await rows(database, UNPUBLISHED) == []


async def test_the_approximate_index_goes_along_with_a_switch_of_models(
    storage: PostgresStorage, database: str, agent: Agent
) -> None:
    chance = random.Random(5)
    diaries = [await opened(storage, agent, visibility) for visibility in (Visibility.PUBLIC, Visibility.PRIVATE)]
    public, emptied, edited, private = entries = [an_entry(diary=diaries[at].id) for at in (0, 0, 0, 1)]

    def some(passages: int, model: ModelName) -> ModelPassages:
        vectors = [a_dense_vector(chance) for _ in range(passages)]
        return ModelPassages(
            model=model, passages=tuple(IndexedPassage(at, at, at + 1, each) for at, each in enumerate(vectors))
        )

    def an_index_of(own: ModelPassages, upcoming: ModelPassages | None = None) -> EntryIndex:
        return EntryIndex(model=own.model, passages=own.passages, upcoming=upcoming)

    async def published(model: ModelName) -> int:
        assert await rows(database, UNPUBLISHED) == []
        counted = f"select count(*) from public_passages where embedding_model = '{model}'"
        ((count,),) = await rows(database, counted)
        return int(count)

    async with storage.transaction() as work:
        for entry in entries:
            await work.entries.add(entry, an_index_of(some(2, MODEL)))
        await work.models.adopt(ModelReference(MODEL))
        await work.models.aim(ModelReference(TARGET))
    for entry, passages in ((public, 3), (emptied, 0), (edited, 3), (private, 3)):
        async with storage.autocommit() as work:
            assert await work.models.store_passages(entry, some(passages, TARGET))
    assert (await published(MODEL), await published(TARGET)) == (6, 6)
    async with storage.transaction() as work:
        index = an_index_of(some(1, MODEL), some(1, TARGET))
        assert await work.entries.replace(edited, index, unless_changed_since=edited.updated_at)
    assert (await published(MODEL), await published(TARGET)) == (5, 4)
    async with storage.transaction() as work:
        assert await work.models.finish_migration(ModelReference(TARGET))
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        question = Question(vector=a_dense_vector(chance), model=TARGET)
        found = await asked(connection, best_public_near, question)
        assert found.keys() == {public.id, edited.id}
        assert found == await asked(connection, best_public, question)
    with pytest.raises(ServingModelChanged):
        async with storage.snapshot() as work:
            await work.candidates.best_public(attrs.evolve(question, model=MODEL), 9)
    async with storage.autocommit() as work:
        assert await work.models.complete(9) == 4
    assert (await published(MODEL), await published(TARGET)) == (0, 4)


@pytest.fixture
async def agent(storage: PostgresStorage) -> Agent:
    return await joined(storage)


def looks(plan: Mapping[str, Any]) -> int:
    """How often tables and indexes were looked into, as the executor counted."""
    own = plan["Actual Loops"] if "Relation Name" in plan or "Index Name" in plan else 0
    return int(own) + sum(map(looks, plan.get("Plans", ())))


async def test_empty_public_diaries_cost_nothing(storage: PostgresStorage, database: str) -> None:
    agent = await joined(storage)
    shown = await opened(storage, agent, visibility=Visibility.PUBLIC)
    await written(storage, an_entry(diary=shown.id), index=an_index("word0"))
    question = Question(words=LexicalQuery(scored=frozenset(Term(f"word{number}") for number in range(64))))
    counted = []
    for empty in (0, 600):
        for _ in range(empty):
            await opened(storage, agent, visibility=Visibility.PUBLIC)
        await execute(database, "analyze")
        async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
            cursor: psycopg.AsyncCursor[Any] = await connection.execute(
                "explain (analyze, format json) " + best_public(question), best_values(question, 10)
            )
            [(answer,)] = await cursor.fetchall()
        counted.append(looks(answer[0]["Plan"]))
    assert counted[0] == counted[1]
