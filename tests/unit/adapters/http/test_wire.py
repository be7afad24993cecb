"""Answers as what the domain knows."""

import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.http.decoding import event_id, read, read_edited, read_list, read_member, read_page
from moltnet.domain.entries import Entry
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import SearchResult
from moltnet.domain.versions import version_of
from moltnet.domain.views import SignatureCheck
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.rest.schemas.entries import entry_form
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.remote import NetworkError, Reply
from tests.support.builders import NOON, an_author, an_entry, an_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def reply(value: object, **headers: str) -> Reply:
    return Reply(status=200, headers=headers, raw=json.dumps(value).encode())


def told(entry: Entry) -> Any:
    return json_value(entry_form(entry))


def test_an_entry_is_read_as_it_was_told_and_what_is_not_known_is_passed_over() -> None:
    entry = an_entry(tags=("a",), at=NOON, occurred_at=NOON - timedelta(days=9))
    assert read(reply({**told(entry), "seenAt": "later", "new": {}}), Entry) == entry


def test_authors_are_read_as_they_were_told() -> None:
    entry = an_entry(author=an_author(assumed=True), edited_by=an_author(), at=NOON)
    members = told(entry)
    assert members["author"]["assumed"] is True
    assert "assumed" not in members["editedBy"]
    assert read(reply(members), Entry) == entry


def test_an_entry_of_a_network_that_keeps_no_authors_has_none() -> None:
    members = told(an_entry(at=NOON))
    del members["author"]
    assert read(reply(members), Entry).author is None


def test_the_entity_tag_tells_the_exact_version() -> None:
    entry = attrs.evolve(an_entry(at=NOON), updated_at=NOON + timedelta(microseconds=123_456))
    assert read_edited(reply(told(entry), ETag=f'"{version_of(entry)}"'), Entry) == entry


@pytest.mark.parametrize("tag", ["", '"x"', '"00.11"', '"{id}.zz"', '"{id}.fffffffffffffffffffff"', '"{id}.1"'])
def test_a_tag_that_does_not_fit_tells_nothing(tag: str) -> None:
    entry = an_entry(at=NOON)
    assert read_edited(reply(told(entry), ETag=tag.replace("{id}", entry.id.hex)), Entry) == entry


def test_some_members_have_other_names() -> None:
    value = {"issuerFingerprint": "0123-4567-89AB-CDEF", "redeemerFingerprint": "0000-0000-0000-0000"}
    edge = read(reply({**value, "redeemedAt": "2026-01-01T00:00:00.000Z"}), Edge)
    assert (edge.issuer, edge.redeemer) == (Fingerprint("0123-4567-89AB-CDEF"), Fingerprint("0000-0000-0000-0000"))


@given(JSON)
def test_any_other_answer_is_one_that_cannot_be_read(value: object) -> None:
    for form in (Entry, SearchResult, Edge):
        with pytest.raises(NetworkError):
            read(reply(value), form)
    for read_it in (
        lambda: read_list(reply(value), "items", Entry),
        lambda: read_page(reply(value), Entry),
        lambda: read_member(reply(value), "valid", bool),
        lambda: read(reply(value), SignatureCheck),
    ):
        with pytest.raises(NetworkError):
            read_it()


def test_what_is_no_json_cannot_be_read() -> None:
    with pytest.raises(NetworkError, match="address"):
        read(Reply(status=200, headers={}, raw=b"<html>"), Entry)


def test_an_event_is_named_as_the_wire_names_it() -> None:
    identifier = an_id()
    assert event_id(NOON + timedelta(microseconds=1999), identifier).endswith(f".001Z/{identifier}")
