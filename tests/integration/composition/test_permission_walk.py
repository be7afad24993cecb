"""Long walks through what agents may do to one another's diaries, on both storages.

On PostgreSQL they are shorter, since each step reads a hundred times.
"""

import random

import pytest

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.ports.permissions import RelationStore
from moltnet.ports.storage import Storage
from tests.support.builders import NOON
from tests.support.postgres import open_storage
from tests.support.sharing_world import FORGIVING, KINDS, SharingStep, SharingWorld
from tests.support.usecases import services_over

pytestmark = pytest.mark.real

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 5))]
STEPS_IN_MEMORY = [300, pytest.param(2500, marks=pytest.mark.soak)]
STEPS_IN_KETO = [30, pytest.param(600, marks=pytest.mark.soak)]
STEPS_ON_POSTGRES = [60, pytest.param(2500, marks=pytest.mark.soak)]


async def walk(storage: Storage, seed: int, steps: int, store: RelationStore | None = None) -> None:
    chance = random.Random(seed)
    walked = services_over(storage, MemoryClock(NOON), relation_store=store, invitation_limits=FORGIVING)
    async with walked as services:
        world = await SharingWorld.over(storage, services)
        for _ in range(steps):
            await world.take(SharingStep(chance.choice(KINDS), *(chance.randrange(60) for _ in range(3))))
        assert world.taken == steps


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("steps", STEPS_IN_MEMORY)
async def test_every_read_agrees_with_the_model_in_memory(seed: int, steps: int) -> None:
    await walk(MemoryStorage(), seed, steps)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("steps", STEPS_ON_POSTGRES)
async def test_every_read_agrees_with_the_model_on_postgres(seed: int, steps: int) -> None:
    async with open_storage() as storage:
        await walk(storage, seed, steps)


@pytest.mark.parametrize("steps", STEPS_ON_POSTGRES)
async def test_every_read_agrees_with_the_model_where_permissions_live_elsewhere(steps: int) -> None:
    await walk(MemoryStorage(), 5, steps, MemoryRelationStore())
    async with open_storage() as storage:
        await walk(storage, 5, steps // 3, MemoryRelationStore())


@pytest.mark.ory
@pytest.mark.parametrize("steps", STEPS_IN_KETO)
async def test_every_read_agrees_with_the_model_where_permissions_are_in_keto(steps: int) -> None:
    from tests.support.ory.ports import ory  # noqa: PLC0415 - takes a second to import

    async with ory() as services:
        await walk(MemoryStorage(), 7, steps, services.relations())
