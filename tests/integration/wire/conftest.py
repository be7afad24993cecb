"""A furnished network for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.wire.stage import Stage, a_stage


@pytest.fixture(params=["native", pytest.param("ory", marks=[pytest.mark.real, pytest.mark.ory])])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """The stage as a test finds it: with the network's own identities and tokens, and with Ory's."""
    async with a_stage(with_ory=request.param == "ory") as built:
        yield built
