"""Times that a question names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.time_expressions import MONTHS, TimeRange, time_ranges, written_date
from tests.support.strategies import moments

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
WORDS = st.sampled_from(
    [
        "last",
        "next",
        "on",
        "in",
        "ago",
        "two",
        "99999",
        "0",
        "weeks",
        "years",
        "of",
        "Tuesday",
        "May",
        "march",
        "8th",
        "2023",
        "9999",
        "0000",
        "2023-05-08",
        "9999-12-31",
        "winter",
        "yesterday",
        "the",
        "before",
        "a few",
        "30",
    ]
)


def days(text: str, now: datetime = NOW) -> list[tuple[str, str]]:
    """The periods of a text by their first and last days."""
    found = time_ranges(text, now)
    assert all(each.start.time() == each.end.time() == datetime.min.time() for each in found)
    return [(str(each.start.date()), str((each.end - timedelta(days=1)).date())) for each in found]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("what happened on 2023-05-08?", "2023-05-08", "2023-05-08"),
        ("2023/5/8", "2023-05-08", "2023-05-08"),
        ("notes of 2023-05", "2023-05-01", "2023-05-31"),
        ("on 8 May 2023", "2023-05-08", "2023-05-08"),
        ("the 8th of May, 2023", "2023-05-08", "2023-05-08"),
        ("on May 8th, 2023", "2023-05-08", "2023-05-08"),
        ("SEPT. 3 2024", "2024-09-03", "2024-09-03"),
        ("in May 2023", "2023-05-01", "2023-05-31"),
        ("February 2024", "2024-02-01", "2024-02-29"),
        ("December 2025", "2025-12-01", "2025-12-31"),
        ("in 2023", "2023-01-01", "2023-12-31"),
        ("on 3 December", "2025-12-03", "2025-12-03"),
        ("on 3 November", "2026-11-03", "2026-11-03"),
        ("in December", "2025-12-01", "2025-12-31"),
        ("last March", "2026-03-01", "2026-03-31"),
        ("today", "2026-11-25", "2026-11-25"),
        ("tonight", "2026-11-25", "2026-11-25"),
        ("yesterday", "2026-11-24", "2026-11-24"),
        ("last night", "2026-11-24", "2026-11-24"),
        ("the day before yesterday", "2026-11-23", "2026-11-23"),
        ("tomorrow", "2026-11-26", "2026-11-26"),
        ("last Tuesday", "2026-11-24", "2026-11-24"),
        ("on Wednesday", "2026-11-18", "2026-11-18"),
        ("next Wednesday", "2026-12-02", "2026-12-02"),
        ("next Monday", "2026-11-30", "2026-11-30"),
        ("this week", "2026-11-23", "2026-11-29"),
        ("last week", "2026-11-16", "2026-11-22"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("next month", "2026-12-01", "2026-12-31"),
        ("three days ago", "2026-11-22", "2026-11-22"),
        ("a couple of days ago", "2026-11-23", "2026-11-23"),
        ("2 weeks ago", "2026-11-08", "2026-11-14"),
        ("a month ago", "2026-10-11", "2026-11-10"),
        ("in the last 3 days", "2026-11-22", "2026-11-25"),
        ("last summer", "2026-06-01", "2026-08-31"),
        ("in the winter of 2022", "2022-12-01", "2023-02-28"),
        ("in the winter", "2025-12-01", "2026-02-28"),
    ],
)
def test_a_time_is_understood(text: str, first: str, last: str) -> None:
    assert days(text) == [(first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what may I do",
        "may we march",
        "second hand",
        "March on",
        "Mayor 2023",
        "30 February 2023",
        "2023-13-01",
        "0000-00-00",
        "9999-12-31",
        "December 9999",
        "99999 days ago",
        "9999 years ago",
        "the summer house",
        "1234567",
        "before May 2023",
        "after yesterday",
        "since 2023-05-08",
        "not in 2023",
        "until last week",
        "room 2023",
    ],
)
def test_what_is_no_time_or_none_to_be_in_is_left_alone(text: str) -> None:
    assert days(text) == []


def test_each_time_of_a_question_counts_in_its_order() -> None:
    assert days("in June 2024, or 2023-05-08, or yesterday") == [
        ("2024-06-01", "2024-06-30"),
        ("2023-05-08", "2023-05-08"),
        ("2026-11-24", "2026-11-24"),
    ]


@given(text=st.text(st.characters()) | st.lists(WORDS, max_size=8).map(" ".join), now=moments())
@example("in the last 9999 years", datetime(2000, 1, 1, tzinfo=UTC))
def test_any_text_has_periods_that_hold_something(text: str, now: datetime) -> None:
    for time_range in time_ranges(text, now):
        assert time_range.contains(time_range.start)
        assert not time_range.contains(time_range.end)


@given(at=moments())
def test_a_day_as_it_is_written_is_understood(at: datetime) -> None:
    (time_range,) = time_ranges(f"what happened on {written_date(at)}", NOW)
    assert time_range.contains(at)
    assert time_range.end - time_range.start == timedelta(days=1)


@given(at=moments(), now=moments())
def test_a_month_by_its_name_is_the_last_that_has_begun(at: datetime, now: datetime) -> None:
    (time_range,) = time_ranges(f"in {MONTHS[at.month - 1]}", now)
    assert time_range.start <= now
    assert now - time_range.start < timedelta(days=366 + 31)
    assert time_range.start.month == at.month


def test_a_period_is_half_open() -> None:
    noon, night = NOW, NOW + timedelta(hours=12)
    moments = (noon - timedelta(microseconds=1), noon, night)
    assert [TimeRange(noon, night).contains(at) for at in moments] == [False, True, False]
