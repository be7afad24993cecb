"""Workflows that outlive their process, remembered by DBOS in the database.

What a step or a workflow ends with is kept as text that any release can read: its answer, or the error it raised.
Errors are values here. Raised through the library they would be logged as failures of the program with their stack,
and read back as another class.
"""

import asyncio
import builtins
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from dbos import DBOS, SetWorkflowID, WorkflowHandleAsync
from dbos import error as dbos_error
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from moltnet.adapters.dbos.connections import EngineHealth
from moltnet.adapters.dbos.internals import counts_by_state
from moltnet.domain.errors import MoltNetError, StorageFull, Unavailable
from moltnet.ports.workflows import (
    Backoff,
    Json,
    JsonObject,
    Steps,
    WorkflowBody,
    WorkflowNotFound,
    WorkflowUnfinished,
)

Run = Callable[[str], Coroutine[Any, Any, str]]

# While the database is away the library tries again and again; the caller gets Unavailable.
CALL_WITHIN_S = 10.0
# How soon the end of a workflow is noticed that another process runs.
POLL_INTERVAL_S = 0.03
NOT_ANY_MORE = "Workflows are not started any more"
AWAY = "The database of the workflows does not answer"
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class DbosWorkflows:
    """The port `Workflows` over a launched DBOS; there is one in a process.

    What is handed over and answered is JSON text of our own: it reads the same whatever the library makes of types.
    """

    def __init__(self, bodies: Mapping[str, WorkflowBody], backoff: Backoff, health: EngineHealth) -> None:
        self._backoff = backoff
        self._health = health
        self._tasks: set[asyncio.Task[Any]] = set()
        self._began_here: dict[str, asyncio.Future[str]] = {}
        self._closed = False
        self._runs = {name: self._registered(name, body) for name, body in bodies.items()}

    async def start(self, name: str, workflow_id: str, argument: JsonObject) -> bool:
        """Starts a workflow, or joins the one of this id; raises LookupError for a name without a body."""
        if name not in self._runs:
            raise LookupError(f"no workflow is named {name}")
        text = text_of(dict(argument))
        async with self._call():
            # Anyone who gives up waiting must not stop it halfway: stored as this process's, but run by nobody.
            beginning = asyncio.create_task(self._begin(name, workflow_id, text))
            self._tasks.add(beginning)
            beginning.add_done_callback(self._has_begun)
            return await asyncio.shield(beginning)

    async def result(self, workflow_id: str, within_s: float | None = None) -> Json:
        """The answer, once there is one; raises Unavailable, too, when this engine was closed before."""
        try:
            async with asyncio.timeout(within_s):
                return unwrap(await self._outcome(workflow_id))
        except TimeoutError as error:
            raise WorkflowUnfinished from error

    async def send(self, workflow_id: str, topic: str, message: JsonObject) -> None:
        """Leaves a message for a workflow, which the database itself tells the process that runs it."""
        text = text_of(dict(message))
        async with self._call():
            await DBOS.send_async(workflow_id, text, topic)

    async def check(self) -> None:
        """Raises Unavailable while the watch over this process's executor cannot reach the database."""
        if self._closed:
            raise Unavailable(NOT_ANY_MORE)
        if self._health.is_away:
            raise Unavailable(AWAY)

    async def forget_ended(self, before: datetime, limit: int) -> int:
        async with self._call():
            ended = await DBOS.list_workflows_async(
                status=ENDED,
                completed_before=before.astimezone(UTC).isoformat(),
                limit=limit,
                load_input=False,
                load_output=False,
            )
            await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])
        return len(ended)

    async def counts(self) -> Mapping[str, int]:
        async with self._call():
            return await asyncio.to_thread(counts_by_state)

    async def interrupt(self) -> None:
        """Stops every workflow of this process where it stands; it stays unfinished, for another to take up."""
        self._closed = True
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        if self._closed:
            raise Unavailable(NOT_ANY_MORE)
        since = time.monotonic()
        try:
            async with asyncio.timeout(CALL_WITHIN_S):
                yield
        except (TimeoutError, SQLAlchemyError) as error:
            raise StorageFull if self._health.was_full(since) else Unavailable(AWAY) from error
        except dbos_error.DBOSNonExistentWorkflowError as error:
            raise WorkflowNotFound from error

    async def _begin(self, name: str, workflow_id: str, text: str) -> bool:
        with SetWorkflowID(workflow_id):
            handle = await DBOS.start_workflow_async(self._runs[name], text)
        task = getattr(handle, "task", None)  # only the handle of a workflow that was started by this call has one
        if task is None:
            return False
        self._began_here[workflow_id] = task
        task.add_done_callback(lambda _: self._began_here.pop(workflow_id, None))
        return True

    def _has_begun(self, beginning: asyncio.Task[bool]) -> None:
        self._tasks.discard(beginning)
        if not beginning.cancelled():
            beginning.exception()  # seen, though perhaps nobody waits for it any more

    async def _outcome(self, workflow_id: str) -> str:
        task = self._began_here.get(workflow_id)
        if task is None:
            async with self._call():
                handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(workflow_id)
            return await _ended(handle)
        await asyncio.wait({task})
        if task.cancelled():
            raise Unavailable("The workflow was interrupted before it ended")
        return task.result()

    def _registered(self, name: str, body: WorkflowBody) -> Run:
        async def run(argument: str) -> str:
            with self._tracked():
                return await outcome_of(partial(_run_body, body, _DbosSteps(self._backoff), argument))

        # Never given up: a registration that is being undone continues until nothing is left of it.
        return DBOS.workflow(name=name, max_recovery_attempts=None)(run)

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a workflow runs within the loop")
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)


async def _ended(handle: WorkflowHandleAsync[str]) -> str:
    try:
        return await handle.get_result(polling_interval_sec=POLL_INTERVAL_S)
    except SQLAlchemyError as error:
        raise Unavailable(AWAY) from error


async def _run_body(body: WorkflowBody, steps: Steps, argument: str) -> Json:
    read: dict[str, Json] = json.loads(argument)
    return await body(steps, read)


class _DbosSteps:
    """The port `Steps` within a workflow of DBOS."""

    def __init__(self, backoff: Backoff) -> None:
        self._workflow_id = str(DBOS.workflow_id)
        self._backoff = backoff

    @property
    def workflow_id(self) -> str:
        return self._workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        """Runs an action and remembers its outcome in the database."""

        async def act() -> str:
            return await outcome_of(partial(self._attempted, action, attempts))

        return unwrap(await DBOS.run_step_async({"name": name}, act))

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        """The next message; a recovered workflow waits for what is left of the time it had at first."""
        text = await DBOS.recv_async(topic, timeout_s)
        if text is None:
            return None
        message: dict[str, Json] = json.loads(text)
        return message

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


async def outcome_of(act: Callable[[], Awaitable[Json]]) -> str:
    """Acts, and says what became of it. What is no `Exception`, such as a lost ownership, is let through."""
    try:
        return text_of({"answer": await act()})
    except Exception as error:  # noqa: BLE001 - kept, and raised to whoever asks for the outcome
        return text_of({"error": _named(error)})


def unwrap(outcome: str) -> Json:
    """The answer of an outcome, or raises its error: the same class with the same sentence, without further facts."""
    read = json.loads(outcome)
    if "error" in read:
        raise _error(read["error"])
    answer: Json = read["answer"]
    return answer


def text_of(value: object) -> str:
    """JSON text in ASCII, so that no character is too much for the database.

    Raises TypeError and ValueError for what JSON cannot hold (RFC 8259 has no NaN).
    """
    return json.dumps(value, allow_nan=False)


def _named(error: Exception) -> dict[str, str | None]:
    if isinstance(error, MoltNetError):
        return {"code": error.code, "detail": error.detail}
    return {"code": None, "class": type(error).__name__, "detail": str(error)}


def _error(named: dict[str, str | None]) -> Exception:
    detail = str(named["detail"])
    if named["code"] is None:
        builtin = getattr(builtins, str(named["class"]), None)
        if isinstance(builtin, type) and issubclass(builtin, Exception) and not issubclass(builtin, UnicodeError):
            return builtin(detail)
        return RuntimeError(f"{named['class']}: {detail}")
    for kind in _family(MoltNetError):
        if kind.code == named["code"]:
            # Not by its own constructor: that takes the facts, of which only the sentence was stored.
            error = kind.__new__(kind)
            MoltNetError.__init__(error, detail)
            return error
    return RuntimeError(f"{named['code']}: {detail}")


def _family(kind: type[MoltNetError]) -> Iterator[type[MoltNetError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _family(each)
