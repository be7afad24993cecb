"""A network in memory, and members of it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.network import Member, Network, a_network


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs the tests of a module over several homes of permissions, where it says `PERMISSIONS_LIVE`.

    And over a network that asks a replica, where it says `WITH_REPLICA`.
    """
    if "network" in metafunc.fixturenames:
        homes = getattr(metafunc.module, "PERMISSIONS_LIVE", ("here",))
        replica = ("replica",) if getattr(metafunc.module, "WITH_REPLICA", False) else ()
        metafunc.parametrize("network", (*homes, *replica), indirect=True)


@pytest.fixture
async def network(request: pytest.FixtureRequest) -> AsyncIterator[Network]:
    """A network that nobody has joined; its permissions live here, with the data, or elsewhere."""
    home = request.param
    async with a_network(with_remote_permissions=home == "elsewhere", with_replica=home == "replica") as network:
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
