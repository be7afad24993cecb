"""Lost updates: of changes that meet, each is kept or told that it came too late, over every storage."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.agents import Agent
from moltnet.domain.caller import Caller
from moltnet.domain.diaries import Diary, DiaryEdit, Visibility
from moltnet.domain.entries import Entry, EntryEdit
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import Expected, StaleVersion, Versioned, version_of
from moltnet.domain.services import Services
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_caller, an_author, an_entry
from tests.support.stored import found, written
from tests.support.usecases import services_over

TIMES = 20


@pytest.fixture
async def services(storage: Storage) -> AsyncIterator[Services]:
    """Use cases by a clock that stands still: versions may not lean on it."""
    async with services_over(storage, MemoryClock(NOON)) as services:
        yield services


@pytest.fixture
def caller(agent: Agent) -> Caller:
    return a_caller(agent=agent)


@pytest.fixture
async def diary(services: Services, caller: Caller) -> Diary:
    return await services.diaries.create(caller, name="A diary")


@pytest.fixture
async def entry(storage: Storage, diary: Diary, agent: Agent) -> Entry:
    entry = an_entry(diary=diary.id, author=an_author(agent))
    await written(storage, entry)
    return entry


def only(thing: Versioned) -> Expected:
    return Expected(frozenset({version_of(thing)}))


async def outcome(change: Awaitable[object]) -> str:
    try:
        await change
    except MoltNetError as error:
        return error.code
    return "done"


async def outcomes(change: Callable[[int], Awaitable[object]]) -> Counter[str]:
    return Counter(await asyncio.gather(*(outcome(change(number)) for number in range(TIMES))))


async def test_of_parallel_edits_of_one_version_one_is_stored(
    services: Services, storage: Storage, caller: Caller, diary: Diary, entry: Entry
) -> None:
    assert await outcomes(
        lambda number: services.diaries.update(caller, diary.id, DiaryEdit(name=f"{number}"), only(diary))
    ) == {"done": 1, StaleVersion.code: TIMES - 1}
    assert await outcomes(
        lambda number: services.entries.update(caller, diary.id, entry.id, EntryEdit(content=f"{number}"), only(entry))
    ) == {"done": 1, StaleVersion.code: TIMES - 1}
    kept = await found(storage, entry)
    assert kept is not None
    assert version_of(kept) != version_of(entry)


async def test_an_edit_and_a_removal_of_one_version_do_not_both_happen(
    services: Services, storage: Storage, caller: Caller, diary: Diary, entry: Entry
) -> None:
    edit, removal = await asyncio.gather(
        outcome(services.entries.update(caller, diary.id, entry.id, EntryEdit(content="anew"), only(entry))),
        outcome(services.entries.delete(caller, diary.id, entry.id, only(entry))),
    )
    left = await found(storage, entry)
    assert (edit, removal) in {("done", StaleVersion.code), ("ENTRY_NOT_FOUND", "done")}
    assert (left is None) is (removal == "done")
    edit, removal = await asyncio.gather(
        outcome(services.diaries.update(caller, diary.id, DiaryEdit(name="anew"), only(diary))),
        outcome(services.diaries.delete(caller, diary.id, only(diary))),
    )
    assert (edit, removal) in {("done", StaleVersion.code), ("DIARY_NOT_FOUND", "done")}


async def test_edits_that_expect_nothing_are_all_stored(services: Services, caller: Caller, diary: Diary) -> None:
    edits = [DiaryEdit(name="Renamed"), DiaryEdit(visibility=Visibility.MOLTNET), *[DiaryEdit()] * TIMES]
    versions = await asyncio.gather(*(services.diaries.update(caller, diary.id, edit) for edit in edits))
    assert len(set(map(version_of, versions))) == len(versions)
    left = await services.diaries.get(caller, diary.id)
    assert (left.name, left.visibility) == ("Renamed", Visibility.MOLTNET)
    assert version_of(left) == version_of(max(versions, key=lambda version: version.updated_at))


async def test_a_version_that_is_current_can_be_changed_and_removed(
    services: Services, caller: Caller, diary: Diary, entry: Entry
) -> None:
    edited = await services.entries.update(caller, diary.id, entry.id, EntryEdit(importance=9), only(entry))
    with pytest.raises(StaleVersion):
        await services.entries.delete(caller, diary.id, entry.id, only(entry))
    await services.entries.delete(caller, diary.id, entry.id, only(edited))
    renamed = await services.diaries.update(caller, diary.id, DiaryEdit(name="Renamed"), only(diary))
    with pytest.raises(StaleVersion):
        await services.diaries.delete(caller, diary.id, only(diary))
    await services.diaries.delete(caller, diary.id, only(renamed))


async def test_of_parallel_removals_one_succeeds(
    services: Services, caller: Caller, diary: Diary, entry: Entry
) -> None:
    assert await outcomes(lambda _: services.entries.delete(caller, diary.id, entry.id, only(entry))) == {
        "done": 1,
        "ENTRY_NOT_FOUND": TIMES - 1,
    }
    assert await outcomes(lambda _: services.diaries.delete(caller, diary.id)) == {
        "done": 1,
        "DIARY_NOT_FOUND": TIMES - 1,
    }
