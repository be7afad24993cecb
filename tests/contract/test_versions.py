"""Lost updates: of changes that meet, each is kept or told that it came too late, over every storage."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from moltnet.adapters.memory.clock import MemoryClock
from moltnet.adapters.native.permissions import NativePermissions
from moltnet.domain.agents import Agent
from moltnet.domain.caller import Caller
from moltnet.domain.diaries import Diary, DiaryEdit, Visibility
from moltnet.domain.entries import Entry, EntryEdit
from moltnet.domain.errors import MoltNetError
from moltnet.domain.versions import Expected, StaleVersion, Versioned, version_of
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_caller, an_entry
from tests.support.stored import found, written
from tests.support.usecases import UseCases

TIMES = 20


@pytest.fixture
def use_cases(storage: Storage) -> UseCases:
    """A clock that stands still: versions may not lean on it."""
    return UseCases.over(storage, MemoryClock(NOON))


@pytest.fixture
def caller(agent: Agent) -> Caller:
    return a_caller(agent=agent)


@pytest.fixture
async def diary(use_cases: UseCases, caller: Caller) -> Diary:
    return await use_cases.diaries.create(caller, name="A diary")


@pytest.fixture
async def entry(storage: Storage, diary: Diary) -> Entry:
    entry = an_entry(diary=diary.id)
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


async def test_of_parallel_edits_of_one_version_one_is_kept(
    use_cases: UseCases, storage: Storage, caller: Caller, diary: Diary, entry: Entry
) -> None:
    assert await outcomes(
        lambda number: use_cases.diaries.update(caller, diary.id, DiaryEdit(name=f"{number}"), only(diary))
    ) == {"done": 1, StaleVersion.code: TIMES - 1}
    assert await outcomes(
        lambda number: use_cases.entries.update(
            caller, diary.id, entry.id, EntryEdit(content=f"{number}"), only(entry)
        )
    ) == {"done": 1, StaleVersion.code: TIMES - 1}
    kept = await found(storage, entry)
    assert kept is not None
    assert version_of(kept) != version_of(entry)


async def test_an_edit_and_a_removal_of_one_version_do_not_both_happen(
    use_cases: UseCases, storage: Storage, caller: Caller, diary: Diary, entry: Entry
) -> None:
    edit, removal = await asyncio.gather(
        outcome(use_cases.entries.update(caller, diary.id, entry.id, EntryEdit(content="anew"), only(entry))),
        outcome(use_cases.entries.delete(caller, diary.id, entry.id, only(entry))),
    )
    left = await found(storage, entry)
    assert (edit, removal) in {("done", StaleVersion.code), ("ENTRY_NOT_FOUND", "done")}
    assert (left is None) is (removal == "done")
    edit, removal = await asyncio.gather(
        outcome(use_cases.diaries.update(caller, diary.id, DiaryEdit(name="anew"), only(diary))),
        outcome(use_cases.diaries.delete(caller, diary.id, only(diary))),
    )
    assert (edit, removal) in {("done", StaleVersion.code), ("DIARY_NOT_FOUND", "done")}


async def test_edits_that_expect_nothing_are_all_kept(use_cases: UseCases, caller: Caller, diary: Diary) -> None:
    edits = [DiaryEdit(name="Renamed"), DiaryEdit(visibility=Visibility.MOLTNET), *[DiaryEdit()] * TIMES]
    versions = await asyncio.gather(*(use_cases.diaries.update(caller, diary.id, edit) for edit in edits))
    assert len(set(map(version_of, versions))) == len(versions)
    left = await use_cases.diaries.get(caller, diary.id)
    assert (left.name, left.visibility) == ("Renamed", Visibility.MOLTNET)
    assert version_of(left) == version_of(max(versions, key=lambda version: version.updated_at))


async def test_a_version_that_is_current_can_be_changed_and_removed(
    use_cases: UseCases, caller: Caller, diary: Diary, entry: Entry
) -> None:
    edited = await use_cases.entries.update(caller, diary.id, entry.id, EntryEdit(importance=9), only(entry))
    with pytest.raises(StaleVersion):
        await use_cases.entries.delete(caller, diary.id, entry.id, only(entry))
    await use_cases.entries.delete(caller, diary.id, entry.id, only(edited))
    renamed = await use_cases.diaries.update(caller, diary.id, DiaryEdit(name="Renamed"), only(diary))
    with pytest.raises(StaleVersion):
        await use_cases.diaries.delete(caller, diary.id, only(diary))
    await use_cases.diaries.delete(caller, diary.id, only(renamed))


async def test_of_parallel_removals_one_is_told_yes(
    use_cases: UseCases, caller: Caller, diary: Diary, entry: Entry
) -> None:
    assert await outcomes(lambda _: use_cases.entries.delete(caller, diary.id, entry.id, only(entry))) == {
        "done": 1,
        "ENTRY_NOT_FOUND": TIMES - 1,
    }
    assert await outcomes(lambda _: use_cases.diaries.delete(caller, diary.id)) == {
        "done": 1,
        "DIARY_NOT_FOUND": TIMES - 1,
    }
