"""The port `Workflows`, and the messages of `Steps`."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.vouching import VoucherExpired
from moltnet.ports.workflows import Json, JsonObject, Steps, WorkflowNotFound, WorkflowUnfinished
from tests.support.engines import Action, Launch

MUCH_LATER_S = 60.0


async def echo(steps: Steps, argument: JsonObject) -> Json:
    """Answers what it was started with."""
    return {"id": steps.workflow_id, "argument": dict(argument)}


async def receive_two(steps: Steps, _: JsonObject) -> Json:
    """Answers the first two messages under a topic."""
    return [dict(await steps.receive("topic", MUCH_LATER_S) or {}) for _ in range(2)]


# Start and result


async def test_a_workflow_sees_its_id_and_argument_and_answers(launch: Launch) -> None:
    workflows = await launch(echo)
    argument: JsonObject = {"text": "\u2014\x00", "list": [1, 2.5, None, True], "object": {"nested": []}}
    await workflows.start("work", "a", argument)
    assert await workflows.result("a") == {"id": "a", "argument": argument}


async def test_a_second_start_joins_the_first(launch: Launch) -> None:
    action = Action()

    async def body(steps: Steps, argument: JsonObject) -> Json:
        await steps.step("act", action)
        return argument["number"]

    workflows = await launch(body)
    await asyncio.gather(*(workflows.start("work", "a", {"number": 1}) for _ in range(3)))
    assert await workflows.result("a") == 1
    await workflows.start("work", "a", {"number": 2})
    assert await workflows.result("a") == 1
    assert action.calls == 1


async def test_several_can_wait_for_one_result(launch: Launch) -> None:
    workflows = await launch(receive_two)
    await workflows.start("work", "a", {})
    waiting = asyncio.gather(*(workflows.result("a") for _ in range(3)))
    for number in range(2):
        await workflows.send("a", "topic", {"number": number})
    assert await waiting == [[{"number": 0}, {"number": 1}]] * 3


async def test_any_caller_that_stops_waiting_does_not_stop_the_workflow(launch: Launch) -> None:
    workflows = await launch(receive_two)
    await workflows.start("work", "a", {})
    impatient = asyncio.create_task(workflows.result("a"))
    await asyncio.wait({impatient}, timeout=0)
    impatient.cancel()
    await asyncio.wait({impatient})
    for _ in range(2):
        await workflows.send("a", "topic", {})
    assert await workflows.result("a") == [{}, {}]


async def test_workflows_do_not_mix(launch: Launch) -> None:
    workflows = await launch(receive_two)
    for name in ("a", "b"):
        await workflows.start("work", name, {})
    for _ in range(2):
        for name in ("a", "b"):
            await workflows.send(name, "topic", {"to": name})
    assert await asyncio.gather(workflows.result("a"), workflows.result("b")) == [[{"to": "a"}] * 2, [{"to": "b"}] * 2]


async def test_nobody_hears_of_a_workflow_that_was_never_started(launch: Launch) -> None:
    workflows = await launch(echo)
    with pytest.raises(WorkflowNotFound):
        await workflows.result("unknown")
    with pytest.raises(WorkflowNotFound):
        await workflows.send("unknown", "topic", {})


@pytest.mark.parametrize("error", [VoucherExpired(), VoucherExpired("In other words"), StorageUnavailable()])
async def test_the_result_raises_what_the_workflow_raised(launch: Launch, error: Exception) -> None:
    async def body(_: Steps, __: JsonObject) -> Json:
        raise error

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            await workflows.result("a")
        assert raised.type is type(error)
        assert str(raised.value) == str(error)


async def test_counts_are_by_state(launch: Launch) -> None:
    workflows = await launch(receive_two)
    assert await workflows.counts() == {}
    await workflows.start("work", "a", {})
    await workflows.start("work", "b", {})
    assert await workflows.counts() == {"pending": 2}
    for number in range(2):
        await workflows.send("a", "topic", {"number": number})
    await workflows.result("a")
    counts = await workflows.counts()
    assert (counts["pending"], sum(counts.values())) == (1, 2)


# Only JSON passes


@pytest.mark.parametrize("value", [UUID(int=0), datetime(2026, 1, 30, tzinfo=UTC), b"bytes", {1, 2}, float("nan")])
async def test_an_argument_or_message_that_is_not_json_is_refused(launch: Launch, value: object) -> None:
    workflows = await launch(receive_two)
    with pytest.raises((TypeError, ValueError)):
        await workflows.start("work", "a", {"value": value})  # type: ignore[dict-item]
    with pytest.raises(WorkflowNotFound):
        await workflows.result("a")
    await workflows.start("work", "a", {})
    with pytest.raises((TypeError, ValueError)):
        await workflows.send("a", "topic", {"value": value})  # type: ignore[dict-item]


async def test_an_answer_of_a_step_that_is_not_json_is_refused(launch: Launch) -> None:
    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.step("act", Action(UUID(int=0)))  # type: ignore[arg-type]

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    with pytest.raises(TypeError):
        await workflows.result("a")


async def test_a_workflow_sees_what_json_keeps(launch: Launch) -> None:
    async def body(steps: Steps, argument: JsonObject) -> Json:
        return [type(argument["pair"]).__name__, type(await steps.step("act", Action((1, 2)))).__name__]  # type: ignore[arg-type]

    workflows = await launch(body)
    await workflows.start("work", "a", {"pair": (1, 2)})  # type: ignore[dict-item]
    assert await workflows.result("a") == ["list", "list"]


# Messages


async def test_messages_are_received_in_the_order_they_were_sent(launch: Launch) -> None:
    workflows = await launch(receive_two)
    await workflows.start("work", "a", {})
    for number in range(2):
        await workflows.send("a", "topic", {"number": number})
    assert await workflows.result("a") == [{"number": 0}, {"number": 1}]


async def test_a_message_that_comes_first_is_stored(launch: Launch) -> None:
    go_on = asyncio.Event()

    async def act() -> Json:
        await go_on.wait()

    async def body(steps: Steps, _: JsonObject) -> Json:
        await steps.step("act", act)
        return dict(await steps.receive("topic", 0) or {"message": "none"})

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await workflows.send("a", "topic", {"message": "early"})
    go_on.set()
    assert await workflows.result("a") == {"message": "early"}


async def test_a_message_under_another_topic_waits_for_its_turn(launch: Launch) -> None:
    async def body(steps: Steps, _: JsonObject) -> Json:
        return [dict(await steps.receive(topic, MUCH_LATER_S) or {}) for topic in ("second", "first")]

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    for topic in ("first", "second"):
        await workflows.send("a", topic, {"topic": topic})
    assert await workflows.result("a") == [{"topic": "second"}, {"topic": "first"}]


@pytest.mark.parametrize("timeout_s", [0, 0.01])
async def test_without_a_message_in_time_there_is_none(launch: Launch, timeout_s: float) -> None:
    async def body(steps: Steps, _: JsonObject) -> Json:
        return await steps.receive("topic", timeout_s) is None

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    assert await workflows.result("a") is True


async def test_a_message_after_the_end_is_no_error(launch: Launch) -> None:
    workflows = await launch(echo)
    await workflows.start("work", "a", {})
    await workflows.result("a")
    await workflows.send("a", "topic", {})


async def test_a_waiting_workflow_wakes_when_its_message_comes(launch: Launch) -> None:
    waiting = asyncio.Event()

    async def act() -> Json:
        waiting.set()

    async def body(steps: Steps, _: JsonObject) -> Json:
        await steps.step("act", act)
        return dict(await steps.receive("topic", MUCH_LATER_S) or {})

    workflows = await launch(body)
    await workflows.start("work", "a", {})
    await waiting.wait()
    with pytest.raises(WorkflowUnfinished):
        await workflows.result("a", within_s=0.05)
    await workflows.send("a", "topic", {"wake": "up"})
    # Far sooner than any engine would look by itself.
    assert await workflows.result("a", within_s=MUCH_LATER_S / 4) == {"wake": "up"}


# Waiting for so long, and forgetting


async def test_only_the_first_start_learns_that_it_began_the_work(launch: Launch) -> None:
    workflows = await launch(echo)
    begun = await asyncio.gather(*(workflows.start("work", "a", {}) for _ in range(3)))
    assert sorted(begun) == [False, False, True]
    await workflows.result("a")
    assert not await workflows.start("work", "a", {})


async def test_a_name_without_a_body_is_a_mistake(launch: Launch) -> None:
    workflows = await launch(echo)
    with pytest.raises(LookupError, match="unknown"):
        await workflows.start("unknown", "a", {})


async def test_what_takes_longer_than_somebody_waits_goes_on(launch: Launch) -> None:
    workflows = await launch(receive_two)
    await workflows.start("work", "a", {})
    for within_s in (0, 0.01):
        with pytest.raises(WorkflowUnfinished):
            await workflows.result("a", within_s)
    for _ in range(2):
        await workflows.send("a", "topic", {})
    assert await workflows.result("a", MUCH_LATER_S) == [{}, {}]


async def test_what_ended_before_a_time_is_forgotten_and_its_id_is_free(launch: Launch) -> None:
    workflows = await launch(receive_two)
    for workflow_id in ("a", "b", "unfinished"):
        await workflows.start("work", workflow_id, {})
    for workflow_id in ("a", "a", "b", "b"):
        await workflows.send(workflow_id, "topic", {"first": True})
    for workflow_id in ("a", "b"):
        await workflows.result(workflow_id)
    now = datetime.now(UTC)
    assert await workflows.forget_ended(now - timedelta(hours=1), 10) == 0
    later = now + timedelta(seconds=10)
    assert await workflows.forget_ended(later, 1) == 1
    assert await workflows.forget_ended(later, 10) == 1
    for workflow_id in ("a", "b"):
        with pytest.raises(WorkflowNotFound):
            await workflows.result(workflow_id)
    assert await workflows.start("work", "a", {})
    for workflow_id in ("a", "unfinished"):
        for _ in range(2):
            await workflows.send(workflow_id, "topic", {"first": False})
        assert await workflows.result(workflow_id) == [{"first": False}] * 2


async def test_any_text_passes(launch: Launch) -> None:
    workflows = await launch(echo)
    argument: JsonObject = {"text": "\x00 \ud800 \U0001f9e0 ' \\ \"", "long": "m" * 200_000}
    await workflows.start("work", "a", argument)
    assert await workflows.result("a") == {"id": "a", "argument": argument}
