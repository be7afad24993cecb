"""Long walks through what agents may do to one another's diaries, on both storages.

Ten thousand steps in memory; on PostgreSQL as many only by WALK_STEPS (`make fuzz`), since each looks a hundred times.
"""

import os
import random

import pytest

from moltnet.adapters.memory.clock import MemoryClock
from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.ports.relations import RelationStore
from moltnet.ports.storage import Storage
from tests.support.builders import NOON
from tests.support.postgres import open_storage
from tests.support.sharing_world import FORGIVING, KINDS, SharingWorld, Step
from tests.support.usecases import services_over

pytestmark = pytest.mark.real

WALKS = 4
STEPS_IN_MEMORY = 10_000 // WALKS
STEPS_ON_POSTGRES = int(os.environ.get("WALK_STEPS", "1200")) // WALKS


async def walk(storage: Storage, seed: int, steps: int, store: RelationStore | None = None) -> None:
    chance = random.Random(seed)
    walked = services_over(storage, MemoryClock(NOON), relation_store=store, invitation_limits=FORGIVING)
    async with walked as services:
        world = await SharingWorld.over(storage, services)
        for _ in range(steps):
            await world.take(Step(chance.choice(KINDS), *(chance.randrange(60) for _ in range(3))))
        assert world.taken == steps


@pytest.mark.parametrize("seed", range(WALKS))
async def test_every_look_agrees_with_the_model_in_memory(seed: int) -> None:
    await walk(MemoryStorage(), seed, STEPS_IN_MEMORY)


@pytest.mark.parametrize("seed", range(WALKS, 2 * WALKS))
async def test_every_look_agrees_with_the_model_on_postgres(seed: int) -> None:
    async with open_storage() as storage:
        await walk(storage, seed, STEPS_ON_POSTGRES)


async def test_every_look_agrees_with_the_model_where_permissions_live_elsewhere() -> None:
    await walk(MemoryStorage(), WALKS, STEPS_IN_MEMORY // 3, MemoryRelationStore())
    async with open_storage() as storage:
        await walk(storage, WALKS, STEPS_ON_POSTGRES // 3, MemoryRelationStore())
