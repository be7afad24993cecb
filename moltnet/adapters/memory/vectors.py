"""Many vectors compared with one, at the speed of a numeric library.

`einsum` rather than `@`: that would start threads of its own, which cost more than they bring here.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moltnet.domain.indexing import DIMENSIONS, Vector

# Vectors that are compared at once, and how many such blocks are remembered: some 25 MB.
BLOCK, BLOCKS = 64, 256


def unit(vector: Vector) -> bytes:
    """A vector of the same direction and of length one, as float32; one of length zero as it is."""
    numbers = np.frombuffer(vector.data, "<f2").astype("<f4")
    length = np.sqrt(numbers @ numbers)
    return (numbers / length if length else numbers).tobytes()


def near_ones(one: bytes, others: Sequence[bytes], at_least: float, first: int = 0) -> list[tuple[int, float]]:
    """Of the unit vectors `others` those at least so near to a unit vector: the place of each, and its cosine.

    `others` are compared in blocks, which are remembered: `first` is how many vectors stand before them, so that the
    same ones are in a block when there are more.
    """
    edges = [0, *range(-first % BLOCK or BLOCK, len(others), BLOCK), len(others)]
    number, found = np.frombuffer(one, "<f4"), list[tuple[int, float]]()
    for start, end in pairwise(edges):
        rows = tuple(others[start:end])
        nearness = np.einsum("ij,j->i", _remembered(rows) if len(rows) == BLOCK else _matrix(rows), number)
        near = np.flatnonzero(nearness >= at_least)
        found += zip((near + start).tolist(), nearness[near].tolist(), strict=True)
    return found


def _matrix(rows: tuple[bytes, ...]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(rows), "<f4").reshape(-1, DIMENSIONS)


_remembered = lru_cache(BLOCKS)(_matrix)


def cosines(vector: Vector, others: Sequence[Vector]) -> list[float]:
    """The cosine of a vector and each of `others`, in their order; as `Vector.cosine`, within float32 rounding."""
    matrix = np.frombuffer(b"".join([other.data for other in others]), "<f2").astype("<f4").reshape(-1, DIMENSIONS)
    one = np.frombuffer(vector.data, "<f2").astype("<f4")
    inner = np.einsum("ij,j->i", matrix, one).astype(np.float64)
    squares = np.einsum("ij,ij->i", matrix, matrix).astype(np.float64) * float(one @ one)
    found = np.divide(inner, np.sqrt(squares), out=np.zeros_like(inner), where=squares > 0)
    near: list[float] = (1 - (1 - found.clip(-1, 1))).tolist()
    return near


def deviation(numbers: Sequence[float]) -> float:
    """The standard deviation of all there are; 0 of none."""
    return float(np.std(numbers)) if numbers else 0.0
