import io
import json
import logging
import threading

import pytest

from moltnet.domain.errors import StorageUnavailable, Unavailable
from moltnet.entrypoints.cli.logs import (
    GatheringHandler,
    JsonFormatter,
    OncePerSecond,
    TerminalFormatter,
    log_as,
    log_to_stderr,
)
from moltnet.entrypoints.observability import LogFormat
from moltnet.entrypoints.rest.access_log import ACCESS_LOGGER
from moltnet.entrypoints.settings import read_settings


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Log:
    """A log that keeps what its filter lets through."""

    def __init__(self):
        self.clock = Clock()
        self.filter = OncePerSecond(self.clock)

    def says(self, name, message, *values, level=logging.WARNING, error=None):
        exc_info = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord(name, level, __file__, 1, message, values, exc_info)
        return logging.Formatter("%(message)s").format(record) if self.filter.filter(record) else None


@pytest.fixture
def log():
    return Log()


def json_line(message, *values, error=None):
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("moltnet.rest", logging.INFO, __file__, 1, message, values, exc_info)
    record.created = 1_767_225_600.25
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_line_as_json_has_time_level_logger_and_message():
    assert json_line("%s: slow", "id-1\n\x1b[2J") == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "moltnet.rest",
        "message": "id-1\n\x1b[2J: slow",
    }


def test_line_about_a_request_has_its_members():
    line = json_line('{"event":"request","status":200}')
    assert (line["event"], line["status"], line["logger"], "message" in line) == ("request", 200, "moltnet.rest", False)
    assert json_line("{odd")["message"] == "{odd"


def test_traceback_is_a_member():
    assert "ZeroDivisionError: x" in json_line("broken", error=raised(ZeroDivisionError("x")))["exception"]


@pytest.fixture
def written(monkeypatch):
    """A log of its own, set up by some settings; what it has written."""
    stream, root = io.StringIO(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", [GatheringHandler(stream)])
    monkeypatch.setattr(root, "level", root.level)
    yield lambda: stream.getvalue().splitlines()
    for logger in ("moltnet", ACCESS_LOGGER):
        logging.getLogger(logger).setLevel(logging.NOTSET)


def settings(tmp_path, **changes):
    names = {"MOLTNET_LOG_FORMAT": "format", "MOLTNET_LOG_LEVEL": "level", "MOLTNET_ACCESS_LOG": "access"}
    return read_settings(tmp_path, {name: changes[key] for name, key in names.items() if key in changes}).log


def test_form_of_the_log_is_as_it_is_set(written, tmp_path):
    for form in LogFormat:
        log_as(settings(tmp_path, format=form))
        logging.getLogger().warning("slow")
    first, second = sorted(written(), reverse=True)
    assert (json.loads(first)["message"], second.endswith("WARNING root slow")) == ("slow", True)


@pytest.mark.parametrize("form", LogFormat)
@pytest.mark.parametrize("logger", ["moltnet.rest", "dbos", "psycopg.pool", "asyncio"])
def test_event_is_one_line_in_either_form_whatever_logs_it(written, tmp_path, form, logger):
    log_as(settings(tmp_path, format=form))
    logging.getLogger(logger).error("broken\nin two", exc_info=raised(KeyError("a\nb")))
    (line,) = written()
    assert "KeyError" in line


def test_level_is_that_of_this_program_and_libraries_warn(written, tmp_path):
    log_as(settings(tmp_path, level="debug"))
    logging.getLogger("moltnet.x").debug("ours")
    logging.getLogger("psycopg").info("theirs")
    log_as(settings(tmp_path, level="error"))
    logging.getLogger("moltnet.x").warning("ours")
    logging.getLogger("psycopg").warning("theirs")
    (line,) = written()
    assert line.endswith("DEBUG moltnet.x ours")


def test_access_log_may_be_off(written, tmp_path):
    log_as(settings(tmp_path, access="false"))
    logging.getLogger(ACCESS_LOGGER).info("{}")
    log_as(settings(tmp_path))
    logging.getLogger(ACCESS_LOGGER).info("{}")
    assert len(written()) == 1


def test_request_is_a_sentence_on_a_terminal():
    line = '{"event":"request","id":"1","method":"GET","route":"/diaries/{diaryId}","status":200,"ms":1.5,"peer":"::1"}'
    record = logging.LogRecord(ACCESS_LOGGER, logging.INFO, __file__, 1, line, (), None)
    assert TerminalFormatter("%(message)s").format(record) == "GET /diaries/{diaryId} 200 in 1.5 ms, ::1"


def test_error_of_a_thread_and_a_warning_are_events(written, tmp_path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_to_stderr()
    try:
        log_as(settings(tmp_path))
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    finally:
        logging.captureWarnings(capture=False)
    (line,) = written()
    assert "ZeroDivisionError" in line


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_one_cause_is_reported_once_a_second_and_what_was_left_out_is_counted(log):
    assert log.says("moltnet.rest", "%s: slow", "id-1") == "id-1: slow"
    assert [log.says("moltnet.rest", "%s: slow", f"id-{n}") for n in range(2, 5)] == [None] * 3
    log.clock.now = 1.0
    assert log.says("moltnet.rest", "%s: slow", "id-9") == "id-9: slow [3 more of this cause were left out]"


def test_another_cause_is_reported_at_once(log):
    assert log.says("moltnet.rest", "slow")
    assert log.says("moltnet.rest", "wrong")
    assert log.says("moltnet.mcp", "slow")


def test_lines_about_requests_pass(log):
    assert [log.says("moltnet.rest.access", "request", level=logging.INFO) for _ in range(3)] == ["request"] * 3


def test_all_that_notice_that_the_database_is_away_share_one_line(log):
    assert log.says("dbos", "Database connection failed. Retrying in 0.6s") is not None
    assert log.says("psycopg.pool", "error connecting in 'pool-1'") is None
    assert log.says("moltnet.entrypoints.rest.problems", "id: away", error=raised(StorageUnavailable())) is None


def test_service_that_is_away_is_one_line_with_its_reason(log):
    error = raised(Unavailable("Ory does not answer"))
    error.__cause__ = OSError("connection refused")
    assert log.says("moltnet.rest", "id: away", error=error) == "id: away: connection refused"


def test_text_of_a_library_is_cut_at_its_first_line(log):
    assert log.says("dbos", "Exception polling: Traceback\n  File …\nboom") == "Exception polling: Traceback"


class OperationalError(Exception):
    """A driver's or a wrapper's, by the name that PEP 249 gives it."""


class AdminShutdown(OperationalError):
    """As psycopg's: a kind of it."""


@pytest.mark.parametrize("error", [OperationalError("gone\nwith more"), AdminShutdown("gone\nwith more")])
@pytest.mark.parametrize("logger", ["dbos", "asyncio"])
def test_lost_connection_is_one_line_wherever_a_library_met_it(log: Log, logger: str, error: Exception) -> None:
    assert log.says(logger, "Exception in a workflow:", error=raised(error)) == "Exception in a workflow: gone"


def test_traceback_in_a_message_is_cut_to_what_was_raised(log):
    polling = "Exception polling schedules: Traceback (most recent call last):\n  File …\n    code\npsy.E: gone\n\nmore"
    assert log.says("dbos", polling) == "Exception polling schedules: psy.E: gone"


def test_fault_of_ours_keeps_its_traceback(log):
    told = log.says("moltnet.rest", "id: unexpected error", level=logging.ERROR, error=raised(KeyError("bug")))
    assert "Traceback (most recent call last)" in told


def test_two_faults_at_two_lines_are_two_causes(log):
    first, second = raised(KeyError("a")), None
    try:
        {}["b"]
    except KeyError as error:
        second = error
    assert log.says("moltnet.rest", "unexpected error", error=first)
    assert log.says("moltnet.rest", "unexpected error", error=second)


def test_memory_of_causes_is_bounded(log):
    for number in range(5000):
        log.says("moltnet.rest", "a" * (number % 50 + 1) + chr(0x4E00 + number))
    assert len(log.filter._last) <= 1000
