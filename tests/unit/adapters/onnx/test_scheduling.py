"""Who waits for whom: queries, long calls and short ones, callers who leave, and the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Barrier, Event, Thread

import attrs
import pytest

from moltnet.adapters.onnx.scheduling import (
    BACKGROUND_TURN,
    PASSAGES_OF_ONE,
    QUERIES,
    QUERIES_OF_ONE,
    RETRY_AFTER_S,
    Scheduler,
)
from moltnet.domain.caller import AllowanceUsedUp
from moltnet.domain.indexing import EmbedderUnavailable, Vector
from moltnet.ports.system import IS_AWAITED

TIMEOUT_S = 30


def vector(text: str) -> Vector:
    return Vector(text.encode().ljust(384 * 2, b"."))


@attrs.define(eq=False)
class Worker:
    """A computation that notes its texts; the text `gate` lasts until the gate opens."""

    texts: list[str] = attrs.field(factory=list)
    at_gate: Event = attrs.field(factory=Event)
    gate: Event = attrs.field(factory=Event)

    async def is_at_gate(self) -> None:
        assert await asyncio.to_thread(self.at_gate.wait, TIMEOUT_S)

    def __call__(self, text: str) -> Vector:
        self.texts.append(text)
        if text == "gate":
            self.at_gate.set()
            assert self.gate.wait(TIMEOUT_S)
        if text == "bad":
            raise EmbedderUnavailable("no vector for bad")
        return vector(text)


@asynccontextmanager
async def busy(worker: Worker) -> AsyncIterator[Scheduler]:
    """A scheduler of one thread, whose thread is at the gate until the block ends."""
    scheduler = Scheduler(worker, threads=1)
    held = asyncio.create_task(scheduler.passages(["gate"]))
    await worker.is_at_gate()
    try:
        yield scheduler
    finally:
        worker.gate.set()
        await held
        await scheduler.close()


async def waiting(*calls):
    """Starts calls one after the other, each of which is in line before the next."""
    tasks = []
    for call in calls:
        tasks.append(asyncio.ensure_future(call))
        await asyncio.sleep(0)  # the first step of a call puts it in line
    return tasks


async def test_results_keep_the_order_of_the_texts():
    scheduler = Scheduler(vector, threads=2)
    texts = [f"text {n}" for n in range(100)]

    assert await scheduler.passages(texts) == [vector(text) for text in texts]
    await scheduler.close()


async def test_no_texts_need_no_turn():
    worker = Worker()
    async with busy(worker) as scheduler:
        assert await scheduler.passages([]) == []


async def test_query_goes_before_waiting_passages():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(scheduler.passages(["passage 1", "passage 2"]), scheduler.query("query"))
        worker.gate.set()
        await asyncio.gather(*tasks)

    assert worker.texts == ["gate", "query", "passage 1", "passage 2"]


async def test_short_call_takes_turns_with_a_long_one():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(scheduler.passages(["long 1", "long 2", "long 3"]), scheduler.passages(["short"]))
        worker.gate.set()
        await asyncio.gather(*tasks)

    assert worker.texts == ["gate", "long 1", "short", "long 2", "long 3"]


async def test_one_call_uses_all_threads():
    together = Barrier(2)

    def compute(text: str) -> Vector:
        together.wait(TIMEOUT_S)  # passes only if two threads are here at once
        return vector(text)

    scheduler = Scheduler(compute, threads=2)
    assert await scheduler.passages(["a", "b"]) == [vector("a"), vector("b")]
    await scheduler.close()


async def test_caller_who_leaves_takes_only_its_own_texts_along():
    worker = Worker()
    async with busy(worker) as scheduler:
        leaves, stays = await waiting(scheduler.passages(["left 1", "left 2"]), scheduler.passages(["stayed"]))
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        worker.gate.set()
        assert await stays == [vector("stayed")]

    assert worker.texts == ["gate", "stayed"]


async def test_caller_who_leaves_while_computed_harms_nobody():
    worker = Worker()
    scheduler = Scheduler(worker, threads=1)
    leaves, stays = await waiting(scheduler.passages(["gate", "left"]), scheduler.passages(["stayed"]))
    await worker.is_at_gate()
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    worker.gate.set()

    assert await stays == [vector("stayed")]
    assert "left" not in worker.texts
    await scheduler.close()


async def test_error_reaches_its_own_caller_alone_and_ends_its_call():
    worker = Worker()
    async with busy(worker) as scheduler:
        fails, works = await waiting(scheduler.passages(["bad", "never"]), scheduler.passages(["good", "good"]))
        worker.gate.set()
        with pytest.raises(EmbedderUnavailable, match="no vector for bad"):
            await fails
        assert await works == [vector("good")] * 2

    assert "never" not in worker.texts


async def test_two_errors_in_one_call_are_reported_once():
    together = Barrier(2)

    def compute(text: str) -> Vector:
        together.wait(TIMEOUT_S)
        raise EmbedderUnavailable(f"no vector for {text}")

    scheduler = Scheduler(compute, threads=2)
    with pytest.raises(EmbedderUnavailable, match="no vector for"):
        await scheduler.passages(["a", "b"])
    await scheduler.close()


async def test_askers_take_turns_however_much_one_of_them_sends():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(
            *(scheduler.passages([f"{call} of much {n}" for n in range(3)], "much") for call in range(2)),
            scheduler.passages(["little 0", "little 1"], "little"),
        )
        worker.gate.set()
        await asyncio.gather(*tasks)

    assert worker.texts[1:5] == ["0 of much 0", "little 0", "1 of much 0", "little 1"]
    assert worker.texts[5:] == ["0 of much 1", "1 of much 1", "0 of much 2", "1 of much 2"]


async def test_askers_of_queries_take_turns():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(
            *(scheduler.query(f"much {n}", "much") for n in range(3)), scheduler.query("one", "other")
        )
        worker.gate.set()
        await asyncio.gather(*tasks)

    assert worker.texts == ["gate", "much 0", "one", "much 1", "much 2"]


async def test_full_queue_of_one_asker_refuses_that_asker_alone():
    worker = Worker()
    async with busy(worker) as scheduler:
        texts = ["much"] * PASSAGES_OF_ONE
        much = await waiting(scheduler.passages(texts, "much"))
        with pytest.raises(AllowanceUsedUp) as refused:
            await scheduler.passages(["one more"], "much")
        others = await waiting(
            scheduler.passages(["little"], "little"), scheduler.query("q", "much"), scheduler.query("q", "little")
        )
        worker.gate.set()
        assert await asyncio.gather(*others) == [[vector("little")], vector("q"), vector("q")]
        assert len((await asyncio.gather(*much))[0]) == PASSAGES_OF_ONE
        assert await scheduler.passages(["again"], "much") == [vector("again")]

    assert refused.value.retry_after_s == RETRY_AFTER_S


async def test_queries_have_a_limit_of_their_own_for_each_asker():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(*(scheduler.query("query", "much") for _ in range(QUERIES_OF_ONE)))
        with pytest.raises(AllowanceUsedUp):
            await scheduler.query("one more", "much")
        tasks += await waiting(scheduler.query("query", "little"), scheduler.passages(["passage"], "much"))
        worker.gate.set()
        assert len(await asyncio.gather(*tasks)) == QUERIES_OF_ONE + 2


async def test_more_than_all_askers_may_have_waiting_is_refused_as_unavailable():
    worker = Worker()
    async with busy(worker) as scheduler:
        askers = [f"asker {n}" for n in range(QUERIES // QUERIES_OF_ONE)]
        calls = [scheduler.query("query", asker) for asker in askers for _ in range(QUERIES_OF_ONE)]
        tasks = await waiting(*calls)
        with pytest.raises(EmbedderUnavailable, match="Too many"):
            await scheduler.query("one more", "nobody yet")
        worker.gate.set()
        assert len(await asyncio.gather(*tasks)) == QUERIES


async def test_calls_that_were_left_make_room_at_once():
    worker = Worker()
    async with busy(worker) as scheduler:
        left = await waiting(scheduler.passages(["left"] * PASSAGES_OF_ONE, "ada"))
        left[0].cancel()
        await asyncio.wait(left)
        stays = await waiting(scheduler.passages(["stays"], "ada"))
        worker.gate.set()
        assert await stays[0] == [vector("stays")]

    assert worker.texts == ["gate", "stays"]


async def test_what_no_client_waits_for_is_dropped_before_its_turn():
    worker, is_there = Worker(), Event()
    is_there.set()
    async with busy(worker) as scheduler:
        before = IS_AWAITED.set(is_there.is_set)
        leaves = await waiting(scheduler.passages(["first", "second"], "ada"), scheduler.query("query", "ada"))
        IS_AWAITED.reset(before)
        stays = await waiting(scheduler.passages(["stays"], "ada"))
        is_there.clear()
        worker.gate.set()
        assert await stays[0] == [vector("stays")]
        for task in leaves:
            with pytest.raises(asyncio.CancelledError):
                await task

    assert worker.texts == ["gate", "stays"]


async def test_work_of_the_network_itself_waits_for_agents_but_comes_to_an_end():
    worker = Worker()
    async with busy(worker) as scheduler:
        tasks = await waiting(
            scheduler.passages(["own"] * 3), scheduler.passages(["agent"] * 2 * BACKGROUND_TURN, "ada")
        )
        worker.gate.set()
        await asyncio.gather(*tasks)

    turn = ["agent"] * BACKGROUND_TURN + ["own"]
    assert worker.texts == ["gate", *turn, *turn, "own"]


async def test_closing_finishes_what_waits_and_refuses_what_comes():
    worker = Worker()
    scheduler = Scheduler(worker, threads=1)
    (task,) = await waiting(scheduler.passages(["gate", "after"]))
    closing = asyncio.create_task(scheduler.close())
    await asyncio.sleep(0)

    with pytest.raises(EmbedderUnavailable, match="closed"):
        await scheduler.query("late")
    worker.gate.set()
    await closing
    assert await task == [vector("gate"), vector("after")]
    await scheduler.close()


async def test_threads_start_again_after_a_pause():
    scheduler = Scheduler(vector, threads=1)

    for n in range(50):
        assert await scheduler.query(f"{n}") == vector(f"{n}")
    await scheduler.close()


async def test_several_event_loops_share_one_scheduler():
    scheduler = Scheduler(vector, threads=2)
    answers: list[list[Vector]] = []

    def another_loop() -> None:
        answers.append(asyncio.run(scheduler.passages(["a", "b"])))

    threads = [Thread(target=another_loop) for _ in range(3)]
    for thread in threads:
        thread.start()
    mine = await scheduler.passages(["a", "b"])
    for thread in threads:
        await asyncio.to_thread(thread.join, TIMEOUT_S)

    assert answers == [mine] * 3
    await scheduler.close()
