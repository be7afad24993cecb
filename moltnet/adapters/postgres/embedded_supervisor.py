"""Notices that the server of a data folder has ended while it is in use, and starts it again.

Every process that serves watches, in a thread of its own: what other threads wait for may be the database. The folder's
lock `starting` lets one of them start the server, and the others join it. PostgreSQL replays its log when it starts, so
nothing that was acknowledged is lost.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moltnet.adapters.postgres.embedded_binaries import EmbeddedUnavailable
from moltnet.domain.errors import StorageFull, StorageLost, StorageUnavailable, Unavailable

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
