from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import attrs
import click
import pytest
from click import BadParameter
from click.testing import CliRunner

from moltnet.domain.constraints import Description, Integer
from moltnet.domain.diaries import Visibility
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.cli.values import (
    DATE_TIME,
    DIARY,
    FINGERPRINT,
    ID,
    DiaryRef,
    GivenTwice,
    NotUtf8,
    checked,
    comma_separated,
    input_options,
    only_one,
    utf8,
)


def test_fingerprint_is_read_in_any_case() -> None:
    assert FINGERPRINT.convert("21fe-31df-a154-a261", None, None) == Fingerprint("21FE-31DF-A154-A261")


@pytest.mark.parametrize("text", ["", "nope", "\x00", "\ud800", "0" * 10_000])
def test_wrong_value_is_reported_before_anything_is_asked(text: str) -> None:
    for kind in (ID, FINGERPRINT, DATE_TIME):
        with pytest.raises(BadParameter):
            kind.convert(text, None, None)


@pytest.mark.parametrize("text", ["", " ", "n" * 256, "\ud800", "\x00"])
def test_what_no_diary_can_be_called_is_reported_before_anything_is_asked(text: str) -> None:
    with pytest.raises(BadParameter):
        DIARY.convert(text, None, None)


def test_a_diary_is_called_by_id_or_name() -> None:
    for text in ("Deploys", "7c2f1e0a-0000-4000-8000-000000000000"):
        assert DIARY.convert(text, None, None) == DiaryRef(text)


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T02:00:00+02:00"])
def test_a_day_is_its_beginning_in_utc(text: str) -> None:
    assert DATE_TIME.convert(text, None, None) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-01-31T00:00:00", "20260131", "0000-00-00", "tomorrow "])
def test_what_no_calendar_has_is_no_time(text: str) -> None:
    with pytest.raises(BadParameter, match="with its zone"):
        DATE_TIME.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", ()), ("a", ("a",)), (" a , b,,c ", ("a", "b", "c")), ('"a,b", c', ("a,b", "c"))],
)
def test_comma_separated(text: str, parts: tuple[str, ...]) -> None:
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


@attrs.frozen(kw_only=True)
class Example:
    """An input of every kind of member."""

    hidden: str
    note: Annotated[str, Description("A note")]
    level: Annotated[int, Integer(1, 3), Description("How high")] = 2
    loud: Annotated[bool, Description("Say it loudly")] = False
    since: Annotated[datetime, Description("From then on")] | None = None
    tags: tuple[str, ...] = ()
    readable_by: Annotated[Visibility, Description("Who may read it")] = Visibility.PRIVATE


def typed(*words: str) -> tuple[int, Mapping[str, Any], str]:
    """The exit status, the options as a command gets them, and what it says on standard error."""
    options: dict[str, Any] = {}

    @click.command()
    @input_options(Example, without=("hidden",))
    def command(**values: Any) -> None:
        options.update(values)

    done = CliRunner().invoke(command, list(words))
    return done.exit_code, options, done.output


def test_members_of_an_input_are_options_with_their_types_and_defaults() -> None:
    assert typed("--note", "n") == (
        *(0, {"note": "n", "level": 2, "loud": False, "since": None, "tags": (), "readable_by": Visibility.PRIVATE}),
        "",
    )
    words = ["--note=n", "--level=3", "--loud", "--since=2026-01-31", "--tags=a,b", "--readable-by=public"]
    assert typed(*words)[1] == {
        "note": "n",
        "level": 3,
        "loud": True,
        "since": datetime(2026, 1, 31, tzinfo=UTC),
        "tags": ("a", "b"),
        "readable_by": Visibility.PUBLIC,
    }


@pytest.mark.parametrize("words", [(), ("--note", "n", "--level", "4"), ("--note", "n", "--readable-by", "PUBLIC")])
def test_bounds_choices_and_required_members_are_checked(words: tuple[str, ...]) -> None:
    assert typed(*words)[0] == 2


def test_option_says_what_its_member_means() -> None:
    assert "How high.  [default: 2; 1<=x<=3]" in typed("--help")[2]
