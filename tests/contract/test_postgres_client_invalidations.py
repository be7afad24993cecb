"""Changes of clients and agents, as every process hears of them."""

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from moltnet.adapters.builtin.identity import CachedClientDirectory, StoredClientDirectory
from moltnet.adapters.postgres.notifications import PostgresNotifications
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client, hash_secret
from moltnet.domain.ids import ClientId
from tests.support.builders import NOON, a_client
from tests.support.postgres import a_database
from tests.support.stored import joined

pytestmark = pytest.mark.real

WITHIN_S = 10


@attrs.frozen
class InvalidationWorld:
    """A stored client, and what is heard of it."""

    storage: PostgresStorage
    changes: PostgresNotifications
    agent: Agent
    client: Client
    heard: "asyncio.Queue[ClientId | None]"

    async def told(self) -> ClientId | None:
        return await asyncio.wait_for(self.heard.get(), WITHIN_S)

    async def cut_off(self) -> None:
        """Ends the connection that listens, at the server."""
        async with self.storage.transaction() as work:
            await work.clients._session.run(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ 'notifications'"
            )


@pytest.fixture
async def world() -> AsyncIterator[InvalidationWorld]:
    async with (
        a_database() as conninfo,
        PostgresStorage.open(conninfo, max_connections=4) as storage,
        PostgresNotifications.open(conninfo) as changes,
    ):
        agent = await joined(storage)
        client = a_client(agent_id=agent.id)
        async with storage.transaction() as work:
            await work.clients.put(client)
        heard: asyncio.Queue[ClientId | None] = asyncio.Queue()
        changes.subscribe(heard.put_nowait)
        yield InvalidationWorld(storage, changes, agent, client, heard)


async def test_replaced_secret_is_reported(world: InvalidationWorld):
    async with world.storage.transaction() as work:
        await work.clients.rotate(world.client.id, hash_secret("new"), NOON)
    assert await world.told() == world.client.id


async def test_removed_client_is_reported(world: InvalidationWorld):
    async with world.storage.transaction() as work:
        await work.clients.remove(world.client.id)
    assert await world.told() == world.client.id


async def test_removed_agent_is_reported_as_any_change(world: InvalidationWorld):
    async with world.storage.transaction() as work:
        await work.agents.remove(world.agent.id)
    assert await world.told() is None


async def test_first_use_is_nothing_to_report(world: InvalidationWorld):
    async with world.storage.transaction() as work:
        await work.clients.mark_used(world.client.id, world.client.generation)
    async with world.storage.transaction() as work:
        await work.clients.rotate(world.client.id, hash_secret("new"), NOON)
    assert await world.told() == world.client.id
    assert world.heard.empty()


async def test_what_is_undone_is_not_reported(world: InvalidationWorld):
    async def undone() -> None:
        async with world.storage.transaction() as work:
            await work.clients.rotate(world.client.id, hash_secret("never"), NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    async with world.storage.transaction() as work:
        await work.clients.remove(world.client.id)
    assert await world.told() == world.client.id
    assert world.heard.empty()


async def test_lost_connection_is_reported_as_any_change_and_made_anew(world: InvalidationWorld):
    await world.cut_off()
    assert await world.told() is None
    async with asyncio.timeout(WITHIN_S):
        while not world.changes.connected:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)
    async with world.storage.transaction() as work:
        await work.clients.remove(world.client.id)
    while await world.told() != world.client.id:
        pass


async def test_another_process_sees_a_replaced_secret_within_the_bound(world: InvalidationWorld):
    client_directory = CachedClientDirectory(StoredClientDirectory(world.storage), world.changes, SystemClock())
    found = await client_directory.find(world.client.id)
    assert found
    assert found[0].generation == world.client.generation
    async with world.storage.transaction() as work:
        await work.clients.rotate(world.client.id, hash_secret("new"), NOON)
    async with asyncio.timeout(WITHIN_S):
        while (found := await client_directory.find(world.client.id)) and found[
            0
        ].generation == world.client.generation:
            await world.heard.get()
    assert found
    assert found[0].generation == world.client.generation + 1
