"""How much a network holds, and when it came."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone

import attrs
import pytest

from moltnet.domain.agents import Author
from moltnet.domain.diaries import Visibility
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.services.statistics import COUNTED_EVERY, GROWTH_DAYS
from tests.support.builders import NOON, an_agent, an_entry
from tests.support.interruptions import failing, passing
from tests.support.network import Member, Network
from tests.support.stored import joined, written

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


async def test_what_quotas_count_is_counted_when_it_is_asked_for(network: Network, ada: Member) -> None:
    await network.entry(ada, await network.diary(ada))
    usage = await network.services.statistics.usage()
    assert usage.total == usage.largest
    assert usage.total.entries == 1


async def test_what_a_network_holds_is_counted_as_it_is(network: Network, ada: Member) -> None:
    await network.entry(ada, await network.diary(ada, Visibility.PUBLIC))
    state = await network.services.statistics.state()
    assert state.at == NOON
    assert (state.sizes.agents, state.sizes.public_diaries, state.sizes.entries) == (1, 1, 1)
    async with network.storage.snapshot() as work:
        assert state.model == await work.models.progress()


async def test_it_is_counted_twice_a_minute_at_most(network: Network, ada: Member) -> None:
    first = await network.services.statistics.state()
    await network.diary(ada)
    network.clock.advance(COUNTED_EVERY - INSTANT)
    assert await network.services.statistics.state() is first
    network.clock.advance(INSTANT)
    later = await network.services.statistics.state()
    assert (first.sizes.diaries, later.sizes.diaries) == (0, 1)
    assert later.at == NOON + COUNTED_EVERY
    assert network.calls.log.count("statistics.sizes") == 2


async def test_many_at_once_have_it_counted_once(network: Network) -> None:
    network.calls.before("statistics.sizes", [lambda: asyncio.sleep(0)])
    states = await asyncio.gather(*(network.services.statistics.state() for _ in range(5)))
    assert all(state is states[0] for state in states)
    assert network.calls.log.count("statistics.sizes") == 1


async def test_a_count_that_failed_is_made_again_for_the_next(network: Network) -> None:
    network.calls.before("statistics.sizes", [failing(StorageUnavailable()), passing])
    with pytest.raises(StorageUnavailable):
        await network.services.statistics.state()
    assert (await network.services.statistics.state()).sizes.agents == 0


async def test_arrivals_are_those_of_the_last_thirty_days(network: Network, ada: Member) -> None:
    diary = await network.diary(ada)
    midnight = datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC)
    first = midnight - (GROWTH_DAYS - 1) * DAY
    for at in (first - INSTANT, first, midnight - INSTANT, midnight, NOON):
        await written(network.storage, an_entry(diary=diary.id, author=Author.of(ada.caller), at=at))
    await joined(network.storage, an_agent(at=midnight - DAY))
    state = await network.services.statistics.state()
    assert state.a_day(state.arrivals.entries) == [1, *[0] * (GROWTH_DAYS - 3), 1, 2]
    assert min(state.arrivals.entries) == first.date()
    assert state.a_day(state.arrivals.agents) == [*[0] * (GROWTH_DAYS - 2), 1, 1]


async def test_the_days_are_those_in_utc_the_oldest_first(network: Network) -> None:
    # In Auckland it is the second of March already.
    at = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=13)))
    state = attrs.evolve(await network.services.statistics.state(), at=at)
    assert (state.days[0], state.days[-1], len(state.days)) == (date(2026, 1, 31), date(2026, 3, 1), GROWTH_DAYS)
