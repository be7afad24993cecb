"""Lines of the log: whole whatever is in them, and nothing in them that a terminal obeys."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.cli.logs import LINE, GatheringHandler, SecondsFormatter
from moltnet.entrypoints.rest.json_text import escaped

HOSTILE = (
    "\x1b[2J",
    "\x9b2J",
    "\x07",
    "\r",
    "\n",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200f",
    "\x85",
    "\0",
)


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(written: io.StringIO) -> logging.Logger:
    """A logger of the test's own, formatted as on standard error."""
    handler = GatheringHandler(written)
    handler.setFormatter(SecondsFormatter(LINE))
    logger = logging.getLogger("tests.logs")
    logger.handlers, logger.propagate = [handler], False
    return logger


@given(st.text())
def test_escaped_text_is_printable_and_means_the_same_in_json(text: str) -> None:
    as_json = json.dumps(text, ensure_ascii=False)
    assert escaped(as_json).isprintable()
    assert json.loads(escaped(as_json)) == text


def test_half_of_a_surrogate_pair_is_escaped() -> None:
    assert escaped("\ud800") == "\\ud800"


@pytest.mark.parametrize("text", ["", "plain", "Grüße, 漢字 🦞", "back\\slash"])
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_say_stays_in_its_line(logger: logging.Logger, written: io.StringIO, text: str) -> None:
    logger.warning("a service says %s", f"x{text}2026-01-01 00:00:00,000 ERROR moltnet forged")
    assert written.getvalue().count("\n") == 1
    assert written.getvalue().removesuffix("\n").isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_a_traceback_looks_like_a_record(logger: logging.Logger, written: io.StringIO, text: str) -> None:
    error = ValueError(f"x{text}2026-01-01 00:00:00,000 ERROR moltnet forged")
    logger.error("failed", exc_info=error)
    first, *others = written.getvalue().removesuffix("\n").split("\n")
    assert first.endswith("failed")
    assert others
    assert all(line.startswith("  ") for line in others)
    assert all(line.isprintable() for line in others)
