"""The tree, its tiles and its proofs, beside a model that hashes everything by the words of RFC 9162."""

import hashlib
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.merkle import (
    EMPTY_ROOT,
    Node,
    Range,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    is_included,
    leaf_hash,
    range_hash,
    root_of,
)
from moltnet.domain.tiles import (
    WIDTH,
    Extent,
    Tile,
    bundle_of,
    edge,
    extended,
    extent_path,
    hash_in,
    leaves_in,
    parse_extent,
    tile_of,
)

# Leaves and roots that implementations of Certificate Transparency are tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZES = st.integers(0, 70) | st.integers(200, 600)


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word by word."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0]).digest() if leaves else hashlib.sha256(b"").digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:middle]) + mth(leaves[middle:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def tiles_of(size: int, *steps: int) -> dict[Tile, bytes]:
    """The tiles of a tree that grew by steps."""
    tiles: dict[Tile, bytes] = {}
    sizes = sorted({min(step, size) for step in steps} | {0, size})
    for before, after in itertools.pairwise(sizes):
        partial = {tile: tiles[tile] for tile in edge(before)}
        tiles |= extended(before, partial, map(leaf_hash, leaves_of(size)[before:after]))
    return tiles


def test_roots_are_those_of_other_implementations() -> None:
    hashes = list(map(leaf_hash, LEAVES))
    assert [root_of(hashes[:size]).hex() for size in range(1, 9)] == list(ROOTS)
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_proofs_are_those_of_the_example_in_rfc_9162() -> None:
    names = {"b": (1, 2), "c": (2, 3), "d": (3, 4), "f": (5, 6), "g": (0, 2), "h": (2, 4), "i": (4, 6), "j": (6, 7)}
    names |= {"k": (0, 4), "l": (4, 7)}

    def ranges(text: str) -> list[Range]:
        return [Range(*names[name]) for name in text]

    assert inclusion_ranges(0, 7) == ranges("bhl")
    assert inclusion_ranges(3, 7) == ranges("cgl")
    assert inclusion_ranges(4, 7) == ranges("fjk")
    assert inclusion_ranges(6, 7) == ranges("ik")
    assert consistency_ranges(3, 7) == ranges("cdgl")
    assert consistency_ranges(4, 7) == ranges("l")
    assert consistency_ranges(6, 7) == ranges("ijk")


@given(size=SIZES, steps=st.lists(st.integers(0, 600), max_size=5), data=st.data())
def test_tiles_have_every_root_and_every_proof(size: int, steps: list[int], data: st.DataObject) -> None:
    leaves, tiles = leaves_of(size), tiles_of(size, *steps)

    def hash_of(node: Node) -> bytes:
        return hash_in(tiles[tile_of(node)], node)

    root = range_hash(Range(0, size), hash_of)
    assert root == mth(leaves)
    before = data.draw(st.integers(0, size))
    proof = [range_hash(each, hash_of) for each in consistency_ranges(before, size)]
    assert is_consistent(before, size, proof, mth(leaves[:before]), root)
    if size:
        index = data.draw(st.integers(0, size - 1))
        path = [range_hash(each, hash_of) for each in inclusion_ranges(index, size)]
        assert is_included(leaf_hash(leaves[index]), index, size, path, root)


@given(size=st.integers(1, 40), data=st.data())
def test_what_is_not_in_the_tree_has_no_proof(size: int, data: st.DataObject) -> None:
    """Every bit flipped, hash lost, added or exchanged, and every other leaf, index, size and root is found."""
    leaves = leaves_of(size)
    root, index = mth(leaves), data.draw(st.integers(0, size - 1))
    path = [mth(leaves[each.start : each.end]) for each in inclusion_ranges(index, size)]
    leaf = leaf_hash(leaves[index])
    assert not is_included(leaf_hash(b"other"), index, size, path, root)
    assert not is_included(leaf, index, size, [*path, root], root)
    assert not is_included(leaf, size, size, path, root)
    assert not is_included(leaf, -1, size, path, root)
    assert not is_included(leaf, index, size, path, leaf_hash(root))
    for at in range(len(path)):
        assert not is_included(leaf, index, size, path[:at] + path[at + 1 :], root)
        assert not is_included(leaf, index, size, [*path[:at], _flipped(path[at], data), *path[at + 1 :]], root)
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index)) if size > 1 else None
    if other is not None:
        assert not is_included(leaf, other, size, path, root)


@given(size=st.integers(1, 40), data=st.data())
def test_a_tree_that_was_changed_is_no_continuation(size: int, data: st.DataObject) -> None:
    leaves, before = leaves_of(size), data.draw(st.integers(1, size))
    root, root_before = mth(leaves), mth(leaves[:before])
    proof = [mth(leaves[each.start : each.end]) for each in consistency_ranges(before, size)]
    forked = [*leaves]
    forked[data.draw(st.integers(0, before - 1))] = b"other"
    assert is_consistent(before, size, proof, root_before, root)
    assert not is_consistent(before, size, proof, mth(forked[:before]), root)
    assert not is_consistent(before, size, proof, root_before, mth(forked))
    honest = [mth(forked[each.start : each.end]) for each in consistency_ranges(before, size)]
    assert not is_consistent(before, size, honest, root_before, mth(forked))
    assert not is_consistent(before, size, [*proof, root], root_before, root)
    assert not is_consistent(size + 1, size, proof, root_before, root)
    assert not is_consistent(0, size, proof, root_before, root)
    for at in range(len(proof)):
        assert not is_consistent(before, size, proof[:at] + proof[at + 1 :], root_before, root)
        changed = [*proof[:at], _flipped(proof[at], data), *proof[at + 1 :]]
        assert not is_consistent(before, size, changed, root_before, root)


def _flipped(value: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


def test_every_tree_begins_with_the_empty_one() -> None:
    assert is_consistent(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert is_consistent(0, 1, [], EMPTY_ROOT, leaf_hash(b""))
    assert not is_consistent(0, 0, [], EMPTY_ROOT, leaf_hash(b""))
    assert not is_consistent(2, 3, [], leaf_hash(b""), leaf_hash(b""))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_a_leaf_that_is_not_there_has_no_ranges(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_ranges(index, size)


def test_a_tree_does_not_begin_with_a_larger_one() -> None:
    with pytest.raises(ValueError, match="larger"):
        consistency_ranges(4, 3)


def test_the_example_of_the_specification_of_tiles() -> None:
    """A tree of 70,000: 273 full tiles and one of 112; one full one above and one of 17; one of 1."""
    assert edge(70_000) == [Tile(0, 273), Tile(1, 1), Tile(2, 0)]
    assert edge(256) == [Tile(1, 0)]
    assert extent_path(Extent(1_234_067, WIDTH)) == "x001/x234/067"
    assert [70_000 // WIDTH**level % WIDTH for level in range(3)] == [112, 17, 1]


def test_a_hash_that_a_tile_has_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not have"):
        hash_in(bytes(32), Node(1, 0))


@given(st.integers(0, 10**12), st.integers(1, WIDTH))
def test_paths_of_tiles_are_read_as_they_were_written(index: int, width: int) -> None:
    extent = Extent(index, width)
    assert parse_extent(extent_path(extent)) == extent
    assert extent.leaves == Range(index * WIDTH, index * WIDTH + width)


@pytest.mark.parametrize(
    "path",
    [
        *["", "1", "01", "0001", "x001", "001/002", "x000/001", "001.p/0", "001.p/256", "001.p/01", "001.p/", "001/"],
        *["\u0660\u0660\u0661", "/".join(["x999"] * 9 + ["999"]), "000.p/999", "-01", "000.p/1.p/1"],
    ],
)
def test_other_paths_name_no_tile(path: str) -> None:
    assert parse_extent(path) is None


@given(st.lists(st.binary(max_size=300), max_size=20), st.data())
def test_bundles_are_read_as_they_were_written(leaves: list[bytes], data: st.DataObject) -> None:
    bundle = bundle_of(leaves)
    assert leaves_in(bundle) == leaves
    if bundle:
        cut = data.draw(st.integers(0, len(bundle) - 1))
        try:
            found = leaves_in(bundle[:cut])
        except ValueError:
            found = []
        assert found == leaves[: len(found)]
