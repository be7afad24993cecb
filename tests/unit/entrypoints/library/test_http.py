"""Operations as requests, and answers as what the domain knows."""

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.entries import Entry
from moltnet.domain.feed import PAGE_DEFAULT
from moltnet.domain.idempotency import MalformedIdempotencyKey
from moltnet.domain.ids import ANY_VERSION, DiaryId, EntryId, Expected, version_of
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import Search
from moltnet.entrypoints.library.http import answer_of, request_of
from moltnet.entrypoints.operations import agents, diaries, entries, feed, search, sharing, signing, table, vouching
from moltnet.entrypoints.operations.operation import Nothing
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.remote import NetworkError, RemoteReply, RemoteRequest, Unsendable
from tests.support.builders import NOON, an_author, an_entry, an_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
DIARY, ENTRY = DiaryId(an_id()), EntryId(an_id())
ONE = entries.OneEntry(diary_id=DIARY, entry_id=ENTRY)


def reply(value: object, **headers: str) -> RemoteReply:
    return RemoteReply(status=200, headers=headers, raw=json.dumps(value).encode())


def read(members: Any, **headers: str) -> Entry:
    return answer_of(entries.GET, reply(members, **headers))


def sent(operation, given, key=None, expected=ANY_VERSION) -> RemoteRequest:
    return request_of(operation, given, key, expected)


def test_members_go_by_their_names_on_the_wire_and_those_that_say_nothing_do_not() -> None:
    asked = Search(diary_id=DIARY, query="x", tags=("a",), w_recency=0.5, occurred_after=NOON)
    assert sent(search.SEARCH, asked).json == {
        "diaryId": str(DIARY),
        "query": "x",
        "tags": ["a"],
        "wRecency": 0.5,
        "occurredAfter": NOON.isoformat(),
    }


def test_no_tags_are_sent_where_they_change_something() -> None:
    assert sent(entries.UPDATE, entries.UpdateEntry(diary_id=DIARY, entry_id=ENTRY, tags=())).json == {"tags": []}


def test_a_segment_of_a_path_stays_one() -> None:
    call = sent(sharing.REVOKE, sharing.RevokeShare(diary_id=DIARY, fingerprint="../agents?x#y/z é"))
    assert call.path == f"/diaries/{DIARY}/share/..%2Fagents%3Fx%23y%2Fz%20%C3%A9"


def test_a_query_is_escaped() -> None:
    asked = feed.ReadFeed(limit=PAGE_DEFAULT + 1, include_flagged=True, tag="a&b=c d")
    assert sent(feed.READ, asked).path == f"/public/feed?limit={PAGE_DEFAULT + 1}&tag=a%26b%3Dc+d&includeFlagged=true"
    assert sent(feed.READ, feed.ReadFeed()).path == "/public/feed"


def test_a_tag_with_a_comma_has_a_parameter_of_its_own() -> None:
    asked = entries.ListOfDiary(diary_id=DIARY, tags=("a", "b,c", "d", ""))
    assert sent(entries.LIST, asked).path == f"/diaries/{DIARY}/entries?tags=a%2Cd&tag=b%2Cc&tag="


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(Unsendable):
        sent(agents.LOOKUP, agents.OneAgent(fingerprint="\ud800"))
    with pytest.raises(Unsendable):
        sent(feed.READ, feed.ReadFeed(tag="\ud800"))


def test_a_change_names_the_versions_it_is_meant_for() -> None:
    assert sent(entries.DELETE, ONE).headers == {}
    assert sent(entries.DELETE, ONE, None, Expected(("a.1",))).headers == {"If-Match": '"a.1"'}
    assert sent(entries.DELETE, ONE, None, Expected(("a.1", "b.2"))).headers == {"If-Match": '"a.1", "b.2"'}


def test_what_is_no_version_is_not_sent_and_still_matches_nothing() -> None:
    strange = Expected(('a"b', "c d", "e\r\nX: y", "é"))
    assert sent(entries.DELETE, ONE, None, strange).headers == {"If-Match": '""'}
    assert sent(entries.DELETE, ONE, None, Expected(())).headers == {"If-Match": '""'}


def test_only_what_does_no_harm_is_repeatable() -> None:
    create = diaries.CreateDiary(name="x")
    assert sent(entries.GET, ONE).repeatable
    assert sent(search.SEARCH, Search()).repeatable
    assert sent(diaries.CREATE, create, "key").repeatable
    assert not sent(diaries.CREATE, create).repeatable
    assert not sent(entries.UPDATE, entries.UpdateEntry(diary_id=DIARY, entry_id=ENTRY)).repeatable
    assert sent(vouching.ISSUE, Nothing(), "key").once_only
    with pytest.raises(MalformedIdempotencyKey):
        sent(diaries.CREATE, create, "two\r\nlines")


def test_what_is_sent_shows_no_secret() -> None:
    assert "1234" not in repr(sent(diaries.CREATE, diaries.CreateDiary(name="name-1234"), "key-1234"))


def test_an_entry_is_read_as_it_was_sent_and_what_is_not_known_is_passed_over() -> None:
    entry = an_entry(tags=("a",), at=NOON, occurred_at=NOON - timedelta(days=9))
    assert read({**json_value(entry), "seenAt": "later", "new": {}}) == entry


def test_authors_are_read_as_they_were_sent() -> None:
    entry = an_entry(author=an_author(assumed=True), edited_by=an_author(), at=NOON)
    members: Any = json_value(entry)
    assert members["author"]["assumed"] is True
    assert "assumed" not in members["editedBy"]
    assert read(members) == entry


def test_an_entry_of_a_network_that_keeps_no_authors_has_none() -> None:
    members: Any = json_value(an_entry(at=NOON))
    del members["author"]
    assert read(members).author is None


def test_the_entity_tag_states_the_exact_version() -> None:
    entry = attrs.evolve(an_entry(at=NOON), updated_at=NOON + timedelta(microseconds=123_456))
    assert read(json_value(entry), ETag=f'"{version_of(entry)}"') == entry


@pytest.mark.parametrize("tag", ["", '"x"', '"00.11"', '"{id}.zz"', '"{id}.fffffffffffffffffffff"', '"{id}.1"'])
def test_a_tag_that_does_not_fit_says_nothing(tag: str) -> None:
    entry = an_entry(at=NOON)
    assert read(json_value(entry), ETag=tag.replace("{id}", entry.id.hex)) == entry


def test_some_members_have_other_names() -> None:
    value = {"issuerFingerprint": "0123-4567-89AB-CDEF", "redeemerFingerprint": "0000-0000-0000-0000"}
    (edge,) = answer_of(vouching.TRUST_GRAPH, reply({"edges": [{**value, "redeemedAt": "2026-01-01T00:00:00.000Z"}]}))
    assert (edge.issuer, edge.redeemer) == (Fingerprint("0123-4567-89AB-CDEF"), Fingerprint("0000-0000-0000-0000"))


@given(JSON)
def test_any_other_answer_is_one_that_cannot_be_read(value: object) -> None:
    for operation in table.BY_NAME.values():
        if operation.output in {None, list} or operation.name == "listProblemTypes":
            continue
        with pytest.raises(NetworkError):
            answer_of(operation, reply(value))


def test_what_is_no_json_cannot_be_read() -> None:
    for operation in (entries.GET, signing.VERIFY, signing.LIST):
        with pytest.raises(NetworkError, match="address"):
            answer_of(operation, RemoteReply(status=200, headers={}, raw=b"<html>"))
