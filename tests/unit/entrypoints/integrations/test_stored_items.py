"""Items of a LangGraph store as entries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.integrations import stored_items as items
from moltnet.entrypoints.integrations.namespaces import UnknownOperator, matches_filter
from tests.support.builders import an_entry

LABELS = st.lists(st.text(min_size=1, max_size=5).filter(lambda label: "." not in label), min_size=1, max_size=4)
VALUES = st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists))


@given(LABELS, st.text(max_size=20))
def test_a_name_is_read_as_it_was_written(namespace, key):
    title = items.name_of(tuple(namespace), key)
    entry = an_entry(title=title, tags=(items.MARK,))
    members = items.members_of(entry, namespace[0])
    assert (members["namespace"], members["key"]) == (tuple(namespace), key)


@given(VALUES | st.fixed_dictionaries({"content": st.text()}))
def test_a_value_is_read_as_it_was_written(value):
    assert items.value_of(an_entry(content=items.content_of(value))) == value


def test_a_plain_text_is_stored_as_it_is():
    assert items.content_of({"content": "likes rye bread"}) == "likes rye bread"


def test_what_is_no_item_has_its_id_as_key():
    entry = an_entry(title="a..b", content="{not json", tags=("ttl:1", "expires:nonsense"))
    assert items.members_of(entry, "team")["key"] == str(entry.id)
    assert items.value_of(entry) == {"content": "{not json"}
    assert items.is_alive(entry, datetime.now(UTC))


def test_each_part_of_a_namespace_has_a_tag_and_their_number_is_limited():
    assert items.tags_of(("a", "b", "c")) == (*items.prefix_tags(("a", "b")), *items.prefix_tags(("a", "b", "c")))
    with pytest.raises(ValueError, match="at most 17 labels"):
        items.tags_of(("a",) * 18)


def test_an_item_lives_until_its_ttl_is_over():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    entry = an_entry(tags=(items.MARK, *items.ttl_tags(1.5, now)))
    assert items.ttl_of(entry) == 1.5
    assert items.is_alive(entry, now + timedelta(seconds=89))
    assert not items.is_alive(entry, now + timedelta(seconds=90))
    assert items.tags_without_ttl(entry) == (items.MARK,)


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ({}, True),
        ({"n": 3}, True),
        ({"n": 4}, False),
        ({"n": {"$gt": 2, "$lte": 3}}, True),
        ({"n": {"$ne": 3}}, False),
        ({"n": {"$lt": "x"}}, False),
        ({"absent": None}, True),
        ({"absent": {"$gte": 1}}, False),
        ({"o": {"p": [1, {"q": 2}]}}, True),
        ({"o": {"p": [1]}}, False),
        ({"n": {"p": 1}}, False),
    ],
)
def test_filters_compare_members(asked, matches):
    assert matches_filter({"n": 3, "o": {"p": [1, {"q": 2}], "r": 0}}, asked) is matches


def test_an_unknown_operator_is_refused():
    with pytest.raises(UnknownOperator, match=r"\$in"):
        matches_filter({"n": 1}, {"n": {"$in": [1]}})
