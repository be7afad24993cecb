"""How a process ends after a signal: gracefully if it can, and within seconds in any case.

Acknowledged writes are committed by then, so a forced end loses nothing. The supervisor of the embedded database stops
it, however the processes that use it end.
"""

import asyncio
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from moltnet.entrypoints.cli.output import say

Value = TypeVar("Value")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Ten seconds are promised. A worker ends earlier than the process that waits for it.
ENDS_WITHIN_S, WORKER_ENDS_WITHIN_S = 8.0, 7.0
FLUSHED_WITHIN_S = 0.3

_log = logging.getLogger(__name__)


class Ending:
    """A request to end a server: it cancels the start of one that starts, and drains one that serves.

    `asked` is set in both cases. `number` is that of the signal, if there was one.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.number: int | None = None
        self._start = asyncio.current_task()

    @classmethod
    def on_signals(cls) -> "Ending":
        """SIGTERM and SIGINT end the server whose start is the current task."""
        ending = cls()
        loop = asyncio.get_running_loop()

        def signalled(number: int, _: FrameType | None) -> None:
            ending.number = ending.number or number
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(ending.ask)

        # Not by the loop: it would replace the wake-up descriptor that `end_in_time` reads.
        for number in SIGNALS:
            signal.signal(number, signalled)
        return ending

    def ask(self) -> None:
        """Ends the server; asking again changes nothing."""
        self.asked.set()
        start, self._start = self._start, None
        if start is not None:
            start.cancel()

    def started(self) -> None:
        """From now on the server drains."""
        self._start = None


def run_server(serving: Coroutine[Any, Any, None], *, announces: bool = True) -> None:
    """Runs a server to its end, and reports that; a cancelled start is not an error.

    Signals stay handled: one that comes while the process ends, after its loop has, must not kill it.
    """
    with suppress(asyncio.CancelledError):
        asyncio.run(serving)
    if announces:
        _log.info("moltnet stopped")


def run_command(work: Coroutine[Any, Any, Value]) -> Value:
    """Returns what a command's work does. A signal cancels the work; the command then exits with 128 + its number."""
    end_in_time()
    with _handlers_restored():
        return asyncio.run(_until_signalled(work))


def end_in_time(within_s: float = ENDS_WITHIN_S, status: int | None = None, *, at_second: bool = True) -> None:
    """Ends this process without cleaning up `within_s` seconds after a signal, and `at_second` signal at once.

    The exit status is `status`, else 128 + the signal's number. A thread waits for the signal, so neither a blocked
    event loop nor threads that are joined at exit delay the end.
    """
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    arguments = (read_fd, within_s, status, at_second)
    threading.Thread(target=_end_after_signal, args=arguments, name="moltnet-ending", daemon=True).start()


def end_at_once(status: int) -> None:
    """Ends this process without cleaning up; only the log is flushed."""
    # In a thread: a reader of the log may be blocked.
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(FLUSHED_WITHIN_S)
    os._exit(status)


async def _until_signalled(work: Coroutine[Any, Any, Value]) -> Value:
    ending = Ending.on_signals()
    try:
        return await work
    except asyncio.CancelledError:
        if ending.number is None:
            raise
        say("Stopped.")
        sys.exit(_counted(ending.number))


def _end_after_signal(read_fd: int, within_s: float, status: int | None, at_second: bool) -> None:  # noqa: FBT001
    number = _next_signal(read_fd, None)
    deadline = time.monotonic() + within_s
    while _next_signal(read_fd, max(0.0, deadline - time.monotonic())) is not None and not at_second:
        pass
    if time.monotonic() >= deadline:
        _log.warning("not everything was closed within %.0f seconds: ending without that", within_s)
    end_at_once(_counted(number) if status is None else status)


def _next_signal(read_fd: int, within_s: float | None) -> int | None:
    ready, _, _ = select.select([read_fd], [], [], within_s)
    return os.read(read_fd, 1)[0] if ready else None


def _counted(number: int | None) -> int:
    return 128 + (number or 0)


def _flush() -> None:
    logging.shutdown()
    sys.stdout.flush()


@contextmanager
def _handlers_restored() -> Iterator[None]:
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
