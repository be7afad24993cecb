"""A narrow token is told nothing that its scopes do not open, by the agent's port."""

import itertools
from collections.abc import Awaitable

import pytest
import pytest_asyncio

from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Forbidden
from moltnet.domain.text import IfDuplicate
from moltnet.entrypoints.library.agent import Agent
from tests.support.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = "The harbour is closed on Mondays, and the ferry goes at nine."


@pytest_asyncio.fixture(loop_scope="module")
async def writer(world: World) -> Agent:
    """A member whose token may write, and nothing else."""
    return await world.founder(frozenset({Scope.DIARY_WRITE}))


@pytest_asyncio.fixture(loop_scope="module")
async def diary(writer: Agent) -> Diary:
    return await writer.diaries.create(name="Its own")


async def refused(asked: Awaitable[object], scope: Scope) -> None:
    with pytest.raises(Forbidden, match=f"Missing required scope: {scope}"):
        await asked


async def test_who_may_only_write_reads_no_entry_by_changing_it(writer: Agent, diary: Diary) -> None:
    made = await writer.diary.create(diary.id, content=CONTENT)
    await refused(writer.diary.update(diary.id, made.id), Scope.DIARY_READ)
    await refused(writer.diary.update(diary.id, made.id, title="New"), Scope.DIARY_READ)


async def test_who_may_only_write_learns_of_no_other_entry(writer: Agent, ada: Agent, diary: Diary) -> None:
    await writer.diary.create(diary.id, content=CONTENT)
    kept = await writer.diary.keep(diary.id, NewEntry(content=CONTENT))
    assert kept.similar == ()
    again = NewEntry(content=CONTENT, if_duplicate=IfDuplicate.RETURN)
    await refused(writer.diary.keep(diary.id, again), Scope.DIARY_READ)
    # The same by one that may read.
    own = await ada.diaries.create(name="Ada's")
    first = await ada.diary.create(own.id, content=CONTENT)
    assert [each.entry_id for each in (await ada.diary.keep(own.id, NewEntry(content=CONTENT))).similar] == [first.id]
    assert (await ada.diary.keep(own.id, again)).entry.id == first.id


async def test_who_may_only_write_reads_no_diary_by_changing_nothing(writer: Agent, diary: Diary) -> None:
    await refused(writer.diaries.update(diary.id), Scope.DIARY_READ)
    await refused(writer.diaries.update(diary.id, visibility=Visibility.PRIVATE), Scope.DIARY_READ)
    assert (await writer.diaries.update(diary.id, name="Renamed")).name == "Renamed"


@pytest.mark.parametrize(("before", "after"), list(itertools.combinations(Visibility, 2)))
async def test_opening_a_diary_asks_for_the_scope_to_share(world: World, before: Visibility, after: Visibility) -> None:
    opener = await world.founder(frozenset({Scope.DIARY_WRITE, Scope.DIARY_SHARE}))
    writer = await world.founder(frozenset({Scope.DIARY_WRITE, Scope.DIARY_READ}))
    assert (await opener.diaries.create(name="Open", visibility=after)).visibility is after
    await refused(writer.diaries.create(name="Open", visibility=after), Scope.DIARY_SHARE)
    theirs = await opener.diaries.create(name="Open", visibility=before)
    assert (await opener.diaries.update(theirs.id, visibility=after)).visibility is after
    assert (await opener.diaries.update(theirs.id, visibility=before)).visibility is before
    own = await writer.diaries.create(name="Own")
    await refused(writer.diaries.update(own.id, visibility=after), Scope.DIARY_SHARE)
    assert (await writer.diaries.get(own.id)).visibility is Visibility.PRIVATE
