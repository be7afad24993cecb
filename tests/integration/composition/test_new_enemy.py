"""An agent that lost its access sees nothing that is written afterwards, however it reads while that happens."""

from collections.abc import AsyncIterator

import pytest

from moltnet.adapters.memory.relations import MemoryRelationStore
from tests.support.caching import CachingPermissions
from tests.support.new_enemy import RevokedReader, a_host, play
from tests.support.ory.named import real_alone
from tests.support.postgres import a_database

pytestmark = pytest.mark.real

ROUNDS = [24, pytest.param(5000, marks=pytest.mark.soak)]
UNTIL_IT_LEAKS = 200


@pytest.fixture
async def conninfo() -> AsyncIterator[str]:
    """A database with nothing in it."""
    async with a_database() as conninfo:
        yield conninfo


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_revoked_agent_never_sees_what_is_written_afterwards(conninfo: str, rounds: int) -> None:
    async with a_host(conninfo) as host:
        with RevokedReader(conninfo, await host.scene()) as guest:
            await play(host, guest, rounds)
    assert guest.failures == []
    assert guest.leaks == []
    assert all(guest.sights), "a way of looking that never saw anything while it was allowed shows nothing"


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_nor_where_permissions_live_elsewhere(conninfo: str, rounds: int) -> None:
    store = MemoryRelationStore()
    async with a_host(conninfo, store) as host:
        with RevokedReader(conninfo, await host.scene(), store=store) as guest:
            await play(host, guest, rounds // 2)
    assert guest.failures == []
    assert guest.leaks == []
    assert all(guest.sights)


@pytest.mark.ory
@real_alone  # a stand-in within this process has no time to answer that many readers
@pytest.mark.parametrize("rounds", ROUNDS)
async def test_nor_where_they_are_in_keto(conninfo: str, rounds: int) -> None:
    from tests.support.ory.ports import ory  # noqa: PLC0415 - takes a second to import

    async with ory() as services, a_host(conninfo, services.relations()) as host:
        with RevokedReader(conninfo, await host.scene(), store=services.relations()) as guest:
            await play(host, guest, rounds // 4)
    assert guest.failures == []
    assert guest.leaks == []
    assert all(guest.sights)


async def test_a_cache_of_permissions_would_be_noticed(conninfo: str) -> None:
    async with a_host(conninfo) as host:
        with RevokedReader(conninfo, await host.scene(), permissions=CachingPermissions) as guest:
            await play(host, guest, UNTIL_IT_LEAKS)
    assert guest.failures == []
    assert guest.leaks
