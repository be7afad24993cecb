"""The port `RateLimits`."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import MemoryRateLimits
from moltnet.domain.caller import Allowance
from moltnet.ports.requests import RateLimits
from tests.support.builders import NOON

SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)


@pytest.fixture
def clock() -> MemoryClock:
    """Stands at noon."""
    return MemoryClock(NOON)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.real)])
async def limits(request: pytest.FixtureRequest, clock: MemoryClock) -> AsyncIterator[RateLimits]:
    """Counts that nobody was counted in yet."""
    if request.param == "memory":
        yield MemoryRateLimits(clock)
        return
    from moltnet.adapters.postgres.limits import PostgresRateLimits  # noqa: PLC0415 - starts a server
    from tests.support.postgres import a_database  # noqa: PLC0415

    async with a_database() as conninfo, PostgresRateLimits.open(conninfo, clock) as postgres:
        yield postgres


async def test_each_hit_leaves_one_less_until_none_is_left(limits: RateLimits) -> None:
    told = [await limits.hit("vouch", "ada", 3) for _ in range(5)]
    assert [(each.allowed, each.remaining) for each in told] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
    ]
    assert {(each.limit, each.reset_s) for each in told} == {(3, 60)}


async def test_window_begins_with_the_first_hit_and_is_not_prolonged(limits: RateLimits, clock: MemoryClock) -> None:
    await limits.hit("vouch", "ada", 1)
    clock.advance(59 * SECOND + SECOND / 2)
    assert await limits.hit("vouch", "ada", 1) == Allowance(limit=1, remaining=0, reset_s=1, allowed=False)
    clock.advance(SECOND / 2 - MICROSECOND)
    assert await limits.hit("vouch", "ada", 1) == Allowance(limit=1, remaining=0, reset_s=1, allowed=False)
    clock.advance(MICROSECOND)
    assert await limits.hit("vouch", "ada", 1) == Allowance(limit=1, remaining=0, reset_s=60, allowed=True)


async def test_time_that_is_left_is_rounded_up(limits: RateLimits, clock: MemoryClock) -> None:
    await limits.hit("vouch", "ada", 9)
    for passed, left in ((SECOND / 2, 60), (SECOND / 2, 59), (MICROSECOND, 59), (SECOND, 58)):
        clock.advance(passed)
        assert (await limits.hit("vouch", "ada", 9)).reset_s == left


async def test_keys_and_buckets_are_counted_apart(limits: RateLimits) -> None:
    assert (await limits.hit("vouch", "ada", 1)).allowed
    assert (await limits.hit("vouch", "bea", 1)).allowed
    assert (await limits.hit("signing", "ada", 1)).allowed
    assert not (await limits.hit("vouch", "ada", 1)).allowed


async def test_parallel_hits_are_counted_exactly(limits: RateLimits) -> None:
    told = await asyncio.gather(*(limits.hit("vouch", "ada", 20) for _ in range(50)))
    assert sum(each.allowed for each in told) == 20
    assert sorted(each.remaining for each in told if each.allowed) == list(range(20))


async def test_a_hit_counts_as_much_as_it_costs(limits: RateLimits) -> None:
    told = [await limits.hit("embedding", "ada", 10, cost) for cost in (4, 1, 3)]
    assert [(each.allowed, each.remaining) for each in told] == [(True, 6), (True, 5), (True, 2)]


async def test_what_begins_within_the_limit_is_allowed_whole_and_what_comes_after_is_not(
    limits: RateLimits, clock: MemoryClock
) -> None:
    told = [await limits.hit("embedding", "ada", 10, cost) for cost in (9, 25, 1)]
    assert [(each.allowed, each.remaining) for each in told] == [(True, 1), (True, 0), (False, 0)]
    clock.advance(60 * SECOND)
    assert (await limits.hit("embedding", "ada", 10, 25)).allowed


async def test_ended_windows_are_forgotten_and_no_others(limits: RateLimits, clock: MemoryClock) -> None:
    await limits.hit("vouch", "ada", 1)
    clock.advance(30 * SECOND)
    await limits.hit("signing", "bea", 1)
    assert await limits.forget_ended() == 0
    clock.advance(30 * SECOND)
    assert await limits.forget_ended() == 1
    assert await limits.forget_ended() == 0
    assert not (await limits.hit("signing", "bea", 1)).allowed
    assert (await limits.hit("vouch", "ada", 1)).allowed


@pytest.mark.real
async def test_processes_on_one_database_count_together(clock: MemoryClock) -> None:
    from moltnet.adapters.postgres.limits import PostgresRateLimits  # noqa: PLC0415 - starts a server
    from tests.support.postgres import a_database  # noqa: PLC0415

    async with (
        a_database() as conninfo,
        PostgresRateLimits.open(conninfo, clock) as one,
        PostgresRateLimits.open(conninfo, clock) as other,
    ):
        told = await asyncio.gather(*(counts.hit("vouch", "ada", 20) for counts in (one, other) for _ in range(20)))
    assert sum(each.allowed for each in told) == 20
