from datetime import UTC, datetime

import pytest
from click import BadParameter

from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.cli.values import (
    DATE_TIME,
    DIARY,
    ENTRY,
    FINGERPRINT,
    GivenTwice,
    NotUtf8,
    checked,
    comma_separated,
    only_one,
    utf8,
)


def test_fingerprint_is_read_in_any_case() -> None:
    assert FINGERPRINT.convert("21fe-31df-a154-a261", None, None) == Fingerprint("21FE-31DF-A154-A261")


@pytest.mark.parametrize("text", ["", "nope", "\x00", "\ud800", "0" * 10_000])
def test_wrong_value_is_told_before_anything_is_asked(text: str) -> None:
    for kind in (ENTRY, FINGERPRINT, DATE_TIME):
        with pytest.raises(BadParameter):
            kind.convert(text, None, None)


@pytest.mark.parametrize("text", ["", " ", "n" * 256, "\ud800", "\x00"])
def test_what_no_diary_can_be_called_is_told_before_anything_is_asked(text: str) -> None:
    with pytest.raises(BadParameter):
        DIARY.convert(text, None, None)


def test_a_diary_is_called_by_id_or_name() -> None:
    for text in ("Deploys", "7c2f1e0a-0000-4000-8000-000000000000"):
        assert DIARY.convert(text, None, None) == text


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T02:00:00+02:00"])
def test_a_day_is_its_beginning_in_utc(text: str) -> None:
    assert DATE_TIME.convert(text, None, None) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-01-31T00:00:00", "20260131", "0000-00-00", "tomorrow "])
def test_what_no_calendar_has_is_no_time(text: str) -> None:
    with pytest.raises(BadParameter, match="with its zone"):
        DATE_TIME.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [(None, None), ("", ()), ("a", ("a",)), (" a , b,,c ", ("a", "b", "c")), ('"a,b", c', ("a,b", "c"))],
)
def test_comma_separated(text: str | None, parts: tuple[str, ...] | None) -> None:
    assert comma_separated(text) == parts


@pytest.mark.parametrize("value", ["", "日本語", None, 3, True])
def test_what_can_be_written_down_is_left_as_it_is(value: object) -> None:
    assert checked(value) == value


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(NotUtf8):
        checked("a\udcff")
    with pytest.raises(NotUtf8):
        utf8(b"\xff")


def test_the_same_thing_is_said_once() -> None:
    assert [only_one("--x", *given) for given in ((None, "a"), ("b", None), (None, None), ("", None))] == [
        *("a", "b", None, "")
    ]
    with pytest.raises(GivenTwice, match="--x"):
        only_one("--x", "a", "b")
