"""Permissions after random histories: whichever way an agent looks, it finds what a small model says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.system import MemoryClock
from moltnet.ports.storage import Storage
from tests.support.builders import NOON
from tests.support.sharing_world import FORGIVING, KINDS, SharingStep, SharingWorld
from tests.support.usecases import services_over

PLACES = st.integers(0, 11)
STEPS = st.builds(SharingStep, kind=st.sampled_from(KINDS), agent=PLACES, diary=PLACES, other=PLACES)


@pytest.mark.parametrize("home", ["here", "elsewhere"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(STEPS, max_size=40))
async def test_check_list_search_and_reflect_agree_with_the_model_after_every_act(
    storage: Storage, home: str, history: list[SharingStep]
) -> None:
    store = None if home == "here" else MemoryRelationStore()
    walked = services_over(storage, MemoryClock(NOON), relation_store=store, invitation_limits=FORGIVING)
    async with walked as services:
        world = await SharingWorld.over(storage, services)
        for step in history:
            await world.take(step)
