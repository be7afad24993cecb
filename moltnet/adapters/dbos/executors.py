"""Which processes are alive: each holds a lock of the database's for as long as its connection lives.

A workflow belongs to the executor that runs it. When a process is gone, its connection is, and with it the lock; then
another process finds the lock free and takes the workflows up. Only processes of this release's `APPLICATION_VERSION`
look at one another.
"""

import hashlib
import logging
import uuid
from collections.abc import Callable

import sqlalchemy as sa

_log = logging.getLogger(__name__)

# One row, if the connection lives.
ALIVE = sa.text("select 1")
# One row once the lock is there; false or true.
LOCK = sa.text("select pg_advisory_lock(:key)")
TRY_LOCK = sa.text("select pg_try_advisory_lock(:key)")
UNLOCK = sa.text("select pg_advisory_unlock(:key)")
# The executors of unfinished workflows but this one; idx_workflow_status_pending.
OTHERS = sa.text("""
    select distinct executor_id from dbos.workflow_status
    where status = 'PENDING' and application_version = :version and executor_id <> :own
""")


def lock_key(executor_id: str) -> int:
    """The number of an executor's lock: no other program's on the same database, but for an unlikely accident."""
    return int.from_bytes(hashlib.sha256(f"moltnet executor {executor_id}".encode()).digest()[:8], signed=True)


class Executor:
    """This process, among those that share a database. Used from one thread; every call may block on the network."""

    def __init__(self, engine: sa.Engine, version: str) -> None:
        self.id = f"executor-{uuid.uuid4()}"
        self._engine = engine
        self._version = version
        self._connection: sa.Connection | None = None
        self._free_before: frozenset[str] = frozenset()

    def claim(self) -> bool:
        """Sees to it that others find this executor alive; True when its connection had to be made again."""
        if self._has_lock():
            return False
        self.release()
        # Others may have seen the lock free meanwhile, and this process theirs: nobody counts as dead yet.
        self._free_before = frozenset()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.execute(LOCK, {"key": lock_key(self.id)})
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        self._connection = connection
        return True

    def adopt(self, take_up: Callable[[str], None]) -> None:
        """Has the workflows of executors that are gone taken up, by one process alone; `claim` comes first.

        Gone is whose lock was free twice in a row on one connection of ours: after a restart of the database, every
        living process has the time between two calls to take its own again. Should one be too slow, its workflows
        change hands: it can record nothing more for them, and steps are idempotent.
        """
        connection = self._connection
        if connection is None:
            return
        free: set[str] = set()
        for other in connection.execute(OTHERS, {"version": self._version, "own": self.id}).scalars().all():
            if not connection.execute(TRY_LOCK, {"key": lock_key(other)}).scalar():
                continue
            # While this process has the lock, no third one finds it free.
            try:
                if other in self._free_before:
                    _log.warning("%s is gone; this process goes on with its work", other)
                    take_up(other)
                else:
                    free.add(other)
            finally:
                connection.execute(UNLOCK, {"key": lock_key(other)})
        self._free_before = frozenset(free)

    def release(self) -> None:
        """Lets others take up what is left here."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # closes the connection, and so frees the lock, whatever state it is in
            connection.close()

    def _has_lock(self) -> bool:
        # An invalidated connection would be made again in silence, without its lock.
        if self._connection is None or self._connection.invalidated:
            return False
        try:
            self._connection.execute(ALIVE)
        except sa.exc.SQLAlchemyError:
            return False
        return True
