"""The models a process has loaded follow what the network decides."""

import logging
from datetime import timedelta

import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.indexing import ModelReference, ModelState, ServingModelChanged
from moltnet.domain.services.models import ATTEMPTS, LOAD_AGAIN_AFTER, Models, ModelSource
from tests.support.builders import NOON
from tests.support.models import NamedEmbedder, Shelf, placed

OLD, NEW = NamedEmbedder("old"), NamedEmbedder("new", turned=9)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(OLD, NEW)


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(NOON)


@pytest.fixture
def models(storage: MemoryStorage, shelf: Shelf, clock: MemoryClock) -> Models:
    return Models(None, ModelSource(storage=storage, loader=shelf, clock=clock))


async def aim(storage: MemoryStorage, place: ModelReference) -> None:
    async with storage.autocommit() as work:
        await work.models.aim(place)


async def state(storage: MemoryStorage) -> ModelState:
    async with storage.snapshot() as work:
        return await work.models.state()


async def test_the_preferred_model_becomes_the_serving_one(storage: MemoryStorage, models: Models) -> None:
    await models.prepare()
    assert (models.serving, models.target) == (OLD, None)
    assert await state(storage) == ModelState(serving=placed(OLD))


async def test_another_process_s_choice_stands(storage: MemoryStorage, models: Models) -> None:
    await aim(storage, placed(NEW))
    await models.prepare()
    assert models.serving is NEW
    assert await state(storage) == ModelState(serving=placed(NEW))


async def test_without_any_model_nothing_serves_and_it_is_said(
    storage: MemoryStorage, clock: MemoryClock, caplog: pytest.LogCaptureFixture
) -> None:
    models = Models(None, ModelSource(storage=storage, loader=Shelf(), clock=clock))
    await models.prepare()
    assert (models.serving, await state(storage)) == (None, ModelState())
    assert "NO EMBEDDING MODEL: entries are found by their words only. the shelf is empty" in caplog.text


async def test_a_switch_is_followed_and_each_model_loaded_once(
    storage: MemoryStorage, models: Models, shelf: Shelf
) -> None:
    await models.prepare()
    await aim(storage, placed(NEW))
    await models.refresh()
    assert (models.serving, models.target) == (OLD, NEW)
    async with storage.transaction() as work:
        assert await work.models.finish_migration(placed(NEW))
    await models.refresh()
    assert (models.serving, models.target) == (NEW, None)
    assert shelf.loads == [placed(NEW)]


async def test_what_meets_a_switch_is_tried_again_with_the_new_model(storage: MemoryStorage, models: Models) -> None:
    await models.prepare()
    asked: list[str] = []

    async def act() -> str:
        assert models.serving
        asked.append(models.serving.model)
        if len(asked) == 1:
            await aim(storage, placed(NEW))
            async with storage.transaction() as work:
                await work.models.finish_migration(placed(NEW))
            raise ServingModelChanged
        return "done"

    assert await models.retry_on_model_change(act) == "done"
    assert asked == ["old", "new"]


async def test_it_is_not_tried_for_ever(models: Models) -> None:
    tries = 0

    async def act() -> None:
        nonlocal tries
        tries += 1
        raise ServingModelChanged

    with pytest.raises(ServingModelChanged):
        await models.retry_on_model_change(act)
    assert tries == ATTEMPTS


async def test_a_model_that_cannot_be_had_is_looked_for_again_after_a_while(
    storage: MemoryStorage, models: Models, shelf: Shelf, clock: MemoryClock, caplog: pytest.LogCaptureFixture
) -> None:
    await models.prepare()
    late = NamedEmbedder("late")
    await aim(storage, placed(late))
    for _ in range(3):
        await models.refresh()
    assert (models.serving, models.target, shelf.loads) == (OLD, None, [placed(late)])
    assert caplog.record_tuples == [
        (
            "moltnet.domain.services.models",
            logging.WARNING,
            "NO EMBEDDING MODEL late: entries are found by their words only. nothing is in /late",
        )
    ]
    shelf.embedders["/late"] = late
    clock.advance(LOAD_AGAIN_AFTER - timedelta(seconds=1))
    await models.refresh()
    assert models.target is None
    clock.advance(timedelta(seconds=1))
    await models.refresh()
    assert models.target is late


async def test_another_model_instead_of_the_serving_one_is_switched_to(
    storage: MemoryStorage, models: Models, shelf: Shelf, clock: MemoryClock, caplog: pytest.LogCaptureFixture
) -> None:
    await models.prepare()
    upgraded = NamedEmbedder("old, upgraded")
    shelf.embedders["/old"] = upgraded
    restarted = Models(None, ModelSource(storage=storage, loader=shelf, clock=clock))
    await restarted.prepare()
    assert await state(storage) == ModelState(serving=placed(OLD), target=ModelReference(upgraded.model, "/old"))
    assert (restarted.serving, restarted.target) == (None, upgraded)
    assert "found by its words only until then" in caplog.text


async def test_a_switch_that_goes_on_is_not_turned_aside_by_what_lies_in_the_old_column(
    storage: MemoryStorage, models: Models, shelf: Shelf, clock: MemoryClock
) -> None:
    await models.prepare()
    await aim(storage, placed(NEW))
    shelf.embedders["/old"] = NamedEmbedder("old, upgraded")
    restarted = Models(None, ModelSource(storage=storage, loader=shelf, clock=clock))
    await restarted.prepare()
    assert await state(storage) == ModelState(serving=placed(OLD), target=placed(NEW))
    assert (restarted.serving, restarted.target) == (None, NEW)


async def test_one_model_alone_follows_nothing() -> None:
    models = Models(OLD)
    await models.prepare()
    assert await models.refresh() == ModelState(serving=ModelReference(OLD.model))
    assert (models.serving, models.target) == (OLD, None)
    assert await Models(None).refresh() == ModelState()
