"""What is used of DBOS that has no public name, all in one place; `pyproject.toml` therefore holds its series.

1. The pauses of its threads between two attempts to reach a database that is away double up to a minute and a half, and
   its statements are tried again for ever: so long it would take to notice that the database is back, and to end, for
   its threads are waited for. There is no setting for the pauses, and the one for trying again is only of a client.
2. A waiting workflow asks the database in intervals whether it missed its message. There is no setting for them, nor a
   way to ask for all waiting workflows at once.
3. The workflows of another executor are taken up publicly only by `resume_workflows`, which takes up what is running.
4. How many workflows there are is told only by listing them all.
5. Whether a launch got as far as a system database cannot be asked.
6. Three threads look once a second whether there is something for them: for queues, for what is delayed or has a
   deadline, and, for a minute, for schedules. There is one queue, with what was taken up, and none of the others; and
   there is no setting.
"""

import threading
import time
from typing import Any, cast

import sqlalchemy as sa
from dbos import DBOS, _dbos, _sys_db
from dbos._dbos import _get_dbos_instance
from dbos._queue import queue_worker_thread
from dbos._utils import INTERNAL_QUEUE_NAME

LONGEST_PAUSE_S = 1.0
# Where a workflow waits that was taken up, until a process continues with it.
QUEUE = INTERNAL_QUEUE_NAME
# Messages of late that nobody has received: workflow and topic.
UNRECEIVED = sa.text("""
    select distinct destination_uuid, topic from dbos.notifications
    where not consumed and created_at_epoch_ms > extract(epoch from now() - interval '1 hour') * 1000
""")


# How many workflows there are of each state; it reads the whole table, from which what is over soon goes.
COUNTS = sa.text("select status, count(*) from dbos.workflow_status group by status")


class Retries:
    """The attempts of the one launched engine of this process; between `begin` and `end` the pauses are ours (1)."""

    def __init__(self) -> None:
        self._ending = threading.Event()

    def begin(self) -> None:
        """Caps the pauses. To be called before the launch."""
        cast("Any", _sys_db).time = self

    def give_up(self) -> None:
        """Lets every statement fail that fails from now on, and ends the pauses; whose work it was has ended before."""
        system = _get_dbos_instance()._sys_db_field  # noqa: SLF001 - None when the launch failed before there was one (5)
        if system is not None:
            system._retry_connection_errors = False  # noqa: SLF001 - (1)
            self._ending.set()

    def end(self) -> None:
        """Gives the library its pauses back."""
        cast("Any", _sys_db).time = time

    def sleep(self, seconds: float) -> None:
        """What the library calls in the place of `time.sleep`."""
        self._ending.wait(min(seconds, LONGEST_PAUSE_S))

    def __getattr__(self, name: str) -> Any:
        """Everything else of `time`."""
        return getattr(time, name)


class QueueWork(threading.Event):
    """Set, it ends the thread that looks into the queue; until then, the thread looks when the bell has rung (6)."""

    def __init__(self) -> None:
        super().__init__()
        self._bell = threading.Event()

    def begin(self, engine: DBOS) -> None:
        """Has the threads do so. To be called before the launch of an engine, which sets this when it is destroyed."""
        engine.background_thread_stop_events.append(self)
        threads = cast("Any", _dbos)
        threads.queue_thread = self._dequeue_when_rung
        threads.background_jobs_thread = threads.dynamic_scheduler_loop = lambda *_: None

    def ring(self) -> None:
        """There is something in the queue."""
        self._bell.set()

    def set(self) -> None:
        super().set()
        self._bell.set()

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  # as the library calls it
        """Waits for the bell, however long that takes; answers whether this is the end."""
        self._bell.wait()
        self._bell.clear()
        return self.is_set()

    def _dequeue_when_rung(self, _: threading.Event, engine: DBOS) -> None:
        queue_worker_thread(self, engine, engine._registry.get_internal_queue())  # noqa: SLF001


def ask_for_messages_every(seconds: float) -> None:
    """How often each waiting workflow asks whether it missed its message (2)."""
    _get_dbos_instance()._sys_db._notification_fallback_polling_interval = seconds  # noqa: SLF001


def wake_overlooked() -> None:
    """Wakes workflows that have a message: a notification is lost while the listening connection is (2)."""
    system = _get_dbos_instance()._sys_db  # noqa: SLF001
    waiting = system.notifications_map.snapshot()
    if not waiting:
        return
    with system.engine.begin() as connection:
        unreceived = {(workflow_id, topic) for workflow_id, topic in connection.execute(UNRECEIVED)}
    for _, (workflow_id, topic, _), bell in waiting:
        if (workflow_id, topic) in unreceived:
            bell.set()


def counts_by_state() -> dict[str, int]:
    """How many workflows there are of each state (4). It blocks for a moment."""
    with _get_dbos_instance()._sys_db.engine.begin() as connection:  # noqa: SLF001
        return {str(status).lower(): int(count) for status, count in connection.execute(COUNTS)}


def take_up(executor_id: str) -> None:
    """Continues with the workflows of an executor that is gone (3)."""
    DBOS._recover_pending_workflows([executor_id])  # noqa: SLF001
