"""What is done again and again: once in its time, whoever does it, and on from where it stopped."""

import asyncio
from datetime import UTC, datetime, timedelta

import attrs

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.domain.services.maintenance import RUN_JOB, WORKFLOW_RETENTION, Job, JobWorkflow, Schedule
from moltnet.ports.workflows import Backoff
from tests.support.builders import NOON

MINUTE = timedelta(minutes=1)


@attrs.define
class Piles:
    """Work that is done one piece at a time."""

    left: int = 0
    batches: int = 0

    async def batch(self) -> bool:
        self.batches += 1
        self.left = max(self.left - 1, 0)
        return self.left > 0


@attrs.frozen
class Process:
    """One of the processes that share a journal, and the jobs of all."""

    clock: MemoryClock
    workflows: MemoryWorkflows
    schedule: Schedule
    journal: Journal

    async def works(self) -> None:
        """Begins what is due, and waits until nothing is under way."""
        await self.schedule.begin_due()
        for workflow_id in list(self.journal.runs):
            await self.workflows.result(workflow_id)


def a_process(clock: MemoryClock, journal: Journal, *jobs: Job) -> Process:
    body = JobWorkflow(jobs, clock)
    workflows = MemoryWorkflows({RUN_JOB: body.run}, backoff=Backoff(first_s=0), journal=journal)
    return Process(clock, workflows, Schedule(workflows, jobs, clock), journal)


async def test_a_job_is_done_batch_after_batch_until_nothing_is_left() -> None:
    piles = Piles(left=3)
    await a_process(MemoryClock(NOON), Journal(), Job(name="tidy", every=MINUTE, batch=piles.batch)).works()
    assert (piles.left, piles.batches) == (0, 3)


async def test_a_job_is_begun_once_in_its_time_by_the_first() -> None:
    clock, journal, piles = MemoryClock(NOON), Journal(), Piles()
    processes = [a_process(clock, journal, Job(name="tidy", every=MINUTE, batch=piles.batch)) for _ in range(2)]
    for process in processes * 2:
        await process.schedule.begin_due()
    await processes[0].works()
    assert piles.batches == 1
    clock.advance(MINUTE)
    for process in processes:
        await process.schedule.begin_due()
    await processes[0].works()
    assert piles.batches == 2


async def test_each_job_has_its_own_time() -> None:
    often, seldom = Piles(), Piles()
    jobs = (
        Job(name="often", every=timedelta(seconds=5), batch=often.batch),
        Job(name="seldom", every=MINUTE, batch=seldom.batch),
    )
    process = a_process(MemoryClock(NOON), Journal(), *jobs)
    for _ in range(24):
        await process.works()
        process.clock.advance(timedelta(seconds=5))
    assert (often.batches, seldom.batches) == (24, 2)


async def test_a_long_job_stops_when_its_next_turn_has_come_which_goes_on() -> None:
    clock, piles = MemoryClock(NOON), Piles(left=10)

    async def slow() -> bool:
        clock.advance(timedelta(seconds=20))
        return await piles.batch()

    process = a_process(clock, Journal(), Job(name="tidy", every=MINUTE, batch=slow))
    await process.works()
    assert piles.batches == 3
    await process.works()
    assert piles.batches == 6


async def test_a_job_that_begins_when_its_turn_is_over_is_not_done_for_nothing() -> None:
    clock, piles = MemoryClock(NOON), Piles(left=3)
    process = a_process(clock, Journal(), Job(name="tidy", every=MINUTE, batch=piles.batch))
    await process.workflows.start(RUN_JOB, "late", {"job": "tidy", "until": NOON.timestamp()})
    await process.workflows.result("late")
    assert (piles.left, piles.batches) == (2, 1)


async def test_a_job_goes_on_after_a_crash() -> None:
    clock, journal, piles = MemoryClock(NOON), Journal(), Piles(left=3)
    reached = asyncio.Event()

    async def stands_still() -> bool:
        reached.set()
        await asyncio.Event().wait()
        return False

    first = a_process(clock, journal, Job(name="tidy", every=MINUTE, batch=stands_still))
    await first.schedule.begin_due()
    await reached.wait()
    await first.workflows.aclose()
    second = a_process(clock, journal, Job(name="tidy", every=MINUTE, batch=piles.batch))
    await second.workflows.recover()
    await second.works()
    assert (piles.left, piles.batches) == (0, 3)


async def test_a_job_that_this_release_does_not_know_is_left_alone() -> None:
    process = a_process(MemoryClock(NOON), Journal())
    await process.workflows.start(RUN_JOB, "unknown", {"job": "unknown", "until": NOON.timestamp() + 60})
    assert await process.workflows.result("unknown") is None


async def test_what_ended_long_ago_is_forgotten() -> None:
    clock, piles = MemoryClock(datetime.now(UTC)), Piles()
    process = a_process(clock, Journal(), Job(name="tidy", every=MINUTE, batch=piles.batch))
    await process.works()
    (first,) = process.journal.runs
    clock.advance(WORKFLOW_RETENTION + MINUTE)
    await process.works()
    assert first not in process.journal.runs
    assert len(process.journal.runs) == 1
