"""What only workflows in memory promise."""

import asyncio
from itertools import pairwise

import pytest

from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.domain.errors import Unavailable
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps

AT_ONCE = Backoff(first_s=0)


async def test_a_failed_step_is_tried_again_after_growing_pauses() -> None:
    calls: list[float] = []
    loop = asyncio.get_running_loop()

    async def act() -> Json:
        calls.append(loop.time())
        if len(calls) <= 3:
            raise Unavailable
        return None

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", act, 4)

    workflows = MemoryWorkflows({"work": body}, backoff=Backoff(first_s=0.02, growth=3, longest_s=0.05))
    await workflows.start("work", "a", {})
    await workflows.result("a")
    pauses = [later - earlier for earlier, later in pairwise(calls)]
    assert all(pause >= least for pause, least in zip(pauses, (0.015, 0.045, 0.045), strict=True))


async def test_a_name_without_a_body_is_a_mistake() -> None:
    workflows = MemoryWorkflows({}, backoff=AT_ONCE)
    with pytest.raises(LookupError, match="unknown"):
        await workflows.start("unknown", "a", {})


async def test_a_waiting_caller_learns_that_the_work_was_interrupted() -> None:
    async def body(steps: Steps, _: JsonObject) -> Json:
        await steps.receive("topic", 60)
        return None

    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE)
    await workflows.start("work", "a", {})
    waiting = asyncio.create_task(workflows.result("a"))
    await asyncio.wait({waiting}, timeout=0)
    await workflows.aclose()
    with pytest.raises(Unavailable, match="interrupted"):
        await waiting
    with pytest.raises(Unavailable, match="interrupted"):
        await workflows.result("a")


async def test_after_closing_nothing_is_started() -> None:
    async def body(_: Steps, __: JsonObject) -> Json:
        return None

    journal = Journal()
    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE, journal=journal)
    await workflows.aclose()
    with pytest.raises(Unavailable):
        await workflows.start("work", "a", {})
    assert not journal.runs


async def test_recovery_leaves_alone_what_is_running() -> None:
    begun: list[str] = []

    async def body(steps: Steps, _: JsonObject) -> Json:
        begun.append(steps.workflow_id)
        await steps.receive("topic", 60)
        return None

    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE)
    await workflows.start("work", "a", {})
    await workflows.recover()
    await workflows.send("a", "topic", {})
    await workflows.result("a")
    assert begun == ["a"]


async def test_a_body_that_goes_another_way_after_recovery_is_reported() -> None:
    names = iter(["before", "after"])
    reached = asyncio.Event()

    async def act() -> Json:
        return None

    async def body(steps: Steps, _: JsonObject) -> Json:
        await steps.step(next(names), act)
        reached.set()
        await steps.receive("topic", 60)
        return None

    journal = Journal()
    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE, journal=journal)
    await workflows.start("work", "a", {})
    await reached.wait()
    await workflows.aclose()
    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE, journal=journal)
    await workflows.recover()
    with pytest.raises(RuntimeError, match="deterministic"):
        await workflows.result("a")


async def test_what_nobody_expected_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def body(_: Steps, __: JsonObject) -> Json:
        raise ZeroDivisionError

    workflows = MemoryWorkflows({"work": body}, backoff=AT_ONCE)
    await workflows.start("work", "a", {})
    with pytest.raises(ZeroDivisionError):
        await workflows.result("a")
    assert "workflow a (work) failed" in caplog.text
