"""How often a search and a write ask the database and wait for its answer; counted on the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest

from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.caller import Caller
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.feed import FeedSearch
from moltnet.domain.permissions import Relation
from moltnet.domain.search import Search
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.feed import FeedService
from moltnet.domain.services.search import SearchService
from tests.support.builders import a_caller
from tests.support.network import a_network
from tests.support.postgres import a_database
from tests.support.stored import joined, opened
from tests.support.turns import Turns, counted_turns

pytestmark = pytest.mark.real


@attrs.frozen(kw_only=True)
class Stage:
    """Two services over a database whose round trips are counted."""

    entries: EntryService
    search: SearchService
    feed: FeedService
    caller: Caller
    diary: Diary
    turns: Turns
    storage: PostgresStorage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """With one connection, whose statements are prepared."""
    async with (
        a_database() as conninfo,
        counted_turns(conninfo) as turns,
        a_network() as network,
        PostgresStorage.open(turns.address, max_connections=1) as storage,
    ):
        owner = await joined(storage)
        diary = await opened(storage, owner)
        async with storage.transaction() as work:
            await work.relations.add(diary.id, Relation.OWNER, owner.id)
        permissions = BuiltinPermissions()
        access = DiaryAccess(storage=storage, permissions=permissions)
        ours = {"storage": storage, "permissions": permissions, "access": access}
        yield Stage(
            entries=attrs.evolve(network.services.entries, **ours),
            search=attrs.evolve(network.services.search, **ours),
            feed=attrs.evolve(network.services.feed, storage=storage),
            caller=a_caller(agent=owner),
            diary=diary,
            turns=turns,
            storage=storage,
        )


async def spent(stage: Stage, times: int, act: Callable[[], Awaitable[None]]) -> list[int]:
    """The round trips of each time, after some that prepare the statements."""
    counts = []
    for _ in range(times):
        async with stage.storage.autocommit() as work:  # what an earlier one left to end has ended
            await work.agents.any()
        before = stage.turns.count
        await act()
        counts.append(stage.turns.count - before)
    return counts


async def test_write_takes_two(stage: Stage) -> None:
    numbers = iter(range(100))

    async def write() -> None:
        await stage.entries.keep(stage.caller, stage.diary.id, NewEntry(content=f"What happened {next(numbers)}"))

    # The right, by itself the first time only; what it resembles, the right again and the entry; the commit.
    assert set((await spent(stage, 12, write))[7:]) == {2}


@pytest.mark.parametrize("everywhere", [False, True])
async def test_search_takes_one_and_of_several_diaries_two(stage: Stage, *, everywhere: bool) -> None:
    await stage.entries.create(stage.caller, stage.diary.id, NewEntry(content="What happened to getUserById"))

    async def search() -> None:
        asked = Search(query="get user by id", diary_id=None if everywhere else stage.diary.id)
        assert len((await stage.search.search(stage.caller, asked)).hits) == 1

    # The right, of one diary by itself the first time only; the right again, the ranking and its entries. The end of
    # the snapshot may be on its way by then.
    least = 2 if everywhere else 1
    assert set((await spent(stage, 12, search))[7:]) <= {least, least + 1}
    assert min(await spent(stage, 5, search)) == least


async def test_search_of_everything_public_takes_one(stage: Stage) -> None:
    async def search() -> None:
        assert await stage.feed.search(FeedSearch(query="happened")) == []

    assert set((await spent(stage, 12, search))[7:]) <= {1, 2}
    assert min(await spent(stage, 5, search)) == 1
