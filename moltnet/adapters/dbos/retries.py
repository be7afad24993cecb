"""How long the library's threads pause between two attempts to reach a database that is away.

Each of its statements is tried again for ever, after pauses that double up to a minute and a half: so long it would
take to notice that the database is back, and to end, for its threads are waited for. The library offers no setting.
"""

import threading
import time
from typing import Any, cast

from dbos import _sys_db

LONGEST_PAUSE_S = 1.0


class Retries:
    """The attempts of the one launched engine of this process; between `begin` and `end` they are ours."""

    def __init__(self) -> None:
        self._ending = threading.Event()

    def begin(self) -> None:
        """Caps the pauses. To be called before the launch."""
        cast("Any", _sys_db).time = self

    def give_up(self, system: _sys_db.SystemDatabase) -> None:
        """Lets every statement fail that fails from now on, and ends the pauses; whose work it was has ended before."""
        system._retry_connection_errors = False  # noqa: SLF001 - it can be set publicly only where one is made
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
