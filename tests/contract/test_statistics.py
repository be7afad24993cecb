"""The port `Statistics`."""

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary, Visibility
from moltnet.ports.storage import Storage
from tests.support.builders import an_entry
from tests.support.stored import opened, written


async def test_everything_is_counted(storage: Storage, agent: Agent, diary: Diary) -> None:
    await opened(storage, agent, Visibility.PUBLIC)
    await written(storage, an_entry(diary=diary.id), an_entry(diary=diary.id))
    async with storage.snapshot() as work:
        sizes = await work.statistics.sizes()
    assert (sizes.agents, sizes.diaries, sizes.public_diaries, sizes.entries) == (1, 2, 1, 2)
    assert (sizes.vouchers_redeemed, sizes.accepted_shares, sizes.web_sessions) == (0, 0, 0)
    assert sizes.database_bytes is None or sizes.database_bytes > 1_000_000
