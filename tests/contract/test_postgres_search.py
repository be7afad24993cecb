"""Search by PostgreSQL alone: exact to the last digits it has, by the right indexes, for any lexeme there can be."""

import math
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.postgres.candidates import best_values
from moltnet.adapters.postgres.pool import opened_pool
from moltnet.adapters.postgres.ranking_statements import best
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.postgres.terms import POSITION_MAX, TERMS_MAX, dimension_of
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.indexing import DIMENSIONS, EntryIndex, Expansion, IndexedPassage, Term, Vector
from moltnet.domain.ranking import Candidate, Question
from moltnet.domain.search import LexicalQuery
from tests.support import reference_search
from tests.support.builders import MODEL, a_vector, an_entry, an_index
from tests.support.postgres import a_database, execute, rows
from tests.support.reference_search import ReferenceEntry
from tests.support.stored import opened, written
from tests.support.strategies import STORABLE

pytestmark = pytest.mark.real

# Entries of one diary after the other, so that those of one diary lie far apart.
OTHERS = """
    insert into diary_entries (
        id, diary_id, diary_visibility, created_at, updated_at, author_id, content, embedding_model, embedding, terms,
        words
    )
    select gen_random_uuid(), d.id, d.visibility, now(), now(), d.owner_id, 'Something', 'test-model',
        array_fill(1, array[384])::vector, '{1:1}/1000000000', 'ant:1'
    from generate_series(1, 100), diaries d;

    insert into entry_passages (entry_id, model, ordinal, starts_at, ends_at, embedding)
    select id, 'test-model', 1, 0, 1, embedding from diary_entries;

    insert into entry_accesses (entry_id, accesses, last_at) select id, 1, created_at from diary_entries;

    insert into diary_terms (diary_id, lexeme, holding)
    select id, 'word' || number, 1 from diaries, generate_series(1, 100) as number
"""


@pytest.fixture
async def database() -> AsyncIterator[str]:
    async with a_database() as conninfo:
        yield conninfo


@pytest.fixture
async def storage(database: str) -> AsyncIterator[PostgresStorage]:
    async with PostgresStorage.open(database, max_connections=2) as storage:
        yield storage


def by_words(*scored: str, required: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> Question:
    return Question(
        words=LexicalQuery(
            scored=frozenset(map(Term, scored)),
            required=(tuple(map(Term, required)),),
            excluded=(tuple(map(Term, excluded)),),
        )
    )


async def found(storage: PostgresStorage, question: Question, diary: Diary) -> tuple[Candidate, ...]:
    async with storage.snapshot() as work:
        return (await work.candidates.best(question, [diary.id], 10)).found


def a_dense_vector(chance: random.Random) -> Vector:
    numbers = [chance.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.hypot(*numbers)
    return Vector.of([number / length for number in numbers])


def a_dense_index(chance: random.Random) -> EntryIndex:
    words = an_index(*chance.choices(["ant", "bee", "cat", "dog", "elk"], k=chance.randint(1, 300))).index_terms
    passages = [IndexedPassage(at, at, at + 1, a_dense_vector(chance)) for at in range(chance.choice([1, 1, 3]))]
    return EntryIndex(model=MODEL, passages=tuple(passages), expansion=an_expansion(chance), index_terms=words)


def an_expansion(chance: random.Random) -> Expansion:
    pieces = chance.sample(range(1000), k=chance.randint(0, 256))
    return Expansion.of((piece, chance.uniform(0.0, 2.5)) for piece in pieces)


async def test_scores_agree_with_the_formulas(storage: PostgresStorage, diary: Diary) -> None:
    chance = random.Random(1)
    kept = [ReferenceEntry(an_entry(diary=diary.id), a_dense_index(chance)) for _ in range(40)]
    for stored in kept:
        await written(storage, stored.entry, index=stored.index)
    scored = frozenset(map(Term, ("ant", "elk", "fox")))
    question = Question(
        vector=a_dense_vector(chance),
        expansion=an_expansion(chance),
        model=MODEL,
        words=LexicalQuery(scored=scored),
    )
    async with storage.snapshot() as work:
        answer = await work.candidates.best(question, [diary.id], 40)
    reference_search.check(answer, reference_search.all_candidates(kept, question, [diary.id]), 40)


def scans(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How a plan reads tables: the kind of scan, and the index or else the table."""
    if "Index Name" in plan or "Relation Name" in plan:
        yield plan["Node Type"], plan.get("Index Name") or plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


async def planned(conninfo: str, question: Question, diary: Diary, mode: str) -> set[tuple[str, str]]:
    async with opened_pool(conninfo, max_connections=1, wait_s=5) as pool, pool.connection() as connection:
        await connection.execute("select set_config('plan_cache_mode', %s, false)", (mode,))
        cursor: psycopg.AsyncCursor[Any] = await connection.execute(
            "explain (format json) " + best(question), {**best_values(question, 10), "within": [diary.id]}, prepare=True
        )
        [(answer,)] = await cursor.fetchall()
    return set(scans(answer[0]["Plan"]))


@pytest.mark.parametrize("analyzed", [True, False])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_one_diary_is_read_by_its_own_indexes(
    storage: PostgresStorage, database: str, agent: Agent, mode: str, *, analyzed: bool
) -> None:
    diaries = [await opened(storage, agent) for _ in range(60)]
    await execute(database, OTHERS)
    await execute(database, "create index approximate on diary_entries using hnsw (embedding halfvec_cosine_ops)")
    try:
        if analyzed:
            await execute(database, "analyze")
        question = Question(vector=a_vector(1), model=MODEL, words=LexicalQuery(scored=frozenset({Term("ant")})))
        used = await planned(database, question, diaries[30], mode)
    finally:
        await execute(database, "drop index approximate")
    of_one_diary = {"diary_entries_newest", "diary_entries_diary_id_id_key"}
    assert of_one_diary & {name for _, name in used}
    assert "approximate" not in {name for _, name in used}
    assert "Seq Scan" not in {kind for kind, _ in used}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(index_terms=st.lists(st.text(STORABLE, min_size=1, max_size=12), min_size=1, max_size=5, unique=True))
async def test_any_term_is_found_and_counted(
    storage: PostgresStorage, database: str, agent: Agent, index_terms: list[str]
) -> None:
    diary = await opened(storage, agent)
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(*index_terms))
    run = tuple(index_terms)
    assert [each.entry_id for each in await found(storage, by_words(*index_terms, required=run), diary)] == [entry.id]
    assert await found(storage, by_words(*index_terms, excluded=run), diary) == ()
    counted = await rows(database, "select lexeme, holding from diary_terms where diary_id = %(id)s", id=diary.id)
    assert sorted(counted) == sorted((term, 1) for term in index_terms)


@pytest.mark.parametrize("term", ["x" * 100_000, "ж" * 3000])
async def test_a_term_too_long_for_an_index_is_found_whole(storage: PostgresStorage, diary: Diary, term: str) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("before", term, "after"))
    assert len(await found(storage, by_words(term, required=("before", term)), diary)) == 1
    assert await found(storage, by_words(term[:-1]), diary) == ()


async def test_of_too_many_terms_the_most_frequent_are_used(
    storage: PostgresStorage, database: str, diary: Diary
) -> None:
    rare = [f"rare{number:05}" for number in range(TERMS_MAX + 10)]
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index(*rare, "often", "often"))
    assert len(await found(storage, by_words("often"), diary)) == 1
    assert len(await found(storage, by_words(rare[0]), diary)) == 1
    assert await found(storage, by_words(rare[-1]), diary) == ()
    assert await rows(database, "select count(*) from diary_terms") == [(TERMS_MAX,)]
    async with storage.transaction() as work:
        assert await work.entries.remove(diary.id, entry.id)
    assert await rows(database, "select count(*) from diary_terms") == [(0,)]


async def test_positions_past_the_last_one_still_find_the_word(storage: PostgresStorage, diary: Diary) -> None:
    index_terms = {Term("early"): (1, 2, POSITION_MAX), Term("late"): (POSITION_MAX + 5, POSITION_MAX + 9)}
    index_terms[Term("everywhere")] = tuple(range(10, 2000))
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=EntryIndex(index_terms=index_terms))
    for term in index_terms:
        assert len(await found(storage, by_words(term, required=(term,)), diary)) == 1


async def test_words_that_share_a_position_are_searched_together(storage: PostgresStorage, diary: Diary) -> None:
    one, other = "word11868", "word69633"  # found by trying
    assert dimension_of(one) == dimension_of(other)
    await written(storage, an_entry(diary=diary.id), index=an_index(one, other))
    assert len(await found(storage, by_words(one, other), diary)) == 1
