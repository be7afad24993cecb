"""Large diaries: indexes that hold what their entries hold, and candidates by them with their true cosines."""

import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import attrs
import pytest
from psycopg.conninfo import make_conninfo

from moltnet.adapters.postgres import candidates
from moltnet.adapters.postgres.candidates import best_values
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.ranking_indexes import Width
from moltnet.adapters.postgres.ranking_statements import best_large
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.indexing import EntryIndex, IndexedPassage, ModelPassages, ModelReference, Term
from moltnet.domain.ranking import Balance, Candidates, Question, Shortlist, is_exact, rank, score_by
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery, Weights
from tests.contract.test_postgres_public_search import TARGET, WORDS, a_dense_vector, scans
from tests.support.builders import MODEL, NOON, an_entry, an_index
from tests.support.postgres import a_database, execute, rows
from tests.support.stored import joined, opened

pytestmark = pytest.mark.real

ENTRIES = 120
SCORE = score_by(Weights(), Balance(words=1.0, expansion=0.5), NOON)
SHORTLIST = Shortlist(score=SCORE, limit=5)
COMPARED = Filters(until=NOON.replace(year=2100))  # all entries pass; no index leads to those that do
# What is in the indexes, beside what should be; equal rows are left out.
DIFFERENCES = """
    with here as (select entry_id, ordinal, embedding_model, embedding::text as vector from large_passages
        union all select entry_id, -1, '', words::text from large_words),
    real as (
        select v.entry_id, v.ordinal, v.embedding_model, v.embedding::halfvec(384)::text as vector
        from entry_vectors v join large_diaries using (diary_id)
        union all select e.id, -1, '', e.words::text from diary_entries e join large_diaries using (diary_id)
    )
    (table here except table real) union all (table real except table here)
"""

# More passages of another diary than a walk follows at first, all of them nearer than anything at random is.
NEARER = """
    insert into large_passages (part, diary_id, entry_id, ordinal, embedding_model, embedding)
    select part, diary_id, entry_id, number, embedding_model, (
        select array_agg(each + random() * 0.01) from unnest(%(vector)s::float4[]) as each where number > 0
    )::real[]::vector(384)::halfvec(384)
    from large_passages, generate_series(10, 16) as number where diary_id = %(other)s and ordinal = 0
    returning entry_id
"""


@pytest.fixture
async def database(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(candidates, "LARGE_FROM", ENTRIES)
    async with a_database() as conninfo:
        yield conninfo


@pytest.fixture
async def storage(database: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(database, max_connections=2) as storage:
        yield storage


def an_index_of(chance: random.Random) -> EntryIndex:
    words = an_index(*chance.choices(WORDS, k=chance.randint(3, 12))).index_terms
    passages = tuple(IndexedPassage(at, at, at + 1, a_dense_vector(chance)) for at in range(chance.choice([1, 1, 3])))
    return EntryIndex(model=MODEL, passages=passages, index_terms=words)


async def filled(
    storage: PostgresStorage, database: str, chance: random.Random, count: int = ENTRIES, owner: Agent | None = None
) -> tuple[Diary, list[Entry]]:
    diary = await opened(storage, owner or await joined(storage))
    entries = [an_entry(diary=diary.id) for _ in range(count)]
    async with storage.transaction() as work:
        for entry in entries:
            await work.entries.add(entry, an_index_of(chance))
    await execute(database, "analyze diary_entries")
    return diary, entries


async def indexed(storage: PostgresStorage) -> int:
    """Runs the job to its end, and answers in how many steps."""
    steps = 1
    while True:
        async with storage.transaction() as work:
            if not await work.candidates.index_large(50):
                return steps
        steps += 1


async def best(storage: PostgresStorage, question: Question, *diaries: Diary, depth: int = 20) -> Candidates:
    async with storage.snapshot() as work:
        return await work.candidates.best(question, [each.id for each in diaries], depth, SHORTLIST)


def a_question(chance: random.Random, **more: Any) -> Question:
    words = LexicalQuery(scored=frozenset(map(Term, chance.choices(WORDS, k=3))))
    return Question(vector=a_dense_vector(chance), model=MODEL, words=words, **more)


async def test_only_a_large_diary_is_indexed_and_its_answers_are_the_exact_ones(
    storage: PostgresStorage, database: str
) -> None:
    chance = random.Random(7)
    diary, _ = await filled(storage, database, chance)
    small, _ = await filled(storage, database, chance, 20)
    questions = [a_question(chance) for _ in range(20)]
    exact = [(await best(storage, each, diary, depth=20)).found for each in questions]
    assert await indexed(storage) >= ENTRIES / 50
    assert await rows(database, "select diary_id, entries, ready from large_diaries") == [(diary.id, ENTRIES, True)]
    assert await rows(database, DIFFERENCES) == []
    async with PostgresStorage.open(database, max_connections=1) as afresh:
        for question, expected in zip(questions, exact, strict=True):
            answer = await best(afresh, question, diary)
            assert answer.cosine_beyond is not None
            ranked = rank(answer, SCORE)
            if is_exact(ranked, 5, answer, SCORE):
                assert {each.entry_id for each in ranked} == {each.entry_id for each in expected}
            cosines = {each.entry_id: each.cosine for each in expected}
            assert all(each.cosine == cosines.get(each.entry_id, each.cosine) for each in answer.found)
    assert len((await best(storage, questions[0], small, depth=20)).found) == 5


async def test_the_diaries_of_one_owner_are_large_together(storage: PostgresStorage, database: str) -> None:
    chance = random.Random(12)
    owner = await joined(storage)
    own = [(await filled(storage, database, chance, count, owner))[0] for count in (60, 50, 40)]
    shared, _ = await filled(storage, database, chance, 30)
    questions = [a_question(chance) for _ in range(20)]
    exact = [(await best(storage, each, *own, shared)).found for each in questions]
    await indexed(storage)
    async with PostgresStorage.open(database, max_connections=1) as afresh:  # who does not remember that none was large
        entries = dict(await rows(database, "select diary_id, entries from large_diaries where ready"))
        for question, expected in zip(questions, exact, strict=True):
            answer = await best(afresh, question, *own, shared)
            assert answer.cosine_beyond is not None
            if is_exact(rank(answer, SCORE), 5, answer, SCORE):
                assert {each.entry_id for each in answer.found} == {each.entry_id for each in expected}
            assert (await best(afresh, question, *own, shared, depth=41)).complete  # a second look is the last
            whole = attrs.evolve(question, filters=COMPARED)
            assert (await best(afresh, whole, *own, shared)).found == expected
        assert (await best(afresh, questions[0], own[0])).complete
    assert entries.keys() == {each.id for each in own}
    assert await rows(database, DIFFERENCES) == []


async def test_the_indexes_follow_what_is_written(storage: PostgresStorage, database: str) -> None:
    chance = random.Random(8)
    diary, entries = await filled(storage, database, chance)
    await indexed(storage)
    async with storage.transaction() as work:
        await work.entries.add(an_entry(diary=diary.id), an_index_of(chance))
        for entry in entries[:10]:
            assert await work.entries.replace(entry, an_index_of(chance), unless_changed_since=entry.updated_at)
        retitled = attrs.evolve(entries[10], importance=9)
        assert await work.entries.replace(retitled, None, unless_changed_since=entries[10].updated_at)
        for entry in entries[11:15]:
            assert await work.entries.remove(diary.id, entry.id)
    assert await rows(database, DIFFERENCES) == []
    async with storage.transaction() as work:
        await work.models.adopt(ModelReference(MODEL))
        await work.models.aim(ModelReference(TARGET))
    passages = (IndexedPassage(0, 0, 1, a_dense_vector(chance)),)
    async with storage.autocommit() as work:
        assert await work.models.store_passages(entries[30], ModelPassages(model=TARGET, passages=passages))
    assert await rows(database, DIFFERENCES) == []
    await execute(database, "delete from diaries")
    assert await rows(database, "select (select count(*) from large_passages) + count(*) from large_words") == [(0,)]


async def test_what_is_written_while_it_begins_is_not_lost(storage: PostgresStorage, database: str) -> None:
    chance = random.Random(9)
    diary, _ = await filled(storage, database, chance)
    async with storage.transaction() as early:
        await early.entries.add(an_entry(diary=diary.id), an_index_of(chance))
        await indexed(storage)
        assert await rows(database, "select ready from large_diaries") == [(False,)]
    await indexed(storage)
    assert await rows(database, "select ready from large_diaries") == [(True,)]
    assert await rows(database, DIFFERENCES) == []


async def test_filters_that_few_pass_are_answered_by_comparing_those(storage: PostgresStorage, database: str) -> None:
    chance = random.Random(10)
    diary, entries = await filled(storage, database, chance)
    await indexed(storage)
    await execute(database, "delete from large_words")
    led = ", ".join(f"'{each.id}'" for each in entries[:70])
    await execute(database, f"delete from large_passages where entry_id not in ({led})")
    by_index, compared = a_question(chance), a_question(chance, filters=COMPARED)
    indexed_still = {each.id for each in entries[:70]}
    assert {each.entry_id for each in (await best(storage, by_index, diary)).found} <= indexed_still
    assert not {each.entry_id for each in (await best(storage, compared, diary)).found} <= indexed_still
    await execute(database, "delete from large_passages")
    assert len((await best(storage, by_index, diary)).found) == 5


@pytest.mark.parametrize("filters", [Filters(until=NOON.replace(year=2100)), Filters(tags=("x",))])
async def test_with_filters_that_many_pass_indexes_lead_to_those(
    storage: PostgresStorage, database: str, monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    chance = random.Random(15)
    diary, entries = await filled(storage, database, chance)
    passing = {each.id for each in entries[::2]}
    these = ", ".join(f"'{each}'" for each in passing)
    await execute(database, f"update diary_entries set tags = array['x'] where id in ({these})")
    await execute(database, "update diary_entries set created_at = '2101-01-01' where tags is null")
    questions = [a_question(chance, filters=filters) for _ in range(5)]
    exact = [await best(storage, each, diary) for each in questions]
    await indexed(storage)
    await execute(database, "delete from large_words")
    monkeypatch.setattr(candidates, "FEW_PASS", 10)
    async with PostgresStorage.open(database, max_connections=1) as afresh:
        for question, expected in zip(questions, exact, strict=True):
            answer = await best(afresh, question, diary)
            assert answer.cosine_beyond is not None
            assert {each.entry_id for each in answer.found} <= passing
            assert answer.found == expected.found


async def test_the_smaller_diaries_of_an_owner_share_a_part_of_the_indexes_and_others_have_their_own(
    storage: PostgresStorage, database: str
) -> None:
    chance = random.Random(13)
    owner = await joined(storage)
    small = [(await filled(storage, database, chance, 70, owner))[0].id for _ in range(2)]
    alone = [(await filled(storage, database, chance, owner=each))[0].id for each in (owner, None)]
    await indexed(storage)
    small += [(await filled(storage, database, chance, 30, owner))[0].id]
    await indexed(storage)
    part_of = dict(await rows(database, "select diary_id, part from large_diaries where ready"))
    assert len({part_of[each] for each in small}) == 1
    assert len({part_of[each] for each in (small[0], *alone)}) == 3
    held = await rows(database, "select distinct diary_id, part from large_passages")
    assert sorted(held) == sorted(part_of.items())


async def test_walk_that_ends_among_the_passages_of_others_is_made_up_for(
    storage: PostgresStorage, database: str
) -> None:
    chance = random.Random(14)
    diary, _ = await filled(storage, database, chance)
    question = attrs.evolve(a_question(chance), words=ANY_TERMS)
    exact = await best(storage, question, diary)
    other, _ = await filled(storage, database, chance)
    await execute(database, f"insert into large_diaries select id, {ENTRIES} from diaries")
    await execute(database, "update large_diaries set part = 3")
    await indexed(storage)
    assert question.vector
    await rows(database, NEARER, other=other.id, vector=[*question.vector.numbers()])
    few = make_conninfo(database, options="-c hnsw.max_scan_tuples=50 -c enable_sort=off")
    async with PostgresStorage.open(few, max_connections=1) as stopped:
        assert (await best(stopped, question, diary)).found == exact.found


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_the_indexes_are_used(storage: PostgresStorage, database: str, mode: str, *, is_second: bool) -> None:
    chance = random.Random(11)
    diary, _ = await filled(storage, database, chance)
    await indexed(storage)
    await execute(database, "analyze")
    [(part,)] = await rows(database, "select part from large_diaries")
    names = f"'large_passages_{part}', 'large_words_{part}'"
    await execute(database, f"update pg_class set reltuples = 50000 where relname in ({names})")
    question = a_question(chance)
    async with opened_pool(database, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        await connection.execute("select set_config('plan_cache_mode', %s, false)", (mode,))
        places = {"within": [diary.id], "large": [diary.id], "others": [], "parts": [part]}
        values: Mapping[str, Any] = {**best_values(question, 40, SHORTLIST), **places}
        statement = best_large(
            question, SHORTLIST, Width.of(1, SHORTLIST.limit, is_second=is_second), beside_others=False
        )
        cursor: Any = await connection.execute("explain (format json) " + statement, values, prepare=True)
        [(answer,)] = await cursor.fetchall()
    assert {f"large_passages_{part}_nearest", f"large_words_{part}_words"} <= scans(answer[0]["Plan"])
