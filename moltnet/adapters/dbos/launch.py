"""Starts DBOS within the running loop, watches over it, and stops it. There is one in a process."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import dbos
import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from moltnet.adapters.dbos.connections import KIND, SCHEMA, EngineHealth, Executor, dispose, engine_of
from moltnet.adapters.dbos.internals import Retries, ask_for_messages_every, take_up, wake_overlooked
from moltnet.adapters.dbos.workflows import DbosWorkflows
from moltnet.domain.errors import StorageUnavailable
from moltnet.ports.workflows import Backoff, WorkflowBody

_log = logging.getLogger(__name__)

NAME = "moltnet"
_LIBRARY = str(Path(dbos.__file__).parent)
# Workflows continue under any release that says the same here. Change it when a body takes other steps than before:
# those that are unfinished then wait for a process of the release that began them.
APPLICATION_VERSION = "1"
# A thread is held for the length of a statement, never while a workflow waits. Without a limit a burst keeps hundreds.
THREADS = 8
CONNECTIONS = 6
POLL_INTERVAL_S = 1.0
# What cannot be closed for so long, because the database says nothing, is left as it is.
CLOSED_WITHIN_S = 3.0
# A waiting workflow asks the database whether it missed its message; `wake_overlooked` does so for all at once.
ASK_ALONE_EVERY_S = 3600.0
ASK_FOR_ALL_EVERY = 30
ASK_FOR_ALL_AFTER_RECONNECTING = 5


@asynccontextmanager
async def launched(conninfo: str, bodies: Mapping[str, WorkflowBody], backoff: Backoff) -> AsyncIterator[DbosWorkflows]:
    """Workflows by these bodies, until the context is left; what is unfinished then is left for another process.

    `conninfo` is a URL or connection string; the workflows are stored in a schema of their own in that database.
    Raises StorageUnavailable when the database does not answer.
    """
    _tame_log(logging.WARNING)
    # Statements on the executor's own connection must not wait behind those of workflows.
    watching = ThreadPoolExecutor(1, thread_name_prefix="moltnet-executor")
    loop = asyncio.get_running_loop()
    health = EngineHealth()
    executor = Executor(engine_of(conninfo, poolclass=sa.NullPool), APPLICATION_VERSION)
    try:
        try:
            await loop.run_in_executor(watching, executor.claim)
        except sa.exc.DBAPIError as error:
            raise StorageUnavailable from error
        async with _dbos(conninfo, executor, health, bodies, backoff) as workflows:
            watch = asyncio.create_task(_watch(watching, _Watcher(executor, health)))
            try:
                yield workflows
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch
    finally:
        # Behind what it is in the middle of, which may wait for a database that says nothing.
        await asyncio.wait([loop.run_in_executor(watching, executor.release)], timeout=CLOSED_WITHIN_S)
        watching.shutdown(wait=False)


@asynccontextmanager
async def _dbos(
    conninfo: str, executor: Executor, health: EngineHealth, bodies: Mapping[str, WorkflowBody], backoff: Backoff
) -> AsyncIterator[DbosWorkflows]:
    engine = engine_of(conninfo, health, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=30, pool_pre_ping=True)
    executor.queued.begin(DBOS(config=_configuration(engine, executor.id)))
    workflows = DbosWorkflows(bodies, backoff, health)
    retries = Retries()
    retries.begin()
    try:
        # Within the loop, whose workflows then run on it too: connections and sessions are bound to it.
        DBOS.launch()
        ask_for_messages_every(ASK_ALONE_EVERY_S)
        yield workflows
    finally:
        # Each interrupted workflow would be reported as a warning, and one that was about to be recorded as done, as
        # an error: it is not noted, so another process continues with it.
        _tame_log(logging.CRITICAL)
        await _within(workflows.interrupt())
        await _destroyed(retries)
        dispose(engine)


async def _destroyed(retries: Retries) -> None:
    """Ends the library's threads and tasks; those that wait for a database that says nothing are left behind."""
    retries.give_up()
    remaining = _tasks_of_the_library()
    # In a thread: it joins threads, and those may wait for this loop.
    if not await _within(_in_new_thread(lambda: DBOS.destroy(destroy_registry=True))):
        _log.warning("the workflows were not closed within %.0f seconds", CLOSED_WITHIN_S)
    # What it was in the middle of fails for want of threads. Nobody else asks, and then asyncio complains of that.
    await _ended(remaining | _tasks_of_the_library())
    # The library made its own executor the loop's default one, and has shut it down.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
    retries.end()


def _configuration(engine: sa.Engine, executor_id: str) -> DBOSConfig:
    return {
        "name": NAME,
        "system_database_url": KIND,
        "system_database_engine": engine,
        "dbos_system_schema": SCHEMA,
        "application_version": APPLICATION_VERSION,
        "executor_id": executor_id,
        "max_executor_threads": THREADS,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "notification_coalesce_sec": 0.2,  # for events and streams, of which there are none
        "scheduler_polling_interval_sec": 3600,  # for schedules of its own, of which there are none
    }


def _tame_log(level: int) -> None:
    log = logging.getLogger("dbos")
    log.setLevel(level)
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # with none, the library adds one that writes past our log


def _tasks_of_the_library() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if _code_of(task).startswith(_LIBRARY)}


def _code_of(task: asyncio.Task[object]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return "" if code is None else str(code.co_filename)


async def _ended(tasks: set[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSED_WITHIN_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # seen


async def _within(closing: Coroutine[Any, Any, None]) -> bool:
    """Whether something was closed in time."""
    try:
        async with asyncio.timeout(CLOSED_WITHIN_S):
            await closing
    except TimeoutError:
        return False
    return True


async def _in_new_thread(act: Callable[[], None]) -> None:
    """Acts in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def notify(error: BaseException | None) -> None:
        if not over.done():
            over.set_exception(error) if error else over.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            act()
        except BaseException as raised:  # noqa: BLE001 - raised where it is awaited
            error = raised
        with suppress(RuntimeError):  # nobody waits any more, not even the loop
            loop.call_soon_threadsafe(notify, error)

    threading.Thread(target=run, name="moltnet-workflows-end", daemon=True).start()
    await over


async def _watch(watching: ThreadPoolExecutor, watcher: "_Watcher") -> None:
    loop = asyncio.get_running_loop()
    while True:
        await loop.run_in_executor(watching, watcher.poll)
        await asyncio.sleep(POLL_INTERVAL_S)


class _Watcher:
    """Looks after this process's lock, after the processes beside it, and after messages whose bell nobody heard."""

    def __init__(self, executor: Executor, health: EngineHealth) -> None:
        self._executor = executor
        self._health = health
        self._looks = 0

    def poll(self) -> None:
        try:
            if self._executor.claim():
                self._looks = 0
            self._executor.adopt(take_up)
            if self._looks < ASK_FOR_ALL_AFTER_RECONNECTING or self._looks % ASK_FOR_ALL_EVERY == 0:
                wake_overlooked()
            self._looks += 1
        except sa.exc.SQLAlchemyError as error:
            self._executor.release()
            if not self._health.is_away:
                _log.warning("the database of the workflows is away: %s", error)
            self._health.is_away = True
        except Exception:  # noqa: BLE001 - logged, and looked again: nobody else would
            _log.exception("looking after workflows failed")
        else:
            self._health.is_away = False
