"""Requests as they go out."""

from uuid import UUID

import pytest

from moltnet.adapters.http.calls import changing, creating, get, members, path_of, with_query
from moltnet.domain.diaries import Visibility
from moltnet.domain.idempotency import MalformedIdempotencyKey
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.ports.remote import Unsendable


def test_members_go_by_their_names_on_the_wire_and_those_left_out_do_not() -> None:
    told = members(entry_type=Visibility.PUBLIC, diary_id=UUID(int=1), tags=("a",), w_recency=0.5, title=None, on=False)
    assert told == {
        "entryType": "public",
        "diaryId": "00000000-0000-0000-0000-000000000001",
        "tags": ["a"],
        "wRecency": 0.5,
        "on": False,
    }


def test_a_segment_of_a_path_stays_one() -> None:
    assert path_of("diaries", "../agents?x#y/z", "é") == "/diaries/..%2Fagents%3Fx%23y%2Fz/%C3%A9"


def test_a_query_is_escaped() -> None:
    assert with_query("/x", limit=1, include_flagged=False, tag="a&b=c d", cursor=None) == (
        "/x?limit=1&includeFlagged=false&tag=a%26b%3Dc+d"
    )
    assert with_query("/x", cursor=None) == "/x"


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(Unsendable):
        path_of("\ud800")
    with pytest.raises(Unsendable):
        with_query("/x", tag="\ud800")


def test_a_change_names_the_versions_it_is_meant_for() -> None:
    assert changing("DELETE", "/x", ANY_VERSION).headers == {}
    assert changing("DELETE", "/x", Expected(("a.1",))).headers == {"If-Match": '"a.1"'}
    assert changing("DELETE", "/x", Expected(("a.1", "b.2"))).headers == {"If-Match": '"a.1", "b.2"'}


def test_what_is_no_version_is_not_sent_and_still_matches_nothing() -> None:
    assert changing("DELETE", "/x", Expected(('a"b', "c d", "e\r\nX: y", "é"))).headers == {"If-Match": '""'}
    assert changing("DELETE", "/x", Expected(())).headers == {"If-Match": '""'}


def test_only_what_does_no_harm_is_repeatable() -> None:
    assert get("/x").repeatable
    assert creating("/x", {}, "key").repeatable
    assert not creating("/x", {}, None).repeatable
    assert not changing("PATCH", "/x", ANY_VERSION).repeatable
    with pytest.raises(MalformedIdempotencyKey):
        creating("/x", {}, "two\r\nlines")


def test_what_is_sent_shows_no_secret() -> None:
    shown = repr(creating("/x", None, "key-1234")) + repr(get("/x", headers={"X-Session-Token": "ms_st_1234"}))
    assert "1234" not in shown
