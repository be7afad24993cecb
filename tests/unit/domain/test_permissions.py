"""The table of docs/reference/access.md, "Rights", row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.permissions import ENTRY_RIGHTS, RIGHTS, EntryRight, Relation, Right, rights_of

OWNER, WRITERS, READERS = Relation.OWNER, Relation.WRITERS, Relation.READERS
SEED = {Right.READ: {OWNER, WRITERS, READERS}, Right.WRITE: {OWNER, WRITERS}, Right.MANAGE: {OWNER}}
SEED_OF_ENTRIES = {EntryRight.VIEW: Right.READ, EntryRight.EDIT: Right.WRITE, EntryRight.DELETE: Right.WRITE}


@pytest.mark.parametrize("right", Right)
def test_each_right_follows_from_the_relations_of_the_seed(right: Right) -> None:
    assert {relation for relation in Relation if right in RIGHTS[relation]} == SEED[right]


def test_an_entrys_rights_are_those_of_its_diary() -> None:
    assert dict(ENTRY_RIGHTS) == SEED_OF_ENTRIES


@given(relations=st.lists(st.sampled_from(Relation)))
def test_rights_add_up(relations: list[Relation]) -> None:
    assert rights_of(relations) == {right for right in Right if SEED[right] & set(relations)}


def test_the_words_are_those_of_the_seed() -> None:
    assert [relation.value for relation in Relation] == ["owner", "writers", "readers"]
    assert [right.value for right in Right] == ["read", "write", "manage"]
    assert [right.value for right in EntryRight] == ["view", "edit", "delete"]
