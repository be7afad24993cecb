"""The public feed: cursors and pages."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.feed import (
    Cursor,
    FeedSearch,
    FeedSearchOutOfLimits,
    InvalidCursor,
    PublicEntry,
    Selection,
    page,
)
from moltnet.domain.ids import EntryId
from moltnet.domain.search import Filters
from tests.support.builders import NOON, an_entry, an_id
from tests.support.strategies import moments

ID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


def text_of(members: object) -> str:
    """A cursor's text that holds these members."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


# Cursors


@given(created_at=moments(), entry_id=st.uuids().map(EntryId))
def test_a_cursor_is_read_back_to_the_microsecond(created_at: datetime, entry_id: EntryId) -> None:
    cursor = Cursor(created_at, entry_id)
    assert Cursor.parse(cursor.text) == cursor
    assert "=" not in cursor.text


def test_a_cursor_is_base64url_of_json() -> None:
    cursor = Cursor(NOON + timedelta(microseconds=123456), EntryId(an_id()))
    padded = cursor.text + "=" * (-len(cursor.text) % 4)
    assert json.loads(base64.urlsafe_b64decode(padded)) == {
        "c": "2026-01-30T12:00:00.123456Z",
        "i": str(cursor.entry_id),
    }


@pytest.mark.parametrize(
    "written",
    ["2026-01-30T12:00:00.000Z", "2026-01-30T12:00:00Z", "2026-01-30T14:00:00+02:00", "2026-01-30T12:00:00"],
)
def test_a_cursor_of_another_precision_or_zone_is_read(written: str) -> None:
    cursor = Cursor.parse(text_of({"c": written, "i": ID.upper()}))
    assert cursor.created_at == NOON
    assert cursor.created_at.utcoffset() == timedelta()
    assert str(cursor.entry_id) == ID


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"c": "2026-01-30T12:00:00Z"},
        {"i": ID},
        {"c": "yesterday", "i": ID},
        {"c": "2026-02-30T12:00:00Z", "i": ID},
        {"c": 1769774400, "i": ID},
        {"c": None, "i": ID},
        {"c": "2026-01-30T12:00:00Z", "i": "not a uuid"},
        {"c": "2026-01-30T12:00:00Z", "i": 5},
        {"c": "0001-01-01T00:00:00+01:00", "i": ID},
        {"c": "9999-12-31T23:59:59-01:00", "i": ID},
        [],
        "text",
        5,
        None,
    ],
)
def test_a_cursor_of_anything_else_is_refused(members: object) -> None:
    with pytest.raises(InvalidCursor, match="Invalid cursor"):
        Cursor.parse(text_of(members))


@given(text=st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
@example("")
@example("=")
@example("\ud800")
@example(base64.urlsafe_b64encode(b"[" * 100_000).decode())
@example(base64.urlsafe_b64encode(b"1" * 5_000).decode())
@example(base64.urlsafe_b64encode(b"\xff\xfe{\x00").decode())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except InvalidCursor:
        return
    assert Cursor.parse(cursor.text) == cursor


@given(hours=st.integers(-23, 23), place=st.sampled_from(["0001-01-01T00:00:00", "9999-12-31T23:59:59"]))
def test_a_time_at_the_edge_of_the_calendar_is_read_or_refused(hours: int, place: str) -> None:
    written = f"{place}{hours:+03}:00"
    try:
        cursor = Cursor.parse(text_of({"c": written, "i": ID}))
    except InvalidCursor:
        assert hours
        return
    assert cursor.created_at.utcoffset() == timedelta()


@given(left=st.tuples(moments(), st.uuids()), right=st.tuples(moments(), st.uuids()))
def test_positions_stand_in_the_order_of_time_then_id(
    left: tuple[datetime, EntryId], right: tuple[datetime, EntryId]
) -> None:
    assert (Cursor(*left) < Cursor(*right)) is (left < right)


# Pages


@given(count=st.integers(0, 6), limit=st.integers(1, 5))
def test_a_page_ends_with_a_cursor_only_if_more_follows(count: int, limit: int) -> None:
    items = [PublicEntry(entry=an_entry()) for _ in range(min(count, limit + 1))]
    shown = page(items, limit)
    assert shown.items == tuple(items[:limit])
    assert shown.next_cursor == (Cursor.after(items[limit - 1].entry) if count > limit else None)


def test_the_position_after_an_entry_is_its_time_and_id() -> None:
    entry = an_entry()
    assert Cursor.after(entry) == Cursor(entry.created_at, entry.id)


# Selections


@pytest.mark.parametrize(
    ("selection", "shown"),
    [
        (Selection(), ["plain", "tagged"]),
        (Selection(tag="sea"), ["tagged"]),
        (Selection(tag="se"), []),
        (Selection(include_flagged=True), ["plain", "tagged", "flagged"]),
        (Selection(tag="sea", include_flagged=True), ["tagged", "flagged"]),
    ],
)
def test_a_selection_shows_one_tag_and_flagged_entries_on_demand(selection: Selection, shown: list[str]) -> None:
    entries = [
        an_entry(content="plain"),
        an_entry(content="tagged", tags=("land", "sea")),
        an_entry(content="flagged", tags=("sea",), injection_risk=True),
    ]
    items = [PublicEntry(entry=entry) for entry in entries]
    assert [item.entry.content for item in items if selection.shows(item)] == shown


def test_a_selection_asks_a_store_for_the_same() -> None:
    filters = Selection(tag="sea").filters
    assert (filters.tags, filters.exclude_flagged) == (("sea",), True)
    assert Selection(include_flagged=True).filters == Filters()


@pytest.mark.parametrize(("query", "limit"), [("x", 10), ("x" * 201, 10), ("xx", 0), ("xx", 51)])
def test_a_search_of_the_feed_has_limits(query: str, limit: int) -> None:
    with pytest.raises(FeedSearchOutOfLimits):
        FeedSearch(query=query, limit=limit)
