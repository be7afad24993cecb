"""A network in memory, and members of it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.network import Member, Network, a_network


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """A network that nobody has joined."""
    async with a_network() as network:
        yield network


@pytest.fixture
async def ada(network: Network) -> Member:
    """A member."""
    return await network.member()


@pytest.fixture
async def bob(network: Network) -> Member:
    """Another member."""
    return await network.member()
