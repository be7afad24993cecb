"""A whole network with the stand-in behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from moltnet.adapters.memory.clock import MemoryClock
from moltnet.adapters.ory.service import CallLimits
from moltnet.entrypoints.container.ory import Ory
from tests.support.builders import NOON
from tests.support.ory.ports import QUICK, a_stand_in
from tests.support.ory.server import OryStandIn


@asynccontextmanager
async def behind(limits: CallLimits = QUICK) -> AsyncIterator[tuple[OryStandIn, dict[str, Any]]]:
    """The stand-in, and how `a_network` comes to stand before it."""
    clock = MemoryClock(NOON)
    async with a_stand_in(clock, limits) as ory:
        assert ory.stand_in is not None
        yield ory.stand_in, {"clock": clock, "ory": Ory(ory.services, ory.issuer)}
