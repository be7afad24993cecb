"""Diaries and entries after random histories, against a model made of two dictionaries."""

from datetime import timedelta

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import Filters
from moltnet.ports.storage import Storage, UnitOfWork
from tests.support.builders import NOON, a_diary, an_entry, an_index
from tests.support.reference_search import passes
from tests.support.stored import joined
from tests.support.strategies import filters

KINDS = ("open", "write", "write", "write", "edit", "supersede", "look", "publish", "remove entry", "remove diary")
PLACES = st.integers(0, 30)
STEPS = st.tuples(st.sampled_from(KINDS), PLACES, PLACES)


class Undone(Exception):
    """What makes a transaction fail on purpose."""


@attrs.define
class Model:
    """What should be stored."""

    owner: Agent
    diaries: dict[DiaryId, Diary] = attrs.field(factory=dict)
    entries: dict[EntryId, Entry] = attrs.field(factory=dict)
    seconds: int = 0

    def copy(self) -> "Model":
        """The same, to be thrown away when a transaction fails."""
        return attrs.evolve(self, diaries=dict(self.diaries), entries=dict(self.entries))

    def forget(self, entry_id: EntryId) -> None:
        """Removes an entry, and every mention of it."""
        del self.entries[entry_id]
        for other in self.entries.values():
            if other.superseded_by == entry_id:
                self.entries[other.id] = attrs.evolve(other, superseded_by=None)

    def newest(self, within: set[DiaryId], asked: Filters) -> list[Entry]:
        """What a list shows."""
        shown = (each for each in self.entries.values() if each.diary_id in within and passes(each, asked))
        return sorted(shown, key=lambda each: (each.created_at, each.id), reverse=True)


async def take(work: UnitOfWork, model: Model, step: tuple[str, int, int]) -> None:
    """Takes a step in the store and in the model; a step without anything to take it on is none."""
    kind, first, second = step
    model.seconds += 1
    if kind == "open":
        diary = a_diary(owner=model.owner.id, at=NOON + timedelta(seconds=first))
        await work.diaries.add(diary)
        model.diaries[diary.id] = diary
    elif kind in {"write", "publish", "remove diary"} and model.diaries:
        await take_on_diary(work, model, kind, list(model.diaries.values())[first % len(model.diaries)])
    elif kind in {"edit", "supersede", "look", "remove entry"} and model.entries:
        stored = list(model.entries.values())
        await take_on_entry(work, model, kind, stored[first % len(stored)], stored[second % len(stored)])


async def take_on_diary(work: UnitOfWork, model: Model, kind: str, diary: Diary) -> None:
    if kind == "write":
        tags = (None, ("x",), ("y", "x"))[model.seconds % 3]
        entry = an_entry(diary=diary.id, tags=tags, at=NOON + timedelta(seconds=model.seconds % 5))
        await work.entries.add(entry, an_index("word"))
        model.entries[entry.id] = entry
    elif kind == "publish":
        edit = DiaryEdit(visibility=Visibility.PUBLIC)
        model.diaries[diary.id] = edit.applied_to(diary, NOON + timedelta(seconds=model.seconds))
        assert await work.diaries.replace(model.diaries[diary.id], unless_changed_since=diary.updated_at)
    else:
        assert await work.diaries.remove(diary.id)
        assert not await work.diaries.remove(diary.id)
        del model.diaries[diary.id]
        model.entries = {key: entry for key, entry in model.entries.items() if entry.diary_id != diary.id}


async def take_on_entry(work: UnitOfWork, model: Model, kind: str, entry: Entry, other: Entry) -> None:
    at = NOON + timedelta(seconds=model.seconds)
    if kind == "look":
        await work.entries.record_views({entry.id: 1}, at)
        accessed_at = max(at, entry.last_accessed_at or at)
        model.entries[entry.id] = attrs.evolve(entry, access_count=entry.access_count + 1, last_accessed_at=accessed_at)
    elif kind == "remove entry":
        assert await work.entries.remove(entry.diary_id, entry.id)
        model.forget(entry.id)
    else:
        successor = other.id if kind == "supersede" and _may_succeed(other, entry) else None
        edited = attrs.evolve(entry, content=f"Edit {at}", superseded_by=successor, updated_at=at)
        stale = entry.updated_at - timedelta(seconds=1)
        assert not await work.entries.replace(edited, None, unless_changed_since=stale)
        assert await work.entries.replace(edited, None, unless_changed_since=entry.updated_at)
        model.entries[entry.id] = edited


def _may_succeed(other: Entry, entry: Entry) -> bool:
    return other.id != entry.id and other.diary_id == entry.diary_id


async def compare(work: UnitOfWork, model: Model, asked: Filters) -> None:
    """Asserts that a unit of work sees what the model holds."""
    newest_first = sorted(model.diaries.values(), key=lambda each: (each.created_at, each.id), reverse=True)
    assert await work.diaries.owned_by(model.owner.id) == newest_first
    for within in ({diary_id} for diary_id in model.diaries):
        expected = model.newest(within, asked)
        assert await work.entries.newest(within, asked, Page(100)) == (expected, len(expected))
    expected = model.newest(set(model.diaries), asked)
    assert await work.entries.newest(model.diaries, asked, Page(2, 1)) == (expected[1:3], len(expected))
    public = {diary.id for diary in model.diaries.values() if diary.visibility is Visibility.PUBLIC}
    mine = [each.entry for each in await work.entries.public_page(None, None, 1000, flagged=True)]
    assert [each for each in mine if each.id in model.entries] == model.newest(public, Filters())


async def transaction(storage: Storage, model: Model, steps: list[tuple[str, int, int]], *, fails: bool) -> Model:
    """The model after a transaction of these steps, which is undone if it fails."""
    tried = model.copy()

    async def attempt() -> None:
        async with storage.transaction() as work:
            for step in steps:
                await take(work, tried, step)
            await compare(work, tried, Filters())
            if fails:
                raise Undone

    if not fails:
        await attempt()
        return tried
    with pytest.raises(Undone):
        await attempt()
    return model


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(st.tuples(st.lists(STEPS, min_size=1, max_size=12), st.booleans()), max_size=5), asked=filters()
)
async def test_the_store_holds_what_the_model_holds(
    storage: Storage, history: list[tuple[list[tuple[str, int, int]], bool]], asked: Filters
) -> None:
    model = Model(await joined(storage))
    for steps, fails in [([("open", 0, 0), ("open", 1, 0)], False), *history]:
        model = await transaction(storage, model, steps, fails=fails)
        async with storage.autocommit() as work:
            await compare(work, model, asked)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=10))
async def test_each_single_write_counts_at_once(storage: Storage, steps: list[tuple[str, int, int]]) -> None:
    model = Model(await joined(storage))
    async with storage.autocommit() as work:
        for step in [("open", 0, 0), *steps]:
            await take(work, model, step)
            await compare(work, model, Filters())
