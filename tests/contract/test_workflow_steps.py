"""The port `Steps`: what a workflow does, and what it remembers when it is taken up again."""

import asyncio

import pytest

from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.vouching import VoucherExpired
from moltnet.ports.workflows import Json, JsonObject, Steps
from tests.support.engines import Action, Engine, Launch

MUCH_LATER_S = 60.0


# Steps


async def test_a_step_runs_once_and_answers(launch: Launch) -> None:
    action = Action({"made": [1]})

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", action)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    assert await workflows.result("a") == {"made": [1]}
    assert action.calls == 1


async def test_two_steps_of_one_name_are_two(launch: Launch) -> None:
    actions = [Action(1), Action(2)]

    async def body(steps: Steps, _: JsonObject) -> Json:
        return [await steps.step("act", action) for action in actions]

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    assert await workflows.result("a") == [1, 2]


@pytest.mark.parametrize(("failures", "attempts"), [(0, 1), (1, 2), (2, 3)])
async def test_what_is_unavailable_is_tried_again(launch: Launch, failures: int, attempts: int) -> None:
    action = Action("done", failures, StorageUnavailable())

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", action, attempts)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    assert await workflows.result("a") == "done"
    assert action.calls == failures + 1


@pytest.mark.parametrize("attempts", [1, 3])
async def test_after_all_attempts_the_last_error_is_raised(launch: Launch, attempts: int) -> None:
    action = Action(failures=10, error=StorageUnavailable("Still down"))

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", action, attempts)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    with pytest.raises(StorageUnavailable, match="Still down"):
        await workflows.result("a")
    assert action.calls == attempts


async def test_any_other_error_is_raised_at_once(launch: Launch) -> None:
    action = Action(failures=10, error=VoucherExpired())

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", action, 3)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    with pytest.raises(VoucherExpired):
        await workflows.result("a")
    assert action.calls == 1


async def test_a_body_can_undo_what_a_step_began(launch: Launch) -> None:
    undo = Action("undone")

    async def body(steps: Steps, _: JsonObject) -> Json:
        try:
            return await steps.step("act", Action(failures=1, error=VoucherExpired()))
        except VoucherExpired:
            return await steps.step("undo", undo)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    assert await workflows.result("a") == "undone"


# Recovered


async def test_a_recovered_workflow_does_not_take_a_step_twice(engine: Engine, launch: Launch) -> None:
    first, second = Action("first"), Action("second")
    reached = asyncio.Event()

    async def body(steps: Steps, argument: JsonObject) -> Json:
        answers = [argument["number"], await steps.step("first", first)]
        reached.set()
        message = dict(await steps.receive("topic", MUCH_LATER_S) or {})
        return [*answers, message, await steps.step("second", second)]

    workflows = await launch(body)
    await workflows.start("work", "a", {"number": 1})
    await reached.wait()
    await engine.stop()
    workflows = await launch(body)
    await workflows.send("a", "topic", {"late": True})
    assert await workflows.result("a") == [1, "first", {"late": True}, "second"]
    assert (first.calls, second.calls) == (1, 1)


async def test_a_step_that_was_interrupted_is_taken_again(engine: Engine, launch: Launch) -> None:
    entries: list[str] = []
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def act() -> Json:
        entries.append("entered")
        entered.set()
        await go_on.wait()
        return len(entries)

    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", act)

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await entered.wait()
    await engine.stop()
    workflows = await launch(body)
    go_on.set()
    assert await workflows.result("a") == 2


async def test_an_error_of_a_step_is_remembered_like_an_answer(engine: Engine, launch: Launch) -> None:
    action = Action("done", 1, VoucherExpired("In other words"))
    undoing, go_on = asyncio.Event(), asyncio.Event()

    async def undo() -> Json:
        undoing.set()
        await go_on.wait()

    async def body(steps: Steps, _: JsonObject) -> Json:
        try:
            return await steps.step("act", action)
        except VoucherExpired as error:
            await steps.step("undo", undo)
            return f"undone: {error.detail}"

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await undoing.wait()
    await engine.stop()
    workflows = await launch(body)
    go_on.set()
    assert await workflows.result("a") == "undone: In other words"
    assert action.calls == 1


async def test_a_crash_is_no_error_that_a_body_could_catch(engine: Engine, launch: Launch) -> None:
    caught: list[BaseException] = []
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def act() -> Json:
        entered.set()
        await go_on.wait()

    async def body(steps: Steps, _: JsonObject) -> Json:
        try:
            return await steps.step("act", act)
        except Exception as error:
            caught.append(error)
            raise

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await entered.wait()
    await engine.stop()
    workflows = await launch(body)
    go_on.set()
    assert await workflows.result("a") is None
    assert caught == []


async def test_a_received_message_is_remembered_too(engine: Engine, launch: Launch) -> None:
    waiting = asyncio.Event()
    go_on = asyncio.Event()

    async def act() -> Json:
        waiting.set()
        await go_on.wait()

    async def body(steps: Steps, _: JsonObject) -> Json:
        message = dict(await steps.receive("topic", MUCH_LATER_S) or {})
        missed = await steps.receive("topic", 0)
        await steps.step("act", act)
        return [message, missed is None]

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await workflows.send("a", "topic", {"message": 1})
    await waiting.wait()
    await engine.stop()
    workflows = await launch(body)
    await workflows.send("a", "topic", {"message": 2})
    go_on.set()
    assert await workflows.result("a") == [{"message": 1}, True]


async def test_what_has_ended_is_not_begun_again(engine: Engine, launch: Launch) -> None:
    begun: list[str] = []

    async def body(steps: Steps, argument: JsonObject) -> Json:
        begun.append(steps.workflow_id)
        if argument["fails"]:
            raise VoucherExpired
        return "done"

    workflows = await launch(body)
    await workflows.start("work", "good", {"fails": False})
    await workflows.start("work", "bad", {"fails": True})
    assert await workflows.result("good") == "done"
    with pytest.raises(VoucherExpired):
        await workflows.result("bad")
    await engine.stop()
    workflows = await launch(body)
    await workflows.start("work", "good", {"fails": True})
    assert await workflows.result("good") == "done"
    with pytest.raises(VoucherExpired):
        await workflows.result("bad")
    assert sorted(begun) == ["bad", "good"]
