"""A furnished network for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.wire.stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The stage as a test finds it."""
    async with a_stage() as built:
        yield built
