"""Texts of an earlier analysis are analysed again, and found by what the new one finds."""

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.ranking import Question
from moltnet.domain.search import Query
from moltnet.domain.services.indexing import REINDEXED_AT_ONCE, ReindexingService
from moltnet.ports.search import TextAnalyzer
from tests.support.builders import an_entry, an_index
from tests.support.stored import joined, opened, written

ANALYZER: TextAnalyzer = SnowballAnalyzer()


async def test_all_texts_are_analysed_again_some_at_a_time() -> None:
    storage = MemoryStorage()
    diary = await opened(storage, await joined(storage))
    entries = [an_entry(diary=diary.id, content="getUserById") for _ in range(REINDEXED_AT_ONCE + 1)]
    await written(storage, *entries, index=an_index("getuserbyid"))
    reindexing = ReindexingService(storage=storage, index_terms=ANALYZER, workers=MemoryWorkers())
    assert [await reindexing.run() for _ in range(3)] == [True, True, False]
    query = ANALYZER.of_query(Query.parse("user"))
    async with storage.snapshot() as work:
        question = Question(words=query)
        found = await work.candidates.best(question, [diary.id], 100)
    assert {each.entry_id for each in found.found} == {each.id for each in entries}
