"""Jobs beside the caller."""

import asyncio

import pytest

from moltnet.adapters.system import AsyncioBackground


async def test_a_job_runs_beside_its_caller() -> None:
    background, done = AsyncioBackground(), asyncio.Event()

    async def job() -> None:
        done.set()

    background.run(job())
    assert not done.is_set()
    await done.wait()
    await background.aclose()


async def test_closing_waits_for_every_job_and_for_those_it_starts() -> None:
    background, go_on, ended = AsyncioBackground(), asyncio.Event(), list[str]()

    async def second() -> None:
        await go_on.wait()
        ended.append("second")

    async def first() -> None:
        await go_on.wait()
        background.run(second())
        ended.append("first")

    background.run(first())
    closing = asyncio.create_task(background.aclose())
    await asyncio.wait({closing}, timeout=0)
    assert not closing.done()
    go_on.set()
    await closing
    assert ended == ["first", "second"]


async def test_a_job_that_fails_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    background = AsyncioBackground()

    async def fail() -> None:
        raise ZeroDivisionError

    background.run(fail())
    await background.aclose()
    assert "a background job failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_closing_without_a_job_is_done_at_once() -> None:
    await AsyncioBackground().aclose()
