"""A PostgreSQL of our own in the operator's data folder, shared by all processes that use the folder.

Who starts it. The first user creates the database if need be and starts the server below `embedded_watchdog.py`, a
small process in a session of its own. Every user, the first too, holds a lease that ends with its process. When the
last lease ends, by `stop`, by exit or by SIGKILL, the keeper stops the server and ends. A server whose first user is
killed continues for the others; none is left behind without users. See `embedded_folder.py` for the locks.

As root. PostgreSQL refuses to run as root, so its processes run as uid and gid 65534, or as the owner of the database
or of DIR if that is not root; no system user is added. The database stays in DIR, although that account may enter
neither DIR (0700) nor the folders above it (/root): a process enters its working folder before it changes its account,
and PostgreSQL is told that its data is in `/proc/self/cwd` and its socket in `.`, which need no right on those folders.
Only the database folder is given to that account. Programs that it could not execute are copied to /var/cache/moltnet.
Other processes of uid 65534 could still interfere: where that matters, run as an ordinary user.

Who may connect. There is no TCP. The socket lies in the database folder (0700), and the server asks for the password
that DIR keeps (0600): a process needs the rights of DIR's owner, or root's. See `embedded_server.py`.

POSIX only. Without Linux' parent-death signal a killed keeper leaves its server behind, which the next start joins.

In use. Every process that serves watches the server, in a thread of its own: what other threads wait for may be the
database. The folder's lock `starting` lets one of them start it again when it has ended, and the others join it.
PostgreSQL replays its log when it starts, so nothing that was acknowledged is lost.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from moltnet.adapters.postgres.embedded_binaries import EmbeddedUnavailable
from moltnet.adapters.postgres.embedded_folder import Address, Folder
from moltnet.adapters.postgres.embedded_server import Server
from moltnet.domain.errors import StorageFull, StorageLost, StorageUnavailable, Unavailable

__all__ = ["EmbeddedPostgres", "EmbeddedUnavailable"]  # the error is raised, so offered, here


class EmbeddedPostgres:
    """One user's share in the server of a data folder. Synchronous, and not for several threads at once."""

    def __init__(self, data_dir: Path) -> None:
        """`data_dir` is DIR of the operator's contract; nothing happens before `start`."""
        self._data_dir = data_dir
        self._share: _Share | None = None

    def start(self) -> str:
        """Joins the server of the folder, creating and starting it if need be. Calling it again is harmless.

        Returns:
            A URL of the database `moltnet` for psycopg; for SQLAlchemy change the scheme to `postgresql+psycopg`.
            The role is a superuser of this server, and the URL holds its password.

        Raises:
            EmbeddedUnavailable: programs missing or not runnable, a database of another PostgreSQL, a folder that
                cannot be written, a server that ends at once or does not answer for a minute.
        """
        if self._share is None:
            try:
                self._share = _join(self._data_dir)
            except OSError as error:
                raise EmbeddedUnavailable(
                    f"The embedded database cannot use {error.filename or self._data_dir} ({error.strerror or error}): "
                    "make it usable for this user, or choose another data folder with --data"
                ) from error
        return self._share.address.url()

    @contextmanager
    def supervised(self) -> Iterator["EmbeddedSupervisor"]:
        """Starts the server again, for the length of the block, whenever it has ended; `start` comes first."""
        share = self._share
        if share is None:
            raise RuntimeError("only a server that was started can be watched")
        cancelled = threading.Event()
        share = attrs.evolve(share, folder=attrs.evolve(share.folder, cancelled=cancelled))
        supervisor = EmbeddedSupervisor(share.is_served, share.restart)
        with supervisor.watching():
            try:
                yield supervisor
            finally:
                cancelled.set()

    def stop(self) -> None:
        """Gives the share back; the last user returns when the server is gone. Without a share it does nothing.

        Raises:
            EmbeddedUnavailable: the server did not end within a minute.
        """
        share, self._share = self._share, None
        if share is not None:
            share.give_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@attrs.frozen
class _Share:
    folder: Folder
    address: Address
    lease: int

    def is_served(self) -> bool:
        """Whether any process of the server lives."""
        nobody = self.folder.take(self.folder.alive, fcntl.LOCK_SH)
        if nobody is not None:
            os.close(nobody)
        return nobody is None

    def restart(self) -> None:
        """Returns when the server answers again, whichever process started it; raises as `Server.ensure_again` does."""
        with self.folder.locked(self.folder.starting):
            Server(self.folder, self.address).ensure_again()

    def give_back(self) -> None:
        self.address.close()
        os.close(self.lease)
        with self.folder.locked(self.folder.starting):  # nobody joins, and no two leavers mistake each other for users
            last = self._is_unused()
        if last:
            os.close(self.folder.lock(self.folder.alive, fcntl.LOCK_EX))

    def _is_unused(self) -> bool:
        alone = self.folder.take(self.folder.users)
        if alone is not None:
            os.close(alone)
            return True
        beside = self.folder.take(self.folder.users, fcntl.LOCK_SH)
        if beside is not None:
            os.close(beside)
            return False
        return True  # the keeper has it alone already


def _join(data_dir: Path) -> _Share:
    folder = Folder.open(data_dir)
    with folder.locked(folder.starting), ExitStack() as undo:
        lease = folder.lock(folder.users, fcntl.LOCK_SH)  # waits for a keeper that is stopping the server
        undo.callback(os.close, lease)
        address = Address.of(folder)
        undo.callback(address.close)
        Server(folder, address).ensure()
        undo.pop_all()
    return _Share(folder, address, lease)


_log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
# A start costs a recovery, so one that fails is not repeated at once; when the cause is gone, nobody waits for long.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 4.0
STABLE_AFTER_S = 60.0
END_WITHIN_S = 6.0  # the longest thing it waits for is an answer of the server's, for five seconds
ENDED = "The embedded database has ended and is being started again"
NOT_STARTED = "The embedded database cannot be started; it is tried again, and the log says why"
DISK_FULL = "The disk of the embedded database is full, so it cannot be started: its operator has to make room"
NO_SPACE = "No space left on device"  # as PostgreSQL quotes the system, in the locale C


class EmbeddedSupervisor:
    """Watches one server. `check` may be called from any thread."""

    def __init__(self, is_alive: Callable[[], bool], restart: Callable[[], None]) -> None:
        """`restart` returns when the server answers again; it raises EmbeddedUnavailable, OSError or StorageLost."""
        self._is_alive, self._restart = is_alive, restart
        self._ended = threading.Event()
        self._problem: Unavailable | None = None
        self._pause_s = 0.0
        self._stable_at = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches for the length of the block."""
        # A daemon: the end of the process does not depend on it.
        thread = threading.Thread(target=self._watch, name="moltnet-embedded-supervisor", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(END_WITHIN_S)

    def check(self) -> None:
        """Raises the reason why the server is not there, in a sentence for anybody; StorageLost when it stays away."""
        problem = self._problem
        if problem is not None:
            raise problem

    def _watch(self) -> None:
        while not self._ended.wait(CHECK_EVERY_S):
            try:
                self._check_server()
            except StorageLost as lost:
                self._record_problem(lost, lost)
                return
            except (EmbeddedUnavailable, OSError) as error:
                self._record_problem(_reason(error), error)

    def _check_server(self) -> None:
        if self._is_alive():
            if time.monotonic() > self._stable_at:
                self._pause_s = 0.0
            if self._problem is None:
                return
        else:
            self._record_problem(self._problem or StorageUnavailable(ENDED))
            # A server that ends soon after each start is not started again and again without a pause.
            if self._ended.wait(self._pause_s):
                return
            self._pause_s = min(max(FIRST_PAUSE_S, self._pause_s * 2), LONGEST_PAUSE_S)
        self._restart()
        self._stable_at = time.monotonic() + STABLE_AFTER_S
        self._problem = None
        _log.warning("the embedded database answers again")

    def _record_problem(self, problem: Unavailable, cause: Exception | None = None) -> None:
        """Remembers why the server is away, and logs when that is news."""
        before, self._problem = self._problem, problem
        if before is None or before.detail != problem.detail:
            _log.warning("%s%s", problem.detail, f": {cause}" if cause and cause is not problem else "")


def _reason(error: EmbeddedUnavailable | OSError) -> Unavailable:
    # The error itself names folders of this machine, which are for the log alone.
    if NO_SPACE in str(error):
        return StorageFull(DISK_FULL)
    return StorageUnavailable(NOT_STARTED)
