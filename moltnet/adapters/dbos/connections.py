"""Connections of DBOS to the network's database, its schema there, and which processes are alive.

Each process holds a lock of the database's for as long as its connection lives. A workflow belongs to the executor that
runs it. When a process is gone, its connection is, and with it the lock; then another process finds the lock free and
takes the workflows up. Only processes of this release's `APPLICATION_VERSION` look at one another.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

import attrs
import sqlalchemy as sa
from dbos import DBOS

from moltnet.adapters.dbos.internals import QUEUE, QueueWork
from moltnet.domain.errors import StorageUnavailable

SCHEMA = "dbos"
# Read for the kind of database alone, where there is an engine beside it.
KIND = "postgresql+psycopg:///moltnet"
# No statement of a workflow runs longer; making the schema may.
STATEMENT_WITHIN_S = 60
# The database notices within a dozen seconds that a host is cut off: its locks are free, others take up its work.
NOTICE_LOST_HOST = (
    "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;"
    " set tcp_user_timeout = 6000"
)
DISK_FULL = "53100"  # SQLSTATE disk_full


@attrs.define
class EngineHealth:
    """What this process has met at the database of the workflows. Threads write it, the loop reads it."""

    is_away: bool = False
    _full_at: float = float("-inf")

    def mark_full(self) -> None:
        """A statement failed for want of room."""
        self._full_at = time.monotonic()

    def was_full(self, since: float) -> bool:
        """Whether one has failed so since a time of the monotonic clock."""
        return self._full_at >= since


def engine_of(
    conninfo: str, health: EngineHealth | None = None, *, statement_s: float = STATEMENT_WITHIN_S, **options: object
) -> sa.Engine:
    """Connections to the database of a URL or libpq connection string; a statement has so many seconds, 0 for any.

    How long a server that is cut off is waited for, the string says. `health` is told what they meet.
    """
    arguments = {"application_name": "moltnet workflows"}
    engine = sa.create_engine("postgresql+psycopg://", connect_args=arguments, **options)

    @sa.event.listens_for(engine, "do_connect")
    def as_it_is(_: object, __: object, positional: list[str], ___: object) -> None:
        # No URL is made of it, which would be logged with its password.
        positional[:] = [conninfo]

    @sa.event.listens_for(engine, "connect")
    def limited(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        connection.cursor().execute(f"set statement_timeout = {round(statement_s * 1000)}; {NOTICE_LOST_HOST}")
        connection.commit()

    @sa.event.listens_for(engine, "handle_error")
    def is_away(context: sa.engine.ExceptionContext) -> None:
        # The library knows a failed connection by some of psycopg's words for it, and gives work up over the others.
        if context.connection is None:
            context.is_disconnect = True
        # Over a full disk it tries again in silence, for longer than anybody waits.
        if health is not None and getattr(context.original_exception, "sqlstate", None) == DISK_FULL:
            health.mark_full()

    return engine


def dispose(engine: sa.Engine) -> None:
    """Closes its connections: now, or as soon as a thread gives back the one that it still uses."""
    # Else such a one would stay open in the pool until that is collected.
    sa.event.listen(engine, "checkin", lambda _, record: record.invalidate())
    engine.dispose()


def make_schema(conninfo: str) -> None:
    """Makes or completes the schema, by a role that may. It blocks for a moment.

    A launch does so too. Where the role of the servers may not, it is done before.

    Raises:
        StorageUnavailable: the database does not answer, or the role may not.
    """
    engine = engine_of(conninfo, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            url = _url_of(connection)
        DBOS.migrate(url.render_as_string(hide_password=False), schema=SCHEMA)
    except sa.exc.DBAPIError as error:
        raise StorageUnavailable from error


def _url_of(connection: sa.Connection) -> sa.URL:
    """What the connection was made with, but that its statements take their time."""
    # Of psycopg. Not by its `get_parameters`, which asks for the home folder of a user that may have none.
    driver: Any = connection.connection.driver_connection
    info = driver.info
    options = (each for each in driver.pgconn.info if each.val and each.val != each.compiled and not each.dispchar)
    query = {"application_name": "moltnet workflows"}
    query |= {each.keyword.decode(): each.val.decode() for each in options}
    query |= {"options": f"{query.get('options', '')} -c statement_timeout=0"}
    for name in ("user", "dbname"):
        query.pop(name, None)
    return sa.URL.create(
        "postgresql+psycopg", username=info.user, password=info.password or None, database=info.dbname, query=query
    )


_log = logging.getLogger(__name__)

# One row, if the connection lives.
ALIVE = sa.text("select 1")
# One row once the lock is there; false or true.
LOCK = sa.text("select pg_advisory_lock(:key)")
TRY_LOCK = sa.text("select pg_try_advisory_lock(:key)")
UNLOCK = sa.text("select pg_advisory_unlock(:key)")
# The executors of unfinished workflows but this one, and null if there are some that wait in the queue;
# idx_workflow_status_pending, idx_workflow_status_in_flight.
OTHERS = sa.text("""
    select distinct executor_id from dbos.workflow_status
    where status = 'PENDING' and application_version = :version and executor_id <> :own
    union all
    select null where exists (
        select from dbos.workflow_status
        where status = 'ENQUEUED' and queue_name = :queue and application_version = :version
    )
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
        self.queued = QueueWork()
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

        What is taken up comes into the queue, and so may what another process took up that then ended: `queued` rings.

        Gone is whose lock was free twice in a row on one connection of ours: after a restart of the database, every
        living process has the time between two calls to take its own again. Should one be too slow, its workflows
        change hands: it can record nothing more for them, and steps are idempotent.
        """
        connection = self._connection
        if connection is None:
            return
        free: set[str] = set()
        has_adopted = False
        found = connection.execute(OTHERS, {"version": self._version, "own": self.id, "queue": QUEUE}).scalars().all()
        for other in filter(None, found):
            if not connection.execute(TRY_LOCK, {"key": lock_key(other)}).scalar():
                continue
            # While this process has the lock, no third one finds it free.
            try:
                if other in self._free_before:
                    _log.warning("%s is gone; this process goes on with its work", other)
                    take_up(other)
                    has_adopted = True
                else:
                    free.add(other)
            finally:
                connection.execute(UNLOCK, {"key": lock_key(other)})
        self._free_before = frozenset(free)
        if has_adopted or None in found:
            self.queued.ring()

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
