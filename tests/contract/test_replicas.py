"""The port `Replicas`."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import attrs
import pytest

from moltnet.adapters.memory.replicas import MemoryReplicas
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.constraints import Page
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import Filters
from moltnet.ports.storage import Replicas, Storage, UnitOfWork
from tests.support.builders import an_author, an_entry, an_id, an_index
from tests.support.postgres import a_database
from tests.support.replica import Pair, a_pair
from tests.support.stored import joined, opened, written


@attrs.frozen(kw_only=True)
class World:
    """A storage and its replicas; `pause` has these come no further until `go_on`; or they `leave`, and `come_back`."""

    storage: Storage
    replicas: Replicas
    pause: Callable[[], object]
    go_on: Callable[[], object]
    leave: Callable[[], object]
    come_back: Callable[[], object]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers."""
    with a_pair() as pair:
        yield pair


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A storage with replicas that are caught up."""
    if request.param == "memory":
        storage = MemoryStorage()
        memory = MemoryReplicas(storage)
        stop, start = (partial(setattr, memory, "lags", lags) for lags in (True, False))
        yield World(storage=storage, replicas=memory, pause=stop, go_on=start, leave=stop, come_back=start)
        return
    from moltnet.adapters.postgres.migrate import migrate  # noqa: PLC0415 - with a server
    from moltnet.adapters.postgres.replicas import PostgresReplicas  # noqa: PLC0415 - same
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415 - same

    pair: Pair = request.getfixturevalue("pair")
    await migrate(pair.main)
    ticks = itertools.count()
    async with (
        PostgresStorage.open(pair.main, max_connections=4) as main,
        PostgresStorage.open(pair.replica, max_connections=4, wait_s=5, waits_for_first=False) as replica,
    ):
        yield World(
            storage=main,
            # Its time passes by its own looks: each waits for as many of them, however slow the machine is.
            replicas=PostgresReplicas(main, replica, lambda: next(ticks) / 100),
            pause=lambda: pair.ask(b"select pg_wal_replay_pause()"),
            go_on=lambda: pair.ask(b"select pg_wal_replay_resume()"),
            leave=pair.stop,
            come_back=pair.start,
        )


async def a_diary_of(storage: Storage, entries: int) -> DiaryId:
    agent = await joined(storage)
    diary = await opened(storage, agent)
    await written(storage, *(an_entry(diary=diary.id, author=an_author(agent)) for _ in range(entries)))
    return diary.id


def counted(diary: DiaryId) -> Callable[[UnitOfWork], Awaitable[int]]:
    async def query(work: UnitOfWork) -> int:
        return (await work.entries.newest([diary], Filters(), Page(1)))[1]

    return query


async def until_read(world: World, diary: DiaryId) -> int:
    """What a replica counts, asked again while none has caught up."""
    while (count := await world.replicas.read(await world.replicas.committed(), counted(diary))) is None:
        pass
    return count


async def test_what_was_committed_is_read(world: World) -> None:
    for number in range(1, 6):
        assert await until_read(world, await a_diary_of(world.storage, number)) == number


async def test_replica_that_lags_is_not_read_until_it_has_caught_up(world: World) -> None:
    before = await world.replicas.committed()
    diary = await a_diary_of(world.storage, 0)
    assert await until_read(world, diary) == 0
    world.pause()
    try:
        await written(world.storage, an_entry(diary=diary))
        assert await world.replicas.read(await world.replicas.committed(), counted(diary)) is None
    finally:
        world.go_on()
    assert await until_read(world, diary) == 1
    assert await world.replicas.read(before, counted(diary)) == 1


async def test_replica_that_was_away_is_read_again(world: World) -> None:
    diary = await a_diary_of(world.storage, 1)
    assert await until_read(world, diary) == 1
    world.leave()
    try:
        assert await world.replicas.read(await world.replicas.committed(), counted(diary)) is None
    finally:
        world.come_back()
    assert await until_read(world, diary) == 1


@pytest.mark.real
async def test_database_that_is_no_replica_of_this_one_is_not_read(pair: Pair) -> None:
    from moltnet.adapters.postgres.replicas import PostgresReplicas  # noqa: PLC0415 - with a server
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415 - same

    async with a_database() as other, PostgresStorage.open(other, max_connections=2) as main:
        for wrong in (other, pair.replica):
            async with PostgresReplicas.open(main, wrong, max_connections=2) as replicas:
                assert await replicas.read(await replicas.committed(), counted(DiaryId(an_id()))) is None


async def test_what_is_asked_for_may_be_as_old_as_one_says(world: World) -> None:
    known = await world.replicas.committed()
    await a_diary_of(world.storage, 1)
    assert await world.replicas.committed(3600) == known


async def test_error_of_a_query_is_its_own_unless_the_replica_is_away(world: World) -> None:
    async def fail(_: UnitOfWork) -> int:
        raise ValueError("planted")

    async def be_away(_: UnitOfWork) -> int:
        raise StorageUnavailable

    await until_read(world, await a_diary_of(world.storage, 0))
    with pytest.raises(ValueError, match="planted"):
        await world.replicas.read(await world.replicas.committed(), fail)
    assert await world.replicas.read(await world.replicas.committed(), be_away) is None


async def test_nothing_is_written_in_a_replica(world: World) -> None:
    diary = await a_diary_of(world.storage, 0)
    await until_read(world, diary)

    async def write(work: UnitOfWork) -> None:
        await work.entries.add(an_entry(diary=diary), an_index())

    with pytest.raises(RuntimeError):
        await world.replicas.read(await world.replicas.committed(), write)
