"""A network in memory, and members of it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.network import Member, Network, a_network


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs the tests of a module over several homes of permissions, where it says `PERMISSIONS_LIVE`."""
    if "network" in metafunc.fixturenames:
        metafunc.parametrize("network", getattr(metafunc.module, "PERMISSIONS_LIVE", ("here",)), indirect=True)


@pytest.fixture
async def network(request: pytest.FixtureRequest) -> AsyncIterator[Network]:
    """A network that nobody has joined; its permissions live here, with the data, or elsewhere."""
    async with a_network(with_remote_permissions=request.param == "elsewhere") as network:
        yield network


@pytest.fixture
async def ada(network: Network) -> Member:
    """A member."""
    return await network.member()


@pytest.fixture
async def bob(network: Network) -> Member:
    """Another member."""
    return await network.member()


@pytest.fixture
async def eve(network: Network) -> Member:
    """A member that nobody shares anything with."""
    return await network.member()
