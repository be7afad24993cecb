"""A whole network before Ory: the stand-in, or real services behind a proxy where `MOLTNET_TEST_ORY_…` name them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
from dependency_injector import providers

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.ory.service import CallLimits
from moltnet.adapters.ory.services import OryAddresses, ory_services
from moltnet.adapters.system import SystemRandomness
from moltnet.entrypoints.container.ory import Ory
from moltnet.entrypoints.container.wiring import Parts
from tests.support.builders import NOON
from tests.support.ory import named
from tests.support.ory.named import SIDES
from tests.support.ory.ports import QUICK, RunningClock, a_stand_in, real_addresses
from tests.support.ory.proxy import OryProxy, a_proxy
from tests.support.ory.server import OryStandIn

OryBehind: TypeAlias = OryStandIn | OryProxy


@asynccontextmanager
async def behind(limits: CallLimits = QUICK) -> AsyncIterator[tuple[OryBehind, dict[str, Any]]]:
    """What is behind, and how `a_network` comes to stand before it."""
    real = real_addresses()
    if real is None:
        clock = MemoryClock(NOON)
        async with a_stand_in(clock, limits) as ory:
            assert ory.stand_in is not None
            yield ory.stand_in, {"clock": clock, "ory": Ory(ory.services, ory.issuer)}
        return
    addresses = {(service, side): getattr(real, f"{service}_{side}") for service, side in SIDES}
    async with a_proxy(addresses, named.hooks()) as proxy:
        through = {"_".join(side): address for side, address in proxy.addresses.items()}
        # A hash of a password alone takes as long as a stand-in is waited for.
        patient = attrs.evolve(limits, connect_s=2.0, read_s=3.0, longest_wait_s=0.05)
        with ory_services(OryAddresses(**through, api_key=real.api_key), patient) as services:
            options = {"clock": RunningClock(), "ory": Ory(services, named.issuer()), "place": _really_random}
            yield proxy, options


def _really_random(parts: Parts) -> None:
    """What was chosen in an earlier run is still there."""
    parts.randomness.override(providers.Object(SystemRandomness()))
