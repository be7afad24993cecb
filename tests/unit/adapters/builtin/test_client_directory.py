"""Whom a client stands for, remembered for a moment: never longer than it may be believed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import attrs
import pytest

from moltnet.adapters.builtin.identity import CACHE_TTL, CachedClientDirectory, ClientRecord
from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.ids import ClientId
from tests.support.builders import NOON, a_client, an_agent, an_id

AGENT = an_agent()
CLIENT = a_client(agent_id=AGENT.id)
RENEWED = attrs.evolve(CLIENT, generation=CLIENT.generation + 1)


@attrs.define
class Changes:
    """Tells what it is told."""

    connected: bool = True
    tell: Callable[[ClientId | None], None] = lambda _: None

    def subscribe(self, told: Callable[[ClientId | None], None]) -> None:
        self.tell = told


@attrs.define
class Stored:
    """Answers what stands in it, when it is let."""

    standing: ClientRecord | None = (CLIENT, AGENT)
    reads: int = 0
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def find(self, _: ClientId) -> ClientRecord | None:
        self.reads += 1
        read = self.standing
        await self.gate.wait()
        return read

    def forget(self, client_id: ClientId) -> None:
        raise AssertionError(client_id)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def stored() -> Stored:
    stored = Stored()
    stored.gate.set()
    return stored


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(NOON)


@pytest.fixture
def client_directory(stored: Stored, changes: Changes, clock: MemoryClock) -> CachedClientDirectory:
    return CachedClientDirectory(stored, changes, clock, most=2)


async def test_is_read_once_for_a_moment(client_directory: CachedClientDirectory, stored: Stored, clock: MemoryClock):
    for _ in range(3):
        assert await client_directory.find(CLIENT.id) == (CLIENT, AGENT)
    assert stored.reads == 1
    clock.advance(CACHE_TTL - timedelta(microseconds=1))
    await client_directory.find(CLIENT.id)
    assert stored.reads == 1
    clock.advance(timedelta(microseconds=1))
    await client_directory.find(CLIENT.id)
    assert stored.reads == 2


async def test_nobody_is_not_remembered(client_directory: CachedClientDirectory, stored: Stored):
    stored.standing = None
    assert await client_directory.find(CLIENT.id) is None
    stored.standing = (CLIENT, AGENT)
    assert await client_directory.find(CLIENT.id) == (CLIENT, AGENT)


@pytest.mark.parametrize("told", [CLIENT.id, None])
async def test_change_that_is_reported_counts_at_once(
    client_directory: CachedClientDirectory, stored: Stored, changes: Changes, told: ClientId | None
):
    await client_directory.find(CLIENT.id)
    stored.standing = (RENEWED, AGENT)
    changes.tell(told)
    assert await client_directory.find(CLIENT.id) == (RENEWED, AGENT)


async def test_change_of_this_process_counts_at_once(client_directory: CachedClientDirectory, stored: Stored):
    await client_directory.find(CLIENT.id)
    stored.standing = (RENEWED, AGENT)
    client_directory.forget(CLIENT.id)
    assert await client_directory.find(CLIENT.id) == (RENEWED, AGENT)


@pytest.mark.parametrize("told", [CLIENT.id, None, ClientId(an_id())])
async def test_what_was_read_before_a_change_was_reported_is_not_remembered_after_it(
    client_directory: CachedClientDirectory, stored: Stored, changes: Changes, told: ClientId | None
):
    stored.gate.clear()
    reading = asyncio.create_task(client_directory.find(CLIENT.id))
    await asyncio.sleep(0)  # the old row is read; its answer is under way
    stored.standing = (RENEWED, AGENT)
    changes.tell(told)
    stored.gate.set()
    await reading
    assert await client_directory.find(CLIENT.id) == (RENEWED, AGENT)


async def test_nothing_is_trusted_while_changes_are_not_heard(
    client_directory: CachedClientDirectory, stored: Stored, changes: Changes
):
    await client_directory.find(CLIENT.id)
    changes.connected = False
    stored.standing = (RENEWED, AGENT)
    assert await client_directory.find(CLIENT.id) == (RENEWED, AGENT)
    assert stored.reads == 2


async def test_what_was_read_as_hearing_ended_is_not_remembered(
    client_directory: CachedClientDirectory, stored: Stored, changes: Changes
):
    stored.gate.clear()
    reading = asyncio.create_task(client_directory.find(CLIENT.id))
    await asyncio.sleep(0)
    changes.connected = False
    stored.gate.set()
    await reading
    changes.connected = True
    await client_directory.find(CLIENT.id)
    assert stored.reads == 2


async def test_only_so_many_are_remembered(client_directory: CachedClientDirectory, stored: Stored):
    clients = [ClientId(an_id()) for _ in range(3)]
    for client in clients:
        await client_directory.find(client)
    await client_directory.find(clients[2])
    assert stored.reads == 3
    await client_directory.find(clients[0])
    assert stored.reads == 4
