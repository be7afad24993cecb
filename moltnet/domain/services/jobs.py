"""Jobs: work that time brings up again and again, done by one process at a time, and continued after a crash."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import attrs

from moltnet.ports.system import Clock
from moltnet.ports.workflows import Json, JsonObject, Steps, Workflows

RUN_JOB = "runJob"
# Longer than anything refers to a workflow: a registration is repeated, and a signature awaited, for minutes.
WORKFLOW_RETENTION = timedelta(hours=1)
FORGOTTEN_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class Job:
    """Something that is to be done in every stretch of time of this length.

    `batch` does some of it and answers whether there may be more. What is left to do is seen from the data alone, so a
    batch that was interrupted, or is done twice, does no harm.
    """

    name: str
    every: timedelta
    batch: Callable[[], Awaitable[bool]]


@attrs.frozen
class JobWorkflow:
    """The body of `runJob`: batch after batch, until nothing is left or the next run's time has come.

    One batch is done in any case: a run that begins at the very end of its turn would otherwise use the turn up.
    """

    jobs: Sequence[Job]
    clock: Clock

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """Runs the job that the argument names; one that this release does not know is left alone."""
        job = next((job for job in self.jobs if job.name == argument["job"]), None)
        while job and await steps.step(job.name, job.batch):
            if self.clock.now().timestamp() >= float(str(argument["until"])):
                break
        return None


@attrs.define
class Schedule:
    """Begins each job once in its time: a run's name tells its turn, so that of several processes one is first."""

    workflows: Workflows
    jobs: Sequence[Job]
    clock: Clock
    _begun: dict[str, int] = attrs.field(factory=dict, init=False)

    async def begin_due(self) -> None:
        """Begins what is due and has not been started by any process; another process may continue it."""
        at = self.clock.now()
        for job in self.jobs:
            turn = int(at.timestamp() // job.every.total_seconds())
            if self._begun.get(job.name) != turn and await self._begin(job, turn):
                # Anyone who began something clears up behind all.
                await self.workflows.forget_ended(at - WORKFLOW_RETENTION, FORGOTTEN_AT_ONCE)
            self._begun[job.name] = turn

    async def _begin(self, job: Job, turn: int) -> bool:
        until = (turn + 1) * job.every.total_seconds()
        argument: Mapping[str, Json] = {"job": job.name, "until": until}
        return await self.workflows.start(RUN_JOB, f"{job.name}-{turn}", argument)
