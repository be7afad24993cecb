"""The log on standard error: a line for each request, so it is made for many of them."""

import asyncio
import logging
import sys
import time
from typing import TextIO

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def log_to_stderr(level: int = logging.INFO) -> None:
    """Sends the log to standard error: warnings of libraries, and our own notes from `level` up."""
    handler = GatheringHandler(sys.stderr)
    handler.setFormatter(SecondsFormatter(LINE))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("moltnet").setLevel(level)
    # None of these is in a line; finding them out costs each record a system call (logging HOWTO, Optimization).
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False


class GatheringHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of the event loop together; warnings, and lines outside of a loop, at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._gathered: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Gathers a line, or writes it with those before it."""
        try:
            self._gathered.append(self.format(record))
            if record.levelno >= logging.WARNING or not self._is_written_soon():
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)

    def flush(self) -> None:
        """Writes what was gathered."""
        self.acquire()
        try:
            gathered, self._gathered = self._gathered, []
            if gathered:
                self.stream.write("\n".join((*gathered, "")))
            super().flush()
        finally:
            self.release()

    def _is_written_soon(self) -> bool:
        if len(self._gathered) > 1:
            return True
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            return False
        return True


class SecondsFormatter(logging.Formatter):
    """The standard form of a time, worked out once for each second."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self._second, self._text = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """The time of a record, to the millisecond."""
        second = int(record.created)
        if second != self._second:
            self._second, self._text = second, time.strftime(self.default_time_format, time.localtime(second))
        return f"{self._text},{int(record.msecs):03d}"
