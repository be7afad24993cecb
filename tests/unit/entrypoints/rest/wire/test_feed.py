"""The public feed on the wire: server-sent events and the ids readers come back with."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.feed import PublicEntry
from moltnet.entrypoints.operations.feed import FollowFeed, ReadFeed
from moltnet.entrypoints.rest.stream import event_of, last_event
from tests.support.builders import NOON, an_entry
from tests.support.strategies import entries


def an_event(**members):
    return event_of(PublicEntry(entry=an_entry(**members)))


@given(entry=entries())
def test_event_is_three_lines_and_an_empty_one_whatever_the_text(entry):
    author = entry.writer
    event = event_of(PublicEntry(entry=entry))
    # A reader takes any of these for the end of a line (WHATWG HTML §9.2.5).
    lines = event.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    identifier, name, data, *rest = lines
    assert rest == ["", ""]
    assert name == "event: entry"
    members = json.loads(data.removeprefix("data: "))
    assert identifier == f"id: {members['createdAt']}/{members['id']}"
    assert (members["content"], members["title"]) == (entry.content, entry.title)
    assert members["author"] == {"fingerprint": author.fingerprint.text, "publicKey": author.public_key.text}


def test_event_states_the_time_as_the_entry_does():
    event = an_event(at=NOON + timedelta(microseconds=123_999))
    assert event.startswith(b"id: 2026-01-30T12:00:00.123Z/")


@given(entry=entries())
def test_id_of_an_event_names_the_entry(entry):
    event = event_of(PublicEntry(entry=entry))
    cursor = last_event(event.decode().split("\n")[0].removeprefix("id: "))
    assert cursor.entry_id == entry.id
    assert timedelta() <= entry.created_at - cursor.created_at < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "2026-01-30T12:00:00.123Z",
        "2026-01-30T12:00:00.123Z/",
        "/f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "soon/f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "2026-01-30T12:00:00.123Z/f47ac10b",
        "2026-01-30T12:00:00.123Z/f47ac10b-58cc-4372-a567-0e02b2c3d479/",
        "0001-01-01T00:00:00+23:59/f47ac10b-58cc-4372-a567-0e02b2c3d479",
    ],
)
def test_what_is_no_id_names_nothing(text):
    assert last_event(text) is None


@given(text=st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_no_text_breaks_the_reader(text):
    last_event(text)
    last_event(f"{text}/{text}")


def test_time_without_a_zone_is_utc():
    cursor = last_event("2026-01-30T12:00:00/f47ac10b-58cc-4372-a567-0e02b2c3d479")
    assert cursor.created_at == datetime(2026, 1, 30, 12, tzinfo=UTC)


def test_empty_cursor_and_tag_ask_for_nothing():
    assert ReadFeed(cursor="").after is None
    assert ReadFeed(tag="").selection.tag is None
    assert FollowFeed(tag="").selection.tag is None
