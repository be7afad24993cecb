"""What a query asks of a store, and looking further where the first candidates do not settle the answer."""

from datetime import timedelta

import pytest

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import EntryType
from moltnet.domain.indexing import EmbedderUnavailable, Term
from moltnet.domain.ranking import Question, Ranked
from moltnet.domain.search import Filters, Weights
from moltnet.domain.services.models import Models
from moltnet.domain.services.retrieval import DEPTH_GROWTH, DEPTH_PER_RESULT, Retrieval
from moltnet.ports.search import Embedder
from tests.support.builders import NOON, an_entry, an_index
from tests.support.interruptions import Calls, InterruptedStorage, failing, interrupted
from tests.support.stored import joined, opened, written

EMBEDDER = MemoryEmbedder()
FILTERS = Filters(tags=("x",), entry_types=frozenset({EntryType.SOUL}))
IMPORTANCE = Weights(relevance=0.1, importance=1.0)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def storage(calls: Calls) -> InterruptedStorage:
    return InterruptedStorage(MemoryStorage(), calls)


@pytest.fixture
async def diary(storage: InterruptedStorage) -> Diary:
    return await opened(storage, await joined(storage))


def retrieval(embedder: Embedder | None) -> Retrieval:
    return Retrieval(models=Models(embedder), index_terms=SnowballAnalyzer(), clock=MemoryClock(NOON))


async def best(storage: InterruptedStorage, diary: Diary, query: str, weights: Weights, limit: int) -> list[Ranked]:
    question = await retrieval(None).question(query, Filters())
    async with storage.autocommit() as work:
        return await retrieval(None).best(work, question, [diary.id], weights, limit)


# What is asked


async def test_a_query_is_asked_by_vector_and_words() -> None:
    question = await retrieval(EMBEDDER).question('herons "in the fog" -storks', FILTERS)
    assert question.vector == await EMBEDDER.embed_query("herons in the fog")  # what is excluded attracts nothing
    assert question.model == EMBEDDER.model
    assert question.words.scored == {Term("heron"), Term("fog")}
    assert question.words.excluded == ((Term("stork"),),)
    assert question.filters == FILTERS


async def test_without_a_model_words_are_asked_for_alone() -> None:
    question = await retrieval(None).question("herons", FILTERS)
    assert (question.vector, question.model) == (None, None)
    assert {Term("heron")} <= question.words.terms


async def test_a_failing_model_leaves_the_words(calls: Calls) -> None:
    embedder = interrupted("Embedder", EMBEDDER, calls)
    calls.before("Embedder.embed_query", [failing(EmbedderUnavailable())])
    question = await retrieval(embedder).question("herons", FILTERS)
    assert (question.vector, question.model) == (None, None)
    assert {Term("heron")} <= question.words.terms


async def test_exclusions_alone_are_not_embedded(calls: Calls) -> None:
    question = await retrieval(interrupted("Embedder", EMBEDDER, calls)).question("-storks", FILTERS)
    assert (question.vector, question.model, question.words.scored) == (None, None, frozenset())
    assert calls.log == []


# How far is looked


async def test_one_round_settles_what_is_clear(storage: InterruptedStorage, diary: Diary, calls: Calls) -> None:
    entries = [an_entry(diary=diary.id) for _ in range(3)]
    await written(storage, *entries, index=an_index("heron"))
    ranked = await best(storage, diary, "heron", Weights(), 2)
    assert [each.entry_id for each in ranked] == [entries[2].id, entries[1].id]  # equally good: newest first
    assert calls.log.count("candidates.best") == 1


async def test_more_is_fetched_until_the_answer_is_the_true_one(
    storage: InterruptedStorage, diary: Diary, calls: Calls
) -> None:
    # The most important entry is the worst by words, so no first candidate; only a deeper look finds it.
    crowd = [an_entry(diary=diary.id, importance=1) for _ in range(DEPTH_PER_RESULT * DEPTH_GROWTH - 1)]
    important = an_entry(diary=diary.id, importance=10)
    await written(storage, *crowd, index=an_index("heron"))
    await written(storage, important, index=an_index("heron", *["hay"] * 50))
    ranked = await best(storage, diary, "heron", IMPORTANCE, 1)
    assert [each.entry_id for each in ranked] == [important.id]
    assert calls.log.count("candidates.best") == 2


async def test_looking_ends_when_there_is_no_more(storage: InterruptedStorage, diary: Diary, calls: Calls) -> None:
    entries = [an_entry(diary=diary.id, importance=5) for _ in range(DEPTH_PER_RESULT * DEPTH_GROWTH + 1)]
    await written(storage, *entries, index=an_index("heron"))
    ranked = await best(storage, diary, "heron", IMPORTANCE, 1)
    assert [each.entry_id for each in ranked] == [entries[-1].id]
    assert calls.log.count("candidates.best") == 3


async def test_no_answer_is_longer_than_asked(storage: InterruptedStorage, diary: Diary) -> None:
    await written(storage, *(an_entry(diary=diary.id) for _ in range(5)), index=an_index("heron"))
    assert len(await best(storage, diary, "heron", Weights(), 3)) == 3
    assert len(await best(storage, diary, "heron", Weights(), 9)) == 5
    assert await best(storage, diary, "thimble", Weights(), 9) == []


async def test_nothing_is_looked_for_in_no_diary(storage: InterruptedStorage, diary: Diary) -> None:
    await written(storage, an_entry(diary=diary.id), index=an_index("heron"))
    question = await retrieval(None).question("heron", Filters())
    async with storage.autocommit() as work:
        assert await retrieval(None).best(work, question, [], Weights(), 9) == []


# What is best


@pytest.mark.parametrize(
    ("weights", "first"),
    [
        (Weights(), "relevant"),
        (Weights(relevance=0, importance=1), "important"),
        (Weights(relevance=0, recency=1), "recent"),
    ],
)
async def test_weights_decide_what_counts(
    storage: InterruptedStorage, diary: Diary, weights: Weights, first: str
) -> None:
    day_ago, long_ago = NOON - timedelta(days=1), NOON - timedelta(days=30)
    entries = {
        "relevant": an_entry(diary=diary.id, at=long_ago, importance=1),
        "important": an_entry(diary=diary.id, at=long_ago, importance=9),
        "recent": an_entry(diary=diary.id, at=day_ago, importance=1),
    }
    await written(storage, entries["relevant"], index=an_index("heron", "heron"))
    await written(storage, entries["important"], entries["recent"], index=an_index("heron", *["hay"] * 9))
    ranked = await best(storage, diary, "heron", weights, 3)
    assert ranked[0].entry_id == entries[first].id
    assert len(ranked) == 3


async def test_the_models_own_weight_of_words_counts(storage: InterruptedStorage, diary: Diary) -> None:
    embedder = MemoryEmbedder()
    vector = await embedder.embed_query("heron")
    by_both, by_vector = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, by_both, index=an_index("heron", vectors=(vector,), model=embedder.model))
    await written(storage, by_vector, index=an_index("pin", vectors=(vector,), model=embedder.model))
    finder = retrieval(embedder)
    question: Question = await finder.question("heron", Filters())
    async with storage.autocommit() as work:
        ranked = await finder.best(work, question, [diary.id], Weights(), 2)
    assert [each.entry_id for each in ranked] == [by_both.id, by_vector.id]
    assert ranked[1].score == pytest.approx(1 / (1 + embedder.words_weight + embedder.expansion_weight))
