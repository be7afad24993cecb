"""The port `ModelVectors`: which model serves, and the switch that nobody notices."""

import asyncio
from datetime import timedelta
from uuid import UUID

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import (
    DIMENSIONS,
    EntryIndex,
    Expansion,
    IndexedPassage,
    ModelCount,
    ModelName,
    ModelPassages,
    ModelReference,
    ModelState,
    ServingModelChanged,
    Span,
    Vector,
)
from moltnet.domain.ranking import Question
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry
from tests.support.stored import opened, written

OLD, NEW, OTHER = (ModelReference(ModelName(name), f"/models/{name}") for name in ("old", "new", "other"))
ONE, TWO = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)


def along(axis: int) -> Vector:
    return Vector.of([float(at == axis) for at in range(DIMENSIONS)])


def made(place: ModelReference, *axes: int) -> ModelPassages:
    return ModelPassages(
        model=place.name,
        passages=tuple(IndexedPassage(at, at * 10, at * 10 + 20, along(axis)) for at, axis in enumerate(axes)),
        expansion=Expansion(dict.fromkeys(axes, 1.0)),
    )


def index_of(own: ModelPassages, upcoming: ModelPassages | None = None) -> EntryIndex:
    return EntryIndex(model=own.model, passages=own.passages, expansion=own.expansion, upcoming=upcoming)


async def adopted(storage: Storage, place: ModelReference = OLD) -> ModelState:
    async with storage.autocommit() as work:
        return await work.models.adopt(place)


async def aimed(storage: Storage, place: ModelReference = NEW) -> ModelState:
    async with storage.autocommit() as work:
        return await work.models.aim(place)


async def switched(storage: Storage, place: ModelReference = NEW) -> bool:
    async with storage.transaction() as work:
        return await work.models.finish_migration(place)


async def kept(storage: Storage, entry: Entry, passages: ModelPassages) -> bool:
    async with storage.autocommit() as work:
        return await work.models.store_passages(entry, passages)


async def settled(storage: Storage, limit: int = 100) -> int:
    async with storage.autocommit() as work:
        return await work.models.complete(limit)


async def lacking(storage: Storage, after: EntryId | None = None, limit: int = 100) -> list[EntryId]:
    async with storage.snapshot() as work:
        return [entry.id for entry in await work.models.lacking(after, limit)]


async def unserved(storage: Storage, limit: int = 100) -> list[EntryId]:
    async with storage.snapshot() as work:
        return sorted(entry.id for entry in await work.models.unserved(limit))


async def further(storage: Storage, entry: Entry) -> dict[ModelName, tuple[IndexedPassage, ...]]:
    async with storage.snapshot() as work:
        return {each.model: each.passages for each in await work.models.further_passages(entry)}


async def counted(storage: Storage) -> list[ModelCount]:
    async with storage.autocommit() as work:
        return list(await work.models.counts())


async def progress(storage: Storage) -> tuple[int, int, bool]:
    async with storage.snapshot() as work:
        seen = await work.models.progress()
    return seen.done, seen.total, seen.complete


async def nearness(storage: Storage, diary: Diary, place: ModelReference, vector: Vector) -> dict[EntryId, float]:
    """The cosines of a vector along an axis; what is called up goes where the vectors go, and says the same."""
    expansion = Expansion({axis: 1.0 for axis, number in enumerate(vector.numbers()) if number > 0})
    question = Question(vector=vector, expansion=expansion, model=place.name)
    async with storage.snapshot() as work:
        answer = await work.candidates.best(question, [diary.id], 100)
    assert all(each.expansion == pytest.approx(max(each.cosine or 0, 0)) for each in answer.found)
    return {each.entry_id: round(each.cosine, 6) for each in answer.found if each.cosine is not None}


@pytest.fixture
def entry(diary: Diary) -> Entry:
    return an_entry(diary=diary.id)


# Which model serves


async def test_nothing_serves_at_first_and_any_model_goes(storage: Storage, diary: Diary, entry: Entry) -> None:
    async with storage.snapshot() as work:
        assert await work.models.state() == ModelState()
    await written(storage, entry, index=index_of(made(OLD, 1)))
    assert await nearness(storage, diary, OLD, along(1)) == {entry.id: 1}
    assert await progress(storage) == (0, 1, False)


async def test_the_first_model_stays_when_others_come(storage: Storage) -> None:
    both = await asyncio.gather(adopted(storage, OLD), adopted(storage, OLD))
    assert both == [ModelState(serving=OLD)] * 2
    assert await adopted(storage, NEW) == ModelState(serving=OLD)


async def test_another_model_is_a_target_until_the_serving_one_is_named(storage: Storage) -> None:
    assert await aimed(storage, OLD) == ModelState(serving=OLD)
    assert await aimed(storage, NEW) == ModelState(serving=OLD, target=NEW)
    assert await aimed(storage, OTHER) == ModelState(serving=OLD, target=OTHER)
    moved = attrs.evolve(OLD, directory=None)
    assert await aimed(storage, moved) == ModelState(serving=moved)


async def test_what_is_asked_or_written_by_another_model_is_refused(
    storage: Storage, diary: Diary, entry: Entry
) -> None:
    await adopted(storage)
    with pytest.raises(ServingModelChanged):
        await nearness(storage, diary, NEW, along(1))
    with pytest.raises(ServingModelChanged):
        await written(storage, entry, index=index_of(made(NEW, 1)))
    await written(storage, entry, index=index_of(made(OLD, 1)))
    with pytest.raises(ServingModelChanged):
        async with storage.transaction() as work:
            await work.entries.replace(entry, index_of(made(NEW, 1)), unless_changed_since=entry.updated_at)
    async with storage.snapshot() as work:
        assert await work.entries.find(diary.id, entry.id) == entry


async def test_words_alone_are_never_refused(storage: Storage, entry: Entry) -> None:
    await adopted(storage)
    await written(storage, entry, index=EntryIndex())
    async with storage.snapshot() as work:
        assert (await work.candidates.best(Question(), [entry.diary_id], 10)).found == ()


# What is lacking


async def test_entries_lack_the_target_until_they_have_its_vectors(storage: Storage, diary: Diary) -> None:
    entries = [an_entry(diary=diary.id) for _ in range(4)]
    await written(storage, *entries, index=index_of(made(OLD, 1, 2)))
    await adopted(storage)
    assert await lacking(storage) == []  # there is no target
    await aimed(storage)
    ids = [entry.id for entry in entries]
    assert await lacking(storage) == ids
    assert await lacking(storage, after=ids[1]) == ids[2:]
    assert await lacking(storage, limit=3) == ids[:3]
    assert await progress(storage) == (0, 4, False)
    assert await kept(storage, entries[1], made(NEW, 3, 4))
    assert await kept(storage, entries[2], made(NEW))  # a text without a token is done, too
    assert await lacking(storage) == [ids[0], ids[3]]
    assert await progress(storage) == (2, 4, False)
    assert await counted(storage) == [ModelCount(NEW.name, 2, 2), ModelCount(OLD.name, 4, 8)]


async def test_entries_without_vectors_and_of_another_model_are_unserved(storage: Storage, diary: Diary) -> None:
    indexes = (EntryIndex(), index_of(made(NEW, 1)), index_of(made(OTHER, 1, 2)), index_of(made(OLD, 1)))
    entries = [an_entry(diary=diary.id) for _ in indexes]
    for each, index in zip(entries, indexes, strict=True):
        await written(storage, each, index=index)
    assert await unserved(storage) == []  # by nothing
    await adopted(storage)
    ids = [entry.id for entry in entries]
    assert await unserved(storage) == ids[:3]
    assert len(await unserved(storage, limit=2)) == 2
    assert (await counted(storage))[0] == ModelCount(None, 1, 0)
    for each in entries[:3]:
        assert await kept(storage, each, made(OLD, 5))
    assert await unserved(storage) == []
    assert await progress(storage) == (4, 4, True)
    assert await nearness(storage, diary, OLD, along(5)) == {ids[0]: 1, ids[1]: 1, ids[2]: 1, ids[3]: 0}
    assert await settled(storage) == 3
    assert await nearness(storage, diary, OLD, along(5)) == {ids[0]: 1, ids[1]: 1, ids[2]: 1, ids[3]: 0}
    assert await counted(storage) == [ModelCount(OLD.name, 4, 4)]


async def test_vectors_of_an_older_text_are_not_stored(storage: Storage, entry: Entry) -> None:
    await written(storage, entry, index=index_of(made(OLD, 1)))
    await adopted(storage)
    await aimed(storage)
    edited = attrs.evolve(entry, content="Another text", updated_at=entry.updated_at + SECOND)
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, index_of(made(OLD, 2)), unless_changed_since=entry.updated_at)
    assert not await kept(storage, entry, made(NEW, 3))
    assert not await kept(storage, an_entry(diary=entry.diary_id), made(NEW, 3))
    assert await lacking(storage) == [entry.id]
    assert await kept(storage, edited, made(NEW, 3))
    assert await kept(storage, edited, made(NEW, 3))  # a repeated step


async def test_the_vectors_of_an_entry_are_reported_but_for_its_beginning(storage: Storage, entry: Entry) -> None:
    await adopted(storage)
    await aimed(storage)
    own, upcoming = made(OLD, 1, 2, 3), made(NEW, 4, 5)
    await written(storage, entry, index=index_of(own, upcoming))
    assert await further(storage, entry) == {OLD.name: own.passages[1:], NEW.name: upcoming.passages[1:]}
    assert await switched(storage)
    await settled(storage)
    assert await further(storage, entry) == {NEW.name: upcoming.passages[1:]}


async def test_the_vectors_of_another_version_are_not_reported(storage: Storage, entry: Entry) -> None:
    assert await further(storage, entry) == {}
    await written(storage, entry, index=index_of(made(OLD, 1, 2)))
    edited = attrs.evolve(entry, content="edited", updated_at=entry.updated_at + SECOND)
    async with storage.transaction() as work:
        assert await work.entries.replace(edited, index_of(made(OLD, 3, 4)), unless_changed_since=entry.updated_at)
    assert await further(storage, entry) == {}
    assert await further(storage, edited) == {OLD.name: made(OLD, 3, 4).passages[1:]}


async def test_an_edit_takes_the_target_s_vectors_away_or_brings_new_ones(storage: Storage, entry: Entry) -> None:
    await written(storage, entry, index=index_of(made(OLD, 1), made(NEW, 1, 2, 3)))
    await adopted(storage)
    await aimed(storage)
    assert await lacking(storage) == []
    versions = [attrs.evolve(entry, updated_at=entry.updated_at + count * SECOND) for count in range(3)]
    indexes = (index_of(made(OLD, 2), made(NEW, 4)), index_of(made(OLD, 3)))
    left = []
    for before, after, index in zip(versions, versions[1:], indexes, strict=False):
        async with storage.transaction() as work:
            assert await work.entries.replace(after, index, unless_changed_since=before.updated_at)
        left.append((await lacking(storage), await counted(storage)))
    assert left == [
        ([], [ModelCount(NEW.name, 1, 1), ModelCount(OLD.name, 1, 1)]),
        ([entry.id], [ModelCount(OLD.name, 1, 1)]),
    ]


# The switch


async def test_the_old_model_answers_until_every_entry_has_vectors_of_the_new(storage: Storage, diary: Diary) -> None:
    entries = [an_entry(diary=diary.id) for _ in range(3)]
    for axis, each in enumerate(entries):
        await written(storage, each, index=index_of(made(OLD, axis, 7)))
    await adopted(storage)
    await aimed(storage)
    before = await nearness(storage, diary, OLD, along(7))
    for each in entries[:2]:
        assert await kept(storage, each, made(NEW, 8, 9))
    assert not await switched(storage)
    assert await nearness(storage, diary, OLD, along(7)) == before
    assert await nearness(storage, diary, OLD, along(9)) == dict.fromkeys(before, 0.0)
    assert await kept(storage, entries[2], made(NEW, 9))
    assert not await switched(storage, OTHER)
    assert await switched(storage)
    async with storage.snapshot() as work:
        assert await work.models.state() == ModelState(serving=NEW)
    assert await nearness(storage, diary, NEW, along(9)) == dict.fromkeys(before, 1.0)
    with pytest.raises(ServingModelChanged):
        await nearness(storage, diary, OLD, along(7))


async def test_settling_changes_nothing_that_is_found(storage: Storage, diary: Diary) -> None:
    entries = [an_entry(diary=diary.id) for _ in range(5)]
    await written(storage, *entries, index=index_of(made(OLD, 1, 2, 3)))
    await adopted(storage)
    await aimed(storage)
    for each, passages in zip(entries, (made(NEW, 4, 5), made(NEW, 5), made(NEW)), strict=False):
        assert await kept(storage, each, passages)
    assert await settled(storage) == 0  # not before it is over
    for each in entries[3:]:
        assert await kept(storage, each, made(NEW, 6, 7, 5))
    assert await switched(storage)
    found = await nearness(storage, diary, NEW, along(5))
    assert found == {each.id: 1 for each in entries if each is not entries[2]}
    sizes = []
    while size := await settled(storage, limit=2):
        sizes.append(size)
        assert await nearness(storage, diary, NEW, along(5)) == found
    assert sizes == [2, 2, 1]
    assert await counted(storage) == [ModelCount(NEW.name, 5, 9)]
    assert await unserved(storage) == []


async def test_what_a_switch_that_was_ended_has_left_goes(storage: Storage, diary: Diary, entry: Entry) -> None:
    await written(storage, entry, index=index_of(made(OLD, 1, 2)))
    await adopted(storage)
    await aimed(storage)
    assert await kept(storage, entry, made(NEW, 3, 4, 5))
    await aimed(storage, OLD)
    assert await settled(storage) == 1
    assert await counted(storage) == [ModelCount(OLD.name, 1, 2)]
    assert await nearness(storage, diary, OLD, along(2)) == {entry.id: 1}


async def test_a_network_can_switch_back(storage: Storage, diary: Diary, entry: Entry) -> None:
    await written(storage, entry, index=index_of(made(OLD, 1, 2)))
    await adopted(storage)
    for place, axis in ((NEW, 3), (OLD, 2)):
        await aimed(storage, place)
        if await lacking(storage):
            assert await kept(storage, entry, made(place, axis))
        assert await switched(storage, place)
        assert await nearness(storage, diary, place, along(axis)) == {entry.id: 1}
    while await settled(storage):
        pass
    assert await nearness(storage, diary, OLD, along(2)) == {entry.id: 1}


async def test_no_entry_slips_through_a_switch(storage: Storage, diary: Diary) -> None:
    """Writers and the switch at once: an entry that was stored has vectors of whatever serves then, or is lacking."""
    await adopted(storage)
    await aimed(storage)
    outcomes = await asyncio.gather(
        *(written(storage, an_entry(diary=diary.id), index=index_of(made(OLD, 1), made(NEW, 2))) for _ in range(10)),
        switched(storage),
        *(written(storage, an_entry(diary=diary.id), index=index_of(made(OLD, 1), made(NEW, 2))) for _ in range(10)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {type(outcome) for outcome in refused} <= {ServingModelChanged}
    assert await unserved(storage) == []
    async with storage.snapshot() as work:
        serving = (await work.models.state()).serving
    assert serving == NEW
    assert len(await nearness(storage, diary, NEW, along(2))) == 20 - len(refused)


# One at a time


async def test_one_worker_embeds_at_a_time(storage: Storage) -> None:
    await adopted(storage)

    async def leased(worker: UUID, at: float) -> bool:
        async with storage.autocommit() as work:
            return await work.models.lease(worker, NOON + at * SECOND, NOON + (at + 10) * SECOND)

    assert sorted(await asyncio.gather(leased(ONE, 0), leased(TWO, 0))) == [False, True]
    holder, other = (ONE, TWO) if await leased(ONE, 1) else (TWO, ONE)
    assert await leased(holder, 2)
    assert not await leased(other, 11)
    assert await leased(other, 12.5)
    assert not await leased(holder, 13)


# Other looks with a vector


async def test_what_a_switch_has_not_written_anew_is_found_by_every_look(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=index_of(made(OLD, 1, 2)))
    await adopted(storage)
    await aimed(storage)
    assert await kept(storage, entry, made(NEW, 3, 4))
    for place, axes, complete in ((OLD, (1, 2), False), (NEW, (3, 4), False), (NEW, (3, 4), True)):
        if complete:
            assert await settled(storage) == 1
        first, second = map(along, axes)
        async with storage.snapshot() as work:
            assert [each.entry_id for each in await work.candidates.similar(first, place.name, diary.id)] == [entry.id]
            assert await work.candidates.similar(second, place.name, diary.id) == []
            assert await work.candidates.nearest_passages(second, place.name, [entry.id]) == {entry.id: Span(10, 30)}
            assert await work.candidates.nearest_passages(first, place.name, [entry.id]) == {entry.id: Span(0, 20)}
            question = Question(vector=second, model=place.name)
            (found,) = (await work.candidates.best_public(question, 9)).found
        assert found.cosine == 1
        if place is OLD:
            assert await switched(storage)


async def test_no_look_with_a_vector_is_answered_for_a_model_that_serves_no_longer(
    storage: Storage, diary: Diary, entry: Entry
) -> None:
    await written(storage, entry, index=index_of(made(OLD, 1)))
    await adopted(storage, NEW)
    async with storage.autocommit() as work:
        for look in (
            work.candidates.similar(along(1), OLD.name, diary.id),
            work.candidates.nearest_passages(along(1), OLD.name, [entry.id]),
            work.candidates.best_public(Question(vector=along(1), model=OLD.name), 9),
        ):
            with pytest.raises(ServingModelChanged):
                await look
