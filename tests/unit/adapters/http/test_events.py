"""Server-sent events from whatever pieces they come in."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.adapters.http.feed_stream import EventReader, ServerSentEvent

STREAM = (
    b"retry: 5000\n\n: heartbeat\n\n"
    b'id: a/1\nevent: entry\ndata: {"x":1}\n\n'
    b"id: a/2\r\nevent: entry\r\ndata: two\r\ndata:lines\r\n\r\n"
    b"data: unnamed \xc3\xa9\r\r"
    b"event: nothing\n\n"
    b"id: bad\0id\ndata\n\nunknown: field\nretry: soon\n\n"
    b"data: not finished"
)
DISCLOSED = [
    ServerSentEvent("a/1", "entry", '{"x":1}'),
    ServerSentEvent("a/2", "entry", "two\nlines"),
    ServerSentEvent("a/2", "message", "unnamed é"),
    ServerSentEvent("a/2", "message", ""),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
@example(list(range(len(STREAM))))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    reader = EventReader("")
    told = [event for start, end in pairwise(places) for event in reader.feed(STREAM[start:end])]
    assert told == DISCLOSED
    assert (reader.last_id, reader.retry_s) == ("a/2", 5.0)


@given(st.binary())
def test_anything_is_survived(raw: bytes) -> None:
    list(EventReader("x").feed(raw))


def test_an_id_stays_until_another_is_sent() -> None:
    reader = EventReader("before")
    assert [event.id for event in reader.feed(b"data: x\n\nid: 1\ndata: x\n\ndata: x\n\nid\ndata: x\n\n")] == [
        "before",
        "1",
        "1",
        "",
    ]
