"""The port `CandidateSearch` after random histories, against a model that takes every definition literally."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import EntryType
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import EntryIndex
from moltnet.domain.ranking import Question
from moltnet.ports.storage import Storage, UnitOfWork
from tests.support import reference_search
from tests.support.builders import NOON, an_entry
from tests.support.reference_search import ReferenceEntry
from tests.support.stored import joined, opened
from tests.support.strategies import indexes, questions

DIARIES = 2
TAGS = (None, (), ("x",), ("y", "x"))


@attrs.frozen
class Write:
    """An entry is written into one of the diaries."""

    diary: int
    index: EntryIndex
    tags: int
    entry_type: EntryType
    occurred_at: datetime | None


@attrs.frozen
class Edit:
    """One of the entries is found by something else from now on."""

    entry: int
    index: EntryIndex


@attrs.frozen
class Remove:
    """One of the entries is removed."""

    entry: int


Step = Write | Edit | Remove
PLACES = st.integers(0, 20)
TYPES = st.sampled_from([EntryType.SEMANTIC, EntryType.SOUL])
TIMES = st.none() | st.integers(-30, 30).map(lambda seconds: NOON + timedelta(seconds=seconds))
WRITES = st.builds(Write, st.integers(0, DIARIES - 1), indexes(), st.integers(0, 3), TYPES, TIMES)
HISTORIES = st.lists(WRITES | WRITES | st.builds(Edit, PLACES, indexes()) | st.builds(Remove, PLACES), max_size=20)


async def take(work: UnitOfWork, step: Step, kept: dict[EntryId, ReferenceEntry], diaries: list[Diary]) -> None:
    """Takes a step in the store and in the model."""
    if isinstance(step, Write):
        entry = an_entry(
            diary=diaries[step.diary].id,
            tags=TAGS[step.tags],
            entry_type=step.entry_type,
            occurred_at=step.occurred_at,
            at=NOON,
        )
        await work.entries.add(entry, step.index)
        kept[entry.id] = ReferenceEntry(entry, step.index)
    elif kept:
        stored = list(kept.values())[step.entry % len(kept)]
        if isinstance(step, Edit):
            assert await work.entries.replace(stored.entry, step.index, unless_changed_since=stored.entry.updated_at)
            kept[stored.entry.id] = ReferenceEntry(stored.entry, step.index)
        else:
            assert await work.entries.remove(stored.entry.diary_id, stored.entry.id)
            del kept[stored.entry.id]


async def told(storage: Storage, history: list[Step]) -> tuple[list[DiaryId], Mapping[EntryId, ReferenceEntry]]:
    """The diaries after a history, and the model's idea of it."""
    owner = await joined(storage)
    diaries = [await opened(storage, owner) for _ in range(DIARIES)]
    kept: dict[EntryId, ReferenceEntry] = {}
    async with storage.transaction() as work:
        for step in history:
            await take(work, step, kept, diaries)
    return [diary.id for diary in diaries], kept


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, st.lists(questions(), min_size=1, max_size=4), st.integers(1, 6), st.integers(1, DIARIES))
async def test_the_best_of_each_side_are_those_of_the_model(
    storage: Storage, history: list[Step], asked: list[Question], depth: int, count: int
) -> None:
    diaries, kept = await told(storage, history)
    within = diaries[:count]
    async with storage.snapshot() as work:
        for question in asked:
            answer = await work.candidates.best(question, within, depth)
            reference_search.check(answer, reference_search.all_candidates(kept.values(), question, within), depth)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, questions())
async def test_what_is_excluded_never_matches(storage: Storage, history: list[Step], question: Question) -> None:
    diaries, kept = await told(storage, history)
    async with storage.snapshot() as work:
        answer = await work.candidates.best(question, diaries, 100)
    for candidate in answer.found:
        text = " ".join(reference_search.text_of(kept[candidate.entry_id].index))
        assert not any(f" {' '.join(run)} " in f" {text} " for run in question.words.excluded)
        assert all(f" {' '.join(run)} " in f" {text} " for run in question.words.required)
    assert answer.complete
