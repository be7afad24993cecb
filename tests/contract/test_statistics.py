"""The port `Statistics`."""

from datetime import UTC, date, datetime, timedelta, timezone

from moltnet.domain.agents import Agent
from moltnet.domain.caller import Usage
from moltnet.domain.diaries import Diary, Visibility
from moltnet.ports.models import NetworkUsage
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_author, an_entry
from tests.support.stored import joined, opened, written


async def test_everything_is_counted(storage: Storage, agent: Agent, diary: Diary) -> None:
    await opened(storage, agent, Visibility.PUBLIC)
    await written(storage, an_entry(diary=diary.id), an_entry(diary=diary.id))
    async with storage.snapshot() as work:
        sizes = await work.statistics.sizes()
    assert (sizes.agents, sizes.diaries, sizes.public_diaries, sizes.entries) == (1, 2, 1, 2)
    assert (sizes.vouchers_redeemed, sizes.accepted_shares, sizes.web_sessions) == (0, 0, 0)
    assert sizes.database_bytes is None or sizes.database_bytes > 1_000_000


async def test_what_quotas_count_is_counted_over_all_agents(storage: Storage, agent: Agent, diary: Diary) -> None:
    other, empty = await joined(storage), Usage(entries=0, bytes=0)
    async with storage.autocommit() as work:
        assert await work.statistics.usage() == NetworkUsage(total=empty, largest=empty)
    short = [an_entry(diary=diary.id, author=an_author(agent), content="é") for _ in range(2)]
    await written(storage, *short, an_entry(diary=diary.id, author=an_author(other), content="x" * 9000))
    async with storage.autocommit() as work:
        usage = await work.statistics.usage()
    assert usage == NetworkUsage(total=Usage(entries=3, bytes=9004), largest=Usage(entries=2, bytes=9000))


async def test_arrivals_are_counted_by_the_day_in_utc(storage: Storage, agent: Agent, diary: Diary) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    late = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=2)))
    hours = (0, 23, -24, -48)
    moments = (late, *(midnight + timedelta(hours=each) for each in hours))
    await written(storage, *(an_entry(diary=diary.id, at=at) for at in moments))
    async with storage.snapshot() as work:
        arrivals = await work.statistics.arrivals(midnight - timedelta(days=1))
        of_agents = await work.statistics.arrivals(NOON)
        later = await work.statistics.arrivals(NOON + timedelta(days=900))
    assert dict(arrivals.entries) == {date(2026, 3, 2): 2, date(2026, 3, 1): 2}
    assert dict(of_agents.agents) == {agent.created_at.date(): 1}
    assert (dict(later.agents), dict(later.entries)) == ({}, {})
