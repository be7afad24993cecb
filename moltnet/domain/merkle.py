"""A Merkle tree over a list that only grows, by RFC 9162 §2.1 with SHA-256: its root, and proofs about it.

A tree is known by its complete subtrees: node `index` of `height` has the leaves from `index << height` on, as many as
`1 << height`. Every proof is a list of hashes of ranges of leaves, and every such range falls into complete subtrees.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

import attrs

HASH_BYTES = hashlib.sha256().digest_size
EMPTY_ROOT = hashlib.sha256(b"").digest()
# More hashes no proof has, of a tree with fewer leaves than 2**63.
PROOF_MAX = 63
SIZE_MAX = 2**63 - 1


@attrs.frozen
class Node:
    """A complete subtree."""

    height: int
    index: int


@attrs.frozen
class Range:
    """The leaves from `start` on and before `end`."""

    start: int
    end: int

    @property
    def nodes(self) -> list[Node]:
        """The complete subtrees that it falls into, from the left."""
        found, at = [], self.start
        while at < self.end:
            height = (self.end - at).bit_length() - 1
            if at:
                height = min(height, (at & -at).bit_length() - 1)
            found.append(Node(height, at >> height))
            at += 1 << height
        return found


HashOf = Callable[[Node], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: 32 bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of subtrees of one size, complete but for the last."""
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def range_hash(leaves: Range, hash_of: HashOf) -> bytes:
    """The hash of a range as it stands in proofs; of all leaves it is the root."""
    hashes = [hash_of(node) for node in leaves.nodes]
    if not hashes:
        return EMPTY_ROOT
    combined = hashes.pop()
    while hashes:
        combined = node_hash(hashes.pop(), combined)
    return combined


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """What proves that a leaf is in a tree of a size: the hashes of these ranges (RFC 9162 §2.1.3.1).

    Raises ValueError unless there is such a leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in the tree")
    return _path(index, Range(0, size))


def consistency_ranges(before: int, size: int) -> list[Range]:
    """What proves that a tree of a size begins with a smaller one (RFC 9162 §2.1.4.1); nothing for an empty one.

    Raises ValueError for a larger tree.
    """
    if not 0 <= before <= size:
        raise ValueError("the tree before is larger than the tree")
    if before in {0, size}:
        return []
    return _subproof(before, Range(0, size), is_root=True)


def is_included(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root: bytes) -> bool:
    """Whether a proof shows the leaf of this hash at an index of the tree (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(each, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, each)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(before: int, size: int, proof: Sequence[bytes], root_before: bytes, root: bytes) -> bool:
    """Whether a proof shows that the tree of a size begins with the smaller one (RFC 9162 §2.1.4.2).

    Every tree begins with the empty one, which takes no proof; nor does the same tree again.
    """
    if not 0 <= before <= size:
        return False
    if before == 0:
        return not proof and root_before == EMPTY_ROOT and (size > 0 or root == EMPTY_ROOT)
    if before == size:
        return not proof and root_before == root
    path = list(proof) if before & (before - 1) else [root_before, *proof]
    if not path:
        return False
    at, last = before - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == root_before and new == root


def _path(index: int, leaves: Range) -> list[Range]:
    if leaves.end - leaves.start == 1:
        return []
    middle = _middle(leaves)
    left, right = Range(leaves.start, middle), Range(middle, leaves.end)
    if index < middle:
        return [*_path(index, left), right]
    return [*_path(index, right), left]


def _subproof(before: int, leaves: Range, *, is_root: bool) -> list[Range]:
    if before == leaves.end:
        return [] if is_root else [leaves]
    middle = _middle(leaves)
    left, right = Range(leaves.start, middle), Range(middle, leaves.end)
    if before <= middle:
        return [*_subproof(before, left, is_root=is_root), right]
    return [*_subproof(before, right, is_root=False), left]


def _middle(leaves: Range) -> int:
    """Where a range is divided: behind the largest power of two that is smaller than it."""
    return leaves.start + (1 << (leaves.end - leaves.start - 1).bit_length() - 1)


@attrs.define
class Frontier:
    """The root of a list that grows, with as many hashes in memory as the binary digits of its size."""

    size: int = 0
    _peaks: list[bytes] = attrs.field(factory=list)

    def add(self, leaf: bytes) -> None:
        """Takes the hash of the next leaf."""
        found, number = leaf, self.size
        while number & 1:
            found, number = node_hash(self._peaks.pop(), found), number >> 1
        self._peaks.append(found)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root over all so far."""
        peaks = list(self._peaks)
        if not peaks:
            return EMPTY_ROOT
        found = peaks.pop()
        while peaks:
            found = node_hash(peaks.pop(), found)
        return found
