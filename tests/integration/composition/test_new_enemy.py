"""Who was shut out does not see what is written afterwards, by whatever way it reads while that happens.

A hundred rounds here; five thousand by NEW_ENEMY_ROUNDS (`make fuzz`).
"""

import os
from collections.abc import AsyncIterator

import pytest

from moltnet.adapters.memory.relations import MemoryRelationStore
from tests.support.caching import CachingPermissions
from tests.support.new_enemy import Guest, a_host, play
from tests.support.postgres import a_database

pytestmark = pytest.mark.real

ROUNDS = int(os.environ.get("NEW_ENEMY_ROUNDS", "100"))


@pytest.fixture
async def conninfo() -> AsyncIterator[str]:
    """A database with nothing in it."""
    async with a_database() as conninfo:
        yield conninfo


async def test_a_revoked_agent_never_sees_what_is_written_afterwards(conninfo: str) -> None:
    async with a_host(conninfo) as host:
        with Guest(conninfo, await host.scene()) as guest:
            await play(host, guest, ROUNDS)
    assert guest.failures == []
    assert guest.leaks == []
    assert all(guest.sights), "a way of looking that never saw anything while it was allowed shows nothing"


async def test_nor_where_permissions_live_elsewhere(conninfo: str) -> None:
    store = MemoryRelationStore()
    async with a_host(conninfo, store) as host:
        with Guest(conninfo, await host.scene(), store=store) as guest:
            await play(host, guest, ROUNDS // 2)
    assert guest.failures == []
    assert guest.leaks == []
    assert all(guest.sights)


async def test_a_cache_of_permissions_would_be_noticed(conninfo: str) -> None:
    async with a_host(conninfo) as host:
        with Guest(conninfo, await host.scene(), permissions=CachingPermissions) as guest:
            await play(host, guest, ROUNDS)
    assert guest.failures == []
    assert guest.leaks
