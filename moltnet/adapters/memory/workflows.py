"""Workflows as tasks of this process, with a journal from which unfinished ones can be taken up again."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import attrs
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.ports.workflows import Backoff, Json, JsonObject, WorkflowBody, WorkflowNotFound, WorkflowUnfinished

_log = logging.getLogger(__name__)


@attrs.frozen
class _Answered:
    """What a step or a workflow answered, as JSON text."""

    text: str

    def unwrap(self) -> Json:
        """The answer."""
        return _json(self.text)


@attrs.frozen
class _Failed:
    """What a step or a workflow raised."""

    error: Exception

    def unwrap(self) -> Json:
        """Raises it."""
        raise self.error


@attrs.define
class _Run:
    """What is remembered of a workflow. Steps are distinguished by their place in it, counted from 0."""

    name: str
    argument: str
    steps: dict[int, tuple[str, _Answered | _Failed]] = attrs.field(factory=dict)
    inboxes: dict[str, asyncio.Queue[str]] = attrs.field(factory=dict)
    outcome: _Answered | _Failed | None = None
    ended_at: datetime | None = None

    def inbox(self, topic: str) -> asyncio.Queue[str]:
        """The messages sent under a topic and not received yet."""
        return self.inboxes.setdefault(topic, asyncio.Queue())


@attrs.frozen
class Journal:
    """All that is remembered of workflows; outlives the `MemoryWorkflows` that writes it, as a database would."""

    runs: dict[str, _Run] = attrs.field(factory=dict)


class MemoryWorkflows:
    """The port `Workflows` in one process and one event loop.

    Arguments, messages and answers go through JSON, so that a body sees here what it sees of a durable engine.
    `bodies` are the workflows by name. With the journal of one that was closed, `recover` takes up its work.
    """

    def __init__(self, bodies: Mapping[str, WorkflowBody], *, backoff: Backoff, journal: Journal | None = None) -> None:
        self._bodies = bodies
        self._backoff = backoff
        self._runs = (journal or Journal()).runs
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> bool:
        """Starts a workflow, or joins the one of this id; raises LookupError for a name without a body."""
        if self._closed:
            raise Unavailable("Workflows are not started any more")
        if name not in self._bodies:
            raise LookupError(f"no workflow is named {name}")
        if workflow_id in self._runs:
            return False
        self._runs[workflow_id] = _Run(name, _text(dict(argument)))
        self._begin(workflow_id)
        return True

    async def result(self, workflow_id: str, within_s: float | None = None) -> Json:
        """The answer, once there is one; raises Unavailable, too, when this engine was closed before."""
        run = self._run(workflow_id)
        task = self._tasks.get(workflow_id)
        if task and (await asyncio.wait({task}, timeout=within_s))[1]:
            raise WorkflowUnfinished
        if run.outcome is None:
            raise Unavailable("The workflow was interrupted before it ended")
        return run.outcome.unwrap()

    async def send(self, workflow_id: str, topic: str, message: JsonObject) -> None:
        self._run(workflow_id).inbox(topic).put_nowait(_text(dict(message)))

    async def check(self) -> None:
        """Raises Unavailable once this engine was closed."""
        if self._closed:
            raise Unavailable("Workflows are not started any more")

    async def counts(self) -> Mapping[str, int]:
        return Counter("ended" if run.outcome else "pending" for run in self._runs.values())

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Forgets workflows that ended before a time by the machine's clock."""
        ended = [name for name, run in self._runs.items() if run.ended_at and run.ended_at < before][:limit]
        for workflow_id in ended:
            del self._runs[workflow_id]
        return len(ended)

    async def recover(self) -> None:
        """Begins every unfinished workflow of the journal again; the steps they had taken are not taken again."""
        for workflow_id, run in self._runs.items():
            if run.outcome is None and workflow_id not in self._tasks:
                self._begin(workflow_id)

    async def aclose(self) -> None:
        """Interrupts what is unfinished, and waits until all of it has stopped."""
        self._closed = True
        for task in self._tasks.values():
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    def _run(self, workflow_id: str) -> _Run:
        run = self._runs.get(workflow_id)
        if run is None:
            raise WorkflowNotFound
        return run

    def _begin(self, workflow_id: str) -> None:
        task = asyncio.create_task(self._take(workflow_id, self._runs[workflow_id]), name=workflow_id)
        self._tasks[workflow_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(workflow_id))

    async def _take(self, workflow_id: str, run: _Run) -> None:
        steps = _MemorySteps(workflow_id, run, self._backoff)
        try:
            run.outcome = _Answered(_text(await self._bodies[run.name](steps, _object(run.argument))))
        except Exception as error:  # noqa: BLE001 - kept, and raised to whoever asks for the result
            if not isinstance(error, MoltNetError):
                _log.exception("workflow %s (%s) failed", workflow_id, run.name)
            run.outcome = _Failed(error)
        run.ended_at = datetime.now(UTC)


class _MemorySteps:
    """The port `Steps` over a run; with a run that was started before, remembered answers come first."""

    def __init__(self, workflow_id: str, run: _Run, backoff: Backoff) -> None:
        self._workflow_id = workflow_id
        self._memory = run
        self._backoff = backoff
        self._position = 0

    @property
    def workflow_id(self) -> str:
        return self._workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        return await self._remembered(f"step {name}", partial(self._attempted, action, attempts))

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        received = await self._remembered(f"receive {topic}", partial(self._received, topic, timeout_s))
        return received if isinstance(received, dict) else None

    async def _remembered(self, what: str, act: Callable[[], Awaitable[Json]]) -> Json:
        position, self._position = self._position, self._position + 1
        if position not in self._memory.steps:
            self._memory.steps[position] = (what, await _outcome(act))
        remembered, outcome = self._memory.steps[position]
        if remembered != what:
            raise RuntimeError(f"the workflow took {remembered!r} before and {what!r} now: it is not deterministic")
        return outcome.unwrap()

    async def _attempted(self, action: Callable[[], Awaitable[Json]], attempts: int) -> Json:
        backoff = self._backoff
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_attempt(attempts),
            wait=wait_exponential(multiplier=backoff.first_s, exp_base=backoff.growth, max=backoff.longest_s),
            reraise=True,
        )

        async def act() -> Json:  # the library awaits only what is declared so
            return await action()

        answer: Json = await retrying(act)
        return answer

    async def _received(self, topic: str, timeout_s: float) -> Json:
        try:
            async with asyncio.timeout(timeout_s):
                return _json(await self._memory.inbox(topic).get())
        except TimeoutError:
            return None


async def _outcome(act: Callable[[], Awaitable[Json]]) -> _Answered | _Failed:
    try:
        return _Answered(_text(await act()))
    except Exception as error:  # noqa: BLE001 - kept, and raised to the workflow each time it comes here
        return _Failed(error)


def _text(value: object) -> str:
    # Raises TypeError and ValueError for what JSON cannot hold (RFC 8259 has no NaN).
    return json.dumps(value, allow_nan=False)


def _json(text: str) -> Json:
    value: Json = json.loads(text)
    return value


def _object(text: str) -> JsonObject:
    value: dict[str, Json] = json.loads(text)
    return value
