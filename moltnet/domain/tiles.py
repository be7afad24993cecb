"""The tree of the log in tiles of 256 hashes, and its leaves in bundles, as c2sp.org/tlog-tiles has them.

A tile of level L has hashes of complete subtrees of height 8 · L: of leaves at level 0, of full tiles of the level
below elsewhere. Tiles of the right edge are partial; what they have never changes, so each begins with all earlier
forms of itself.
"""

import re
from collections.abc import Iterable, Mapping

import attrs

from moltnet.domain.merkle import HASH_BYTES, Node, Range, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
LEVEL_MAX = 63
LEAF_MAX = 2**16 - 1

_INDEX = re.compile(r"(?:x\d{3}/)*\d{3}", re.ASCII)
_LARGEST_INDEX = 2**55  # leaves are counted with 63 bits


@attrs.frozen
class Tile:
    """The place of a tile: its level, and its number from the left."""

    level: int
    index: int


@attrs.frozen
class Extent:
    """A tile or bundle that is asked for: its number, and how many of its hashes or leaves; 256 of a full one."""

    index: int
    width: int

    @property
    def leaves(self) -> Range:
        """The leaves of it, as of a bundle."""
        return Range(self.index * WIDTH, self.index * WIDTH + self.width)


def tile_of(node: Node) -> Tile:
    """The tile whose hashes a complete subtree is made of."""
    level, below = divmod(node.height, HEIGHT)
    return Tile(level, (node.index << below) // WIDTH)


def hash_in(tile: bytes, node: Node) -> bytes:
    """The hash of a complete subtree, by the bytes of its tile; raises ValueError where they are too few."""
    below = node.height % HEIGHT
    first = (node.index << below) % WIDTH
    hashes = _split(tile)[first : first + (1 << below)]
    if len(hashes) != 1 << below:
        raise ValueError("the tile does not have the subtree")
    return root_of(hashes)


def edge(size: int) -> list[Tile]:
    """The partial tiles of a tree of a size, from level 0 up."""
    tiles, level = [], 0
    while size:
        if size % WIDTH:
            tiles.append(Tile(level, size // WIDTH))
        size //= WIDTH
        level += 1
    return tiles


def extended(size: int, partial: Mapping[Tile, bytes], hashes: Iterable[bytes]) -> dict[Tile, bytes]:
    """The tiles that change when leaves of these hashes follow those of a tree of a size.

    `partial` has the tree's own partial tiles (`edge`).
    """
    tiles: dict[Tile, bytes] = {}
    added, level = list(hashes), 0
    while added:
        count = size // WIDTH**level
        full: list[bytes] = []
        while added:
            tile = Tile(level, count // WIDTH)
            before = partial.get(tile, b"")
            head, added = added[: WIDTH - count % WIDTH], added[WIDTH - count % WIDTH :]
            tiles[tile] = before + b"".join(head)
            count += len(head)
            if count % WIDTH == 0:
                full.append(root_of(_split(tiles[tile])))
        added, level = full, level + 1
    return tiles


def parse_extent(path: str) -> Extent | None:
    """The number and width of a path, as `x001/234` or `x001/234.p/17`; None for any other text."""
    number, _, width = path.partition(".p/")
    if not _INDEX.fullmatch(number) or (width != "" and not re.fullmatch(r"[1-9]\d{0,2}", width)):
        return None
    index = int(number.replace("x", "").replace("/", ""))
    extent = Extent(index, int(width) if width else WIDTH)
    is_one_text = extent_path(extent) == path
    return extent if is_one_text and extent.width <= WIDTH and index < _LARGEST_INDEX else None


def extent_path(extent: Extent) -> str:
    """The path of a number and width."""
    digits = str(extent.index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    number = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return number if extent.width == WIDTH else f"{number}.p/{extent.width}"


def bundle_of(leaves: Iterable[bytes]) -> bytes:
    """Leaves behind one another, each after its length in two bytes; raises OverflowError for one of 65 536 bytes."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def leaves_in(bundle: bytes) -> list[bytes]:
    """The leaves of a bundle; raises ValueError where the last one is cut off."""
    found, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise ValueError("the bundle is cut off")
        found.append(bundle[at + 2 : end])
        at = end
    return found


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
