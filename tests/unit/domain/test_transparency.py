"""Leaves: one canonical form, and nothing else is one."""

import json
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import attrs
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.ids import DiaryId
from moltnet.domain.records import EMPTY, Head
from moltnet.domain.transparency import ChangeCause, Leaf, LeafKind, MalformedLeaf
from tests.support.builders import NOON, a_public_key

KEY, OTHER = a_public_key(), a_public_key()
DIARY = DiaryId(uuid4())
LEAVES = (
    Leaf.registered(KEY, NOON),
    Leaf.undone(KEY, NOON),
    Leaf.vouched(KEY.fingerprint, OTHER.fingerprint, NOON),
    *(Leaf.key_changed(KEY.fingerprint, OTHER, cause, NOON) for cause in ChangeCause),
    Leaf.recovered(KEY.fingerprint, NOON),
    Leaf.published(DIARY, KEY.fingerprint, NOON),
    Leaf.withdrawn(DIARY, NOON),
    Leaf.head(DIARY, Head(sequence=3, hash="ab" * 32), NOON),
    Leaf.network_key("kid-1_A", NOON, alone=True),
    attrs.evolve(Leaf.registered(KEY, NOON + timedelta(milliseconds=7)), initial=True),
)


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_is_read_as_it_was_written(leaf: Leaf) -> None:
    assert Leaf.parse(leaf.data) == leaf
    assert rfc8785.dumps(json.loads(leaf.data)) == leaf.data
    assert leaf.subjects


def test_every_kind_has_its_leaf() -> None:
    assert {leaf.kind for leaf in LEAVES} == set(LeafKind)


def test_a_leaf_is_found_by_whom_it_is_about() -> None:
    fingerprints = {str(KEY.fingerprint), str(OTHER.fingerprint)}
    assert LEAVES[2].subjects == LEAVES[3].subjects == fingerprints
    assert Leaf.published(DIARY, KEY.fingerprint, NOON).subjects == {str(DIARY), str(KEY.fingerprint)}
    assert Leaf.network_key("kid", NOON, alone=False).subjects == {"kid"}


@given(st.sampled_from(LEAVES), st.data())
def test_every_changed_bit_makes_another_leaf_or_none(leaf: Leaf, data: st.DataObject) -> None:
    raw = bytearray(leaf.data)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(MalformedLeaf):
        assert Leaf.parse(bytes(raw)) != leaf


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"kind": None},
        {"initial": 0},
        {"at": "2026-01-31"},
        {"at": 7},
        {"agent": "x"},
        {"agent": 7},
        {"agent": str(KEY.fingerprint).lower()},
        {"key": KEY.text.removeprefix("ed25519:")},
        {"key": 7},
        {"more": "x"},
    ],
)
def test_members_of_other_kinds_make_no_leaf(change: dict[str, object]) -> None:
    members = json.loads(LEAVES[0].data) | change
    with pytest.raises(MalformedLeaf):
        Leaf.parse(rfc8785.dumps(members))


@pytest.mark.parametrize(
    ("leaf", "change"),
    [
        (7, {"diary": str(DIARY).upper()}),
        (7, {"diary": 7}),
        (9, {"sequence": 0}),
        (9, {"sequence": True}),
        (9, {"sequence": 2**31}),
        (9, {"hash": "AB" * 32}),
        (9, {"hash": None}),
        (10, {"kid": "a b"}),
        (10, {"alone": 1}),
        (3, {"cause": "whim"}),
        (3, {"cause": []}),
    ],
)
def test_members_that_are_no_such_thing_make_no_leaf(leaf: int, change: dict[str, object]) -> None:
    members = json.loads(LEAVES[leaf].data)
    assert change.keys() <= members.keys()
    with pytest.raises(MalformedLeaf):
        Leaf.parse(rfc8785.dumps(members | change))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"7", b"\xff", b'{"kind":[]}', b"[" * 100_000, b" " + LEAVES[0].data]
)
def test_other_bytes_are_no_leaf(data: bytes) -> None:
    with pytest.raises(MalformedLeaf):
        Leaf.parse(data)


def test_a_missing_member_makes_no_leaf() -> None:
    for leaf in LEAVES:
        members = json.loads(leaf.data)
        for name in members:
            with pytest.raises(MalformedLeaf):
                Leaf.parse(rfc8785.dumps({other: members[other] for other in members if other != name}))


def test_an_empty_chain_has_no_head_to_log() -> None:
    with pytest.raises(MalformedLeaf):
        Leaf.head(DIARY, EMPTY, NOON)
