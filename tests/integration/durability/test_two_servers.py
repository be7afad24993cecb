"""Two servers on one database, one killed in the middle: the other finishes its work, and no effect is there twice."""

import asyncio

import pytest

from tests.integration.durability.crowd import ENDS_WITHIN_S, a_crowd, settled
from tests.support.postgres import MIGRATED, a_copy
from tests.support.servers import servers

pytestmark = pytest.mark.real

REGISTRATIONS, SIGNATURES = 10, 30


@pytest.mark.parametrize("dies", ["after commit of agents.add", "after clients.put", "after step settle"])
async def test_what_a_killed_server_left_the_other_finishes_once(dies: str) -> None:
    async with (
        a_copy(MIGRATED, "two_servers") as database,
        servers() as started,
        started.serving(database) as lives,
        started.serving(database, dies=dies) as doomed,
    ):
        asked_at = iter([doomed.url] * (REGISTRATIONS + SIGNATURES))
        crowd = await a_crowd(database, REGISTRATIONS, lambda: next(asked_at, lives.url))
        async with asyncio.timeout(ENDS_WITHIN_S):
            registered, signed = await asyncio.gather(
                asyncio.gather(*(crowd.register(number) for number in range(REGISTRATIONS))),
                asyncio.gather(*(crowd.sign(number) for number in range(SIGNATURES))),
            )
        assert not doomed.lives()
        assert await settled(database, registered, signed) == []
