"""The network of `moltnet.testing`, without a key of its own to sign tokens with, which takes 50 ms to make."""

from collections.abc import AsyncIterator

import pytest

from moltnet.entrypoints.library.network import MoltNet
from moltnet.testing import TurnableClock
from tests.support.networks import embedded


@pytest.fixture
async def moltnet_network(moltnet_clock: TurnableClock) -> AsyncIterator[MoltNet]:
    """A network that nobody has joined."""
    async with embedded(moltnet_clock) as network:
        yield network
