"""What the network's model has not embedded is embedded: during a switch, after one, and where it was missing."""

import logging
from datetime import timedelta

import attrs
import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock, MemoryRandomness, MemoryWorkers
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.indexing import EmbedderUnavailable, EntryIndex, ModelState
from moltnet.domain.search import Filters, Weights
from moltnet.domain.services.indexing import BATCH, LEASE, Indexing, ReembeddingService, Vectors
from moltnet.domain.services.models import ModelMigrationService, Models, ModelSource
from moltnet.domain.services.retrieval import Retrieval
from tests.support.builders import NOON, an_entry
from tests.support.models import NamedEmbedder, Shelf, placed
from tests.support.stored import joined, opened, written

LEXEMES = SnowballAnalyzer()
WORKERS = MemoryWorkers()


@attrs.frozen
class Bench:
    """A process of a network: its models, and the work on them."""

    storage: MemoryStorage
    clock: MemoryClock
    models: Models
    reembedding: ReembeddingService
    model_migration: ModelMigrationService

    async def write(self, *entries: Entry) -> None:
        for entry in entries:
            await written(
                self.storage,
                entry,
                index=await Indexing(models=self.models, index_terms=LEXEMES, workers=WORKERS).index(entry, Vectors()),
            )

    async def run(self, steps: int = 1000) -> int:
        """Steps until there is nothing to do, or as many as it may take; answers how many it took."""
        for taken in range(steps):
            if not await self.reembedding.run():
                return taken
        return steps

    async def best(self, diary: Diary, query: str) -> str:
        """The content of the entry found first."""
        retrieval = Retrieval(models=self.models, index_terms=LEXEMES, clock=self.clock)
        question = await retrieval.question(query, Filters())
        async with self.storage.autocommit() as work:
            ranked = await retrieval.best(work, question, [diary.id], Weights(), 1)
            return (await work.entries.find_many([ranked[0].entry_id]))[0].content


@pytest.fixture
def old() -> NamedEmbedder:
    return NamedEmbedder("old")


@pytest.fixture
def new() -> NamedEmbedder:
    return NamedEmbedder("new", turned=100)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


def process(storage: MemoryStorage, shelf: Shelf, clock: MemoryClock | None = None) -> Bench:
    clock = clock or MemoryClock(NOON)
    models = Models(None, ModelSource(storage=storage, loader=shelf, clock=clock))
    reembedding = ReembeddingService(
        storage=storage, models=models, workers=WORKERS, clock=clock, randomness=MemoryRandomness()
    )
    return Bench(storage, clock, models, reembedding, ModelMigrationService(storage=storage))


@pytest.fixture
async def bench(storage: MemoryStorage, old: NamedEmbedder, new: NamedEmbedder) -> Bench:
    bench = process(storage, Shelf(old, new))
    await bench.models.prepare()
    return bench


@pytest.fixture
async def diary(storage: MemoryStorage) -> Diary:
    return await opened(storage, await joined(storage))


def entries_in(diary: Diary, count: int) -> list[Entry]:
    return [an_entry(diary=diary.id, content=f"Heron number{number} waits") for number in range(count)]


async def test_a_switch_embeds_everything_and_then_serves(
    bench: Bench, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    entries = entries_in(diary, 2 * BATCH + 1)
    await bench.write(*entries)
    assert await bench.model_migration.use(placed(new)) == ModelState(serving=placed(old), target=placed(new))
    await bench.run(steps=1)
    assert (await bench.model_migration.progress()).done == BATCH
    assert await bench.best(diary, "number7") == entries[7].content
    assert bench.models.serving is old
    await bench.run()
    progress = await bench.model_migration.progress()
    assert (progress.complete, progress.state) == (True, ModelState(serving=placed(new)))
    assert bench.models.serving is new
    assert await bench.best(diary, "number7") == entries[7].content
    assert sorted(new.embedded) == sorted(entry.text for entry in entries)
    assert [(count.model, count.entries) for count in await bench.model_migration.counts()] == [("new", len(entries))]
    assert await bench.run() == 0


async def test_what_is_written_meanwhile_is_embedded_once_by_each(
    bench: Bench, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    await bench.write(*entries_in(diary, BATCH + 1))
    await bench.model_migration.use(placed(new))
    await bench.run(steps=1)
    late = an_entry(diary=diary.id, content="A stork came late")
    await bench.write(late)
    assert (old.embedded.count(late.text), new.embedded.count(late.text)) == (1, 1)
    await bench.run()
    assert new.embedded.count(late.text) == 1
    assert await bench.best(diary, "stork") == late.content


async def test_an_entry_that_is_edited_behind_the_work_is_embedded_again(
    bench: Bench, diary: Diary, new: NamedEmbedder
) -> None:
    entries = entries_in(diary, BATCH + 1)
    await bench.write(*entries)
    await bench.model_migration.use(placed(new))
    await bench.run(steps=1)
    edited = attrs.evolve(entries[0], content="A crane stands", updated_at=NOON + timedelta(seconds=1))
    async with bench.storage.transaction() as work:  # by a process that does not know of the switch yet
        await work.entries.replace(edited, EntryIndex(), unless_changed_since=entries[0].updated_at)
    await bench.run()
    assert (await bench.model_migration.progress()).complete
    assert new.embedded.count(edited.text) == 1


async def test_it_goes_on_where_another_process_was_killed(
    storage: MemoryStorage, bench: Bench, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    await bench.write(*entries_in(diary, 3 * BATCH))
    await bench.model_migration.use(placed(new))
    await bench.run(steps=2)
    other = process(storage, Shelf(old, new), MemoryClock(NOON))
    other.reembedding.randomness.nonce()  # so that its worker is another one
    assert await other.run() == 0  # while the first one's lease lasts
    other.clock.advance(LEASE)
    await other.run()
    assert (await other.model_migration.progress()).complete
    assert len(new.embedded) == 3 * BATCH


async def test_ending_a_switch_leaves_nothing_of_it(
    bench: Bench, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    await bench.write(*entries_in(diary, BATCH + 1))
    await bench.model_migration.use(placed(new))
    await bench.run(steps=1)
    await bench.model_migration.use(placed(old))
    await bench.run()
    assert [count.model for count in await bench.model_migration.counts()] == ["old"]
    assert (bench.models.serving, bench.models.target) == (old, None)


async def test_entries_stored_without_vectors_get_them(bench: Bench, diary: Diary, old: NamedEmbedder) -> None:
    entry = an_entry(diary=diary.id)
    await written(bench.storage, entry, index=EntryIndex())
    assert not (await bench.model_migration.progress()).complete
    await bench.run()
    assert old.embedded == [entry.text]
    assert (await bench.model_migration.progress()).complete


async def test_a_text_that_the_model_fails_on_does_not_hold_up_the_others(
    storage: MemoryStorage, diary: Diary, old: NamedEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    new = NamedEmbedder("new", unreadable="number1 ")
    bench = process(storage, Shelf(old, new))
    await bench.models.prepare()
    entries = entries_in(diary, 3)
    await bench.write(*entries)
    await bench.model_migration.use(placed(new))
    await bench.run()
    assert bench.models.serving is new
    assert (await bench.model_migration.progress()).complete
    assert await bench.best(diary, "number1") == entries[1].content
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(entries[1].id) in caplog.text


async def test_a_model_that_is_down_loses_nothing(bench: Bench, diary: Diary, new: NamedEmbedder) -> None:
    await bench.write(*entries_in(diary, 2))
    await bench.model_migration.use(placed(new))
    new.is_down = True
    with pytest.raises(EmbedderUnavailable):
        await bench.run()
    assert (await bench.model_migration.progress()).done == 0
    new.is_down = False
    await bench.run()
    assert (await bench.model_migration.progress()).complete


async def test_a_process_without_the_target_leaves_the_work_to_others(
    storage: MemoryStorage, bench: Bench, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    await bench.write(*entries_in(diary, 2))
    await bench.model_migration.use(placed(new))
    poor = process(storage, Shelf(old))
    assert await poor.run() == 0
    await bench.run()
    assert (await bench.model_migration.progress()).complete
    await poor.models.refresh()
    assert poor.models.serving is None
    assert await poor.best(diary, "number1") == "Heron number1 waits"  # by its words


async def test_a_long_batch_stops_while_the_lease_lasts(
    storage: MemoryStorage, diary: Diary, old: NamedEmbedder, new: NamedEmbedder
) -> None:
    bench = process(storage, Shelf(old, new))
    await bench.models.prepare()
    await bench.write(*entries_in(diary, BATCH))
    await bench.model_migration.use(placed(new))
    await bench.models.refresh()
    new.before = lambda: bench.clock.advance(LEASE / 4)
    await bench.run(steps=1)
    assert (await bench.model_migration.progress()).done == 2
    await bench.run()
    assert (await bench.model_migration.progress()).complete


async def test_an_entry_is_embedded_anew_as_it_is_embedded_first(
    bench: Bench, diary: Diary, new: NamedEmbedder
) -> None:
    long = " ".join(f"word{number}" for number in range(200))
    entry = an_entry(diary=diary.id, title="Of herons", content=long, occurred_at=NOON)
    await bench.write(entry)
    await bench.model_migration.use(placed(new))
    await bench.run()
    anew, new.embedded = new.embedded, []
    await Indexing(models=Models(new), index_terms=LEXEMES, workers=WORKERS).index(entry, Vectors())
    assert anew == new.embedded
    assert len(anew) > 2
    assert all(text.startswith(entry.heading) for text in anew)
