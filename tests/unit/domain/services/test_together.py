"""Two things waited for at once."""

import asyncio

import pytest

from moltnet.domain.services.models import both


async def test_both_are_answered_in_order() -> None:
    async def one() -> int:
        return 1

    async def two() -> str:
        return "two"

    assert await both(one(), two()) == (1, "two")


@pytest.mark.parametrize("cancelled", [True, False])
async def test_what_nobody_waits_for_any_more_is_given_up(*, cancelled: bool) -> None:
    ended, started = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fails() -> None:
        await started.wait()
        if cancelled:
            await asyncio.Event().wait()
        raise ValueError("so it is")

    waiting = asyncio.create_task(both(endless(), fails()))
    await started.wait()
    if cancelled:
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError if cancelled else ValueError):
        await waiting
    await ended.wait()
