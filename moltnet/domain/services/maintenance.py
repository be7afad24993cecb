"""What a server does beside its requests: jobs that time brings up again and again, and watching over its parts.

A job is done by one process at a time, in small batches that can be stopped anywhere, and continued after a crash. Each
part is asked again and again whether it can do its work, seldom while it can and nobody wants to know, and the answers
are remembered: asking for readiness costs nothing, however often it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import attrs

from moltnet.domain.audit import AUDIT_RETENTION
from moltnet.domain.errors import StorageLost, Unavailable
from moltnet.domain.recovery import CODE_LIFETIME, FLOW_LIFETIME
from moltnet.domain.services.indexing import ReindexingService
from moltnet.domain.signing import SigningRequest
from moltnet.domain.vouching import EXPIRED_VOUCHERS_REMEMBERED
from moltnet.ports.requests import RateLimits
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, ReadinessCheck
from moltnet.ports.workflows import Json, JsonObject, Steps, Workflows

RUN_JOB = "runJob"
# Longer than anything refers to a workflow: a registration is repeated, and a signature awaited, for minutes.
WORKFLOW_RETENTION = timedelta(hours=1)
FORGOTTEN_AT_ONCE = 500


@attrs.frozen(kw_only=True)
class Retention:
    """How long the network stores what is over: events of the audit log, ended workflows, signing requests.

    Without a time for signing requests they stay, since the network answers for their signatures.
    """

    audit: timedelta = AUDIT_RETENTION
    workflows: timedelta = WORKFLOW_RETENTION
    signing_requests: timedelta | None = None


DEFAULT_RETENTION = Retention()


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
    retention: Retention = DEFAULT_RETENTION
    _begun: dict[str, int] = attrs.field(factory=dict, init=False)

    async def begin_due(self) -> None:
        """Begins what is due and has not been started by any process; another process may continue it."""
        at = self.clock.now()
        for job in self.jobs:
            turn = int(at.timestamp() // job.every.total_seconds())
            if self._begun.get(job.name) != turn and await self._begin(job, turn):
                # Anyone who began something clears up behind all.
                await self.workflows.forget_ended(at - self.retention.workflows, FORGOTTEN_AT_ONCE)
            self._begun[job.name] = turn

    async def _begin(self, job: Job, turn: int) -> bool:
        until = (turn + 1) * job.every.total_seconds()
        argument: Mapping[str, Json] = {"job": job.name, "until": until}
        return await self.workflows.start(RUN_JOB, f"{job.name}-{turn}", argument)


BATCH = 500
EXPIRE_EVERY = FORGET_EVERY = timedelta(seconds=60)
FORGET_REQUESTS_EVERY = timedelta(hours=1)  # it reads the whole table, of which no index is kept for this
INDEX_EVERY, INDEXED_AT_ONCE = timedelta(minutes=5), 200
REINDEX_EVERY = timedelta(seconds=60)


@attrs.frozen(kw_only=True)
class MaintenanceService:
    """Clears up; doing it at any time, any number of times, by several processes at once does no harm."""

    storage: Storage
    limits: RateLimits
    clock: Clock
    reindexing: ReindexingService
    retention: Retention = DEFAULT_RETENTION

    def jobs(self) -> tuple[Job, ...]:
        """What is done for the network, by one process at a time."""
        return (
            # A request ends by its own workflow. This is for one whose workflow was never started.
            Job(name="expire-signing-requests", every=EXPIRE_EVERY, batch=self._expire_some),
            Job(name="forget-what-is-over", every=FORGET_EVERY, batch=self._forget),
            Job(name="forget-signing-requests", every=FORGET_REQUESTS_EVERY, batch=self._forget_requests),
            Job(name="index-large-diaries", every=INDEX_EVERY, batch=self._index_large),
            Job(name="analyse-texts-again", every=REINDEX_EVERY, batch=self.reindexing.run),
        )

    async def clear_counts(self) -> None:
        """Forgets requests counted in past minutes: each process does so for itself, for it may count alone."""
        await self.limits.forget_ended()

    async def _forget(self) -> bool:
        """Forgets nonces, sessions, recovery codes, idempotency records, old events, vouchers, lost keys."""
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            await work.nonces.purge(at)
            await work.web_sessions.purge(at)
            await work.records.purge(at)
            await work.idempotency_records.purge(at)
            # A flow that is over still answers so for a while: codes are stored as long as their flows.
            await work.recovery_codes.purge(at - (FLOW_LIFETIME - CODE_LIFETIME))
            await work.lost_keys.purge(at)
            await work.vouchers.purge(at - EXPIRED_VOUCHERS_REMEMBERED)
            await work.audit.purge(at - self.retention.audit)
        return False

    async def _forget_requests(self) -> bool:
        if self.retention.signing_requests is None:
            return False
        async with self.storage.autocommit() as work:
            before = self.clock.now() - self.retention.signing_requests
            return await work.signing_requests.purge(before, BATCH) == BATCH

    async def _index_large(self) -> bool:
        async with self.storage.transaction() as work:
            return await work.candidates.index_large(INDEXED_AT_ONCE)

    async def _expire_some(self) -> bool:
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            overdue: list[SigningRequest] = await work.signing_requests.overdue(at, BATCH)
            for request in overdue:
                await work.signing_requests.complete(request.expire(at))
        return len(overdue) == BATCH


CHECK_EVERY_S = 1.0
CHECK_WITHIN_S = 5.0
REST_S = 5.0
# Who asks whether a server is ready gives it a second, often.
ANSWERED_WITHIN_S = 0.5


@attrs.frozen
class Readiness:
    """What was found out: for each part None, or why it cannot do its work."""

    parts: Mapping[str, str | None]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this server is not ready, a sentence each, none twice; empty when it is ready."""
        return tuple(dict.fromkeys(reason for reason in self.parts.values() if reason is not None))


class _Rest:
    """The time in which a part is not asked because it could do its work and nobody wants to know."""

    def __init__(self) -> None:
        self.woken, self.answered = asyncio.Event(), asyncio.Event()


class ReadinessService:
    """Watches over the parts of one process."""

    def __init__(
        self,
        checks: Mapping[str, ReadinessCheck],
        *,
        every_s: float = CHECK_EVERY_S,
        within_s: float = CHECK_WITHIN_S,
        rest_s: float = REST_S,
    ) -> None:
        """`checks` are the parts by name. A part counts as ready until it says otherwise: it has just started.

        Each is asked `every_s` seconds after its last answer, and has `within_s` seconds for it. Of one that was ready
        `fresh` is awaited before, for `rest_s` seconds at most.
        """
        self._checks = dict(checks)
        self._every_s, self._within_s, self._rest_s = every_s, within_s, rest_s
        self._reasons: dict[str, str | None] = dict.fromkeys(checks)
        self._rests: dict[str, _Rest] = {}
        self._lost: asyncio.Future[StorageLost] | None = None

    def now(self) -> Readiness:
        """What is known at this moment; some seconds old at most while the parts answer."""
        return Readiness(dict(self._reasons))

    async def fresh(self) -> Readiness:
        """What is known, a second old at most; of a part that does not answer at once, what was known before."""
        rests = list(self._rests.values())
        for rest in rests:
            rest.woken.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                for rest in rests:
                    await rest.answered.wait()
        return self.now()

    async def lost(self) -> StorageLost:
        """Waits until a part is gone for good, and answers the error that says so."""
        return await asyncio.shield(self._loss())

    async def watch(self) -> None:
        """Asks every part again and again, until it is cancelled."""
        await asyncio.gather(*(self._watch(name, check) for name, check in self._checks.items()))

    async def _watch(self, name: str, check: ReadinessCheck) -> None:
        while True:
            check_task = asyncio.create_task(self._ask(name, check))
            try:
                # Not cancelled when it takes long: a driver may wait for its server even then.
                done, _ = await asyncio.wait({check_task}, timeout=self._within_s)
                if not done:
                    self._reasons[name] = f"The {name} has not answered for some seconds"
                await check_task
            finally:
                check_task.cancel()
            if name in self._rests:
                self._rests.pop(name).answered.set()
            await asyncio.sleep(self._every_s)
            if self._reasons[name] is None:
                await self._rested(name)

    async def _rested(self, name: str) -> None:
        rest = self._rests[name] = _Rest()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._rest_s):
                await rest.woken.wait()

    async def _ask(self, name: str, check: ReadinessCheck) -> None:
        try:
            await check.check()
        except StorageLost as error:
            self._reasons[name] = error.detail
            if not self._loss().done():
                self._loss().set_result(error)
        except Unavailable as error:
            self._reasons[name] = error.detail
        else:
            self._reasons[name] = None

    def _loss(self) -> "asyncio.Future[StorageLost]":
        if self._lost is None:
            self._lost = asyncio.get_running_loop().create_future()
        return self._lost
