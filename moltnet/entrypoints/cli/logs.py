"""The log on standard error: one line for each event, made for many requests.

Only on a terminal a traceback takes several lines, and a request is written for people.
"""

import asyncio
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO, TypeAlias, TypeGuard

from pythonjsonlogger.json import JsonFormatter as JsonLines

from moltnet.domain.errors import StorageFull, StorageReadOnly, StorageUnavailable, Unavailable
from moltnet.entrypoints.observability import LogFormat, LogSettings
from moltnet.entrypoints.rest.access_log import ACCESS_LOGGER
from moltnet.entrypoints.rest.json_text import escaped
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# What these warn of is, nearly always, that the database is away; each would say so on its own, many times a second.
DATABASE_LOGGERS = ("dbos", "psycopg", "sqlalchemy")
# What PEP 249 calls it when the connection or the server is gone; drivers and their wrappers name it alike.
LOST_CONNECTION = "OperationalError"
# How the standard library begins a formatted traceback; some libraries put one into the message.
TRACEBACK = "Traceback (most recent call last):"
STORAGE_ERRORS = (StorageUnavailable, StorageFull, StorageReadOnly)
MOST_CAUSES = 1000
_NUMBERS = re.compile(r"[0-9a-f]*[0-9][0-9a-f.-]*")
LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def log_to_stderr(level: int = logging.INFO) -> None:
    """Sends the log to standard error: warnings of libraries, and our own notes from `level` up."""
    handler = GatheringHandler(sys.stderr)
    handler.setFormatter(_text_formatter())
    handler.addFilter(OncePerSecond())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("moltnet").setLevel(level)
    # None of these is in a line; finding them out costs each record a system call (logging HOWTO, Optimization).
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False
    # What the interpreter would print past the log, over several lines.
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_thread_error


def log_as(settings: LogSettings) -> None:
    """Writes the lines to come in the form, and from the level, of these settings."""
    formatter = JsonFormatter() if settings.form is LogFormat.JSON else _text_formatter()
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    logging.getLogger().setLevel(max(level, logging.WARNING))
    logging.getLogger("moltnet").setLevel(level)
    logging.getLogger(ACCESS_LOGGER).setLevel(logging.NOTSET if settings.access else logging.WARNING)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, GatheringHandler):
            handler.setFormatter(formatter)
            handler.setLevel(level)  # libraries set levels of their own


@contextmanager
def logged_by(telemetry: Telemetry) -> Iterator[None]:
    """Sends each line with the telemetry, too, until the context is left; and marks it with the trace it belongs to."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, GatheringHandler)]
    for handler in handlers:
        handler.telemetry = telemetry
    try:
        yield
    finally:
        for handler in handlers:
            handler.telemetry = NO_TELEMETRY


def _text_formatter() -> logging.Formatter:
    return TerminalFormatter(LINE) if sys.stderr.isatty() else LineFormatter(LINE)


def _log_thread_error(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is not None:
        logging.getLogger("threading").error("a thread ended with an error", exc_info=hook.exc_value)


class GatheringHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of the event loop together; warnings, and lines outside of a loop, at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._gathered: list[str] = []
        self.telemetry = NO_TELEMETRY

    def emit(self, record: logging.LogRecord) -> None:
        """Gathers a line, or writes it with those before it."""
        try:
            if self.telemetry.is_on:
                record.trace = getattr(record, "trace", None) or self.telemetry.trace()
                self.telemetry.log(record)
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

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The first line: a text that others sent can neither end it nor speak to a terminal."""
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        """A traceback, set in from the left: no line of it can be taken for a record."""
        return _set_in(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """A stack, likewise."""
        return _set_in(super().formatStack(stack_info))


def _set_in(text: str) -> str:
    return "\n".join("  " + escaped(line) for line in text.split("\n"))


class LineFormatter(SecondsFormatter):
    """One line for each event, its traceback in it: the ends of its lines are written as JSON's escape."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return super().format(record).replace("\n", "\\n")


class TerminalFormatter(SecondsFormatter):
    """For people: a request as a sentence, a traceback over several lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The first line."""
        if record.name == ACCESS_LOGGER:
            with suppress(ValueError):
                record.message = _request_sentence(json.loads(record.message))
        return super().formatMessage(record)


def _request_sentence(members: dict[str, Any]) -> str:
    if members.get("event") != "request":
        return " ".join(f"{name}={value}" for name, value in members.items())
    target = members.get("route") or members.get("path")
    asker = f"agent {members['agent']}" if "agent" in members else members["peer"]
    return f"{members['method']} {target} {members['status'] or 'interrupted'} in {members['ms']} ms, {asker}"


class JsonFormatter(JsonLines):
    """One JSON object a line: time (UTC), level, logger, and the message, or the members of a message that is JSON."""

    def __init__(self) -> None:
        names = {"asctime": "time", "levelname": "level", "name": "logger", "message": "message"}
        super().__init__([*names], rename_fields=names | {"exc_info": "exception"})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """The time of a record, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Puts in the members of a line about a request, which is JSON already."""
        trace = log_data.pop("trace", "")
        if trace:
            log_data["trace_id"] = trace.partition("-")[0]
        message = log_data["message"]
        if message.startswith("{"):
            with suppress(ValueError):
                members: dict[str, Any] = json.loads(message)
                del log_data["message"]
                return log_data | members
        return log_data


class OncePerSecond(logging.Filter):
    """Lets through one warning or error a second for each cause, in one line where the cause is outside this program.

    The next one says how many were left out. Lines below a warning pass as they are.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[Hashable, float] = {}
        self._suppressed: dict[Hashable, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; it may be shortened."""
        if record.levelno < logging.WARNING:
            return True
        cause, now = _cause_of(record), self._clock()
        if now - self._last.get(cause, float("-inf")) < 1:
            self._suppressed[cause] = self._suppressed.get(cause, 0) + 1
            return False
        if len(self._last) >= MOST_CAUSES:
            self._last.clear()
            self._suppressed.clear()
        self._last[cause] = now
        _shorten(record, self._suppressed.pop(cause, 0))
        return True


def _cause_of(record: logging.LogRecord) -> Hashable:
    error = record.exc_info[1] if record.exc_info else None
    if record.name.startswith(DATABASE_LOGGERS) or isinstance(error, STORAGE_ERRORS):
        return "database"
    # Numbers and ids differ from one to the next: so many seconds, the name of a request.
    return record.name, type(error), _raised_at(error), _NUMBERS.sub("#", record.getMessage())


def _raised_at(error: BaseException | None) -> tuple[str, int] | None:
    frame = error.__traceback__ if error is not None else None
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return (frame.tb_frame.f_code.co_filename, frame.tb_lineno) if frame is not None else None


def _first_line(text: str) -> str:
    first, traceback, rest = text.strip().partition(TRACEBACK)
    # The driver's error stands at the left after the stack; wrappers add lines of their own behind it.
    raised = next((line for line in rest.split("\n")[1:] if line and not line.startswith(" ")), "")
    return (first + raised if traceback else first).partition("\n")[0].strip()


def _is_lost_connection(error: BaseException | None) -> TypeGuard[BaseException]:
    return error is not None and any(kind.__name__ == LOST_CONNECTION for kind in type(error).__mro__)


def _shorten(record: logging.LogRecord, omitted: int) -> None:
    error = record.exc_info[1] if record.exc_info else None
    text = record.getMessage()
    if isinstance(error, Unavailable) or _is_lost_connection(error):
        # Where in this program it was met says nothing about a service that is away.
        reason = error if _is_lost_connection(error) else error.__cause__
        text = f"{text.rstrip(': ')}: {reason}" if reason else text
        record.exc_info = None
    if record.exc_info is None:
        text = _first_line(text)
    if omitted:
        text = f"{text} [{omitted} more of this cause were left out]"
    record.msg, record.args = text, None
