"""Many vectors compared with one, at the speed of a numeric library.

`einsum` rather than `@`: that would start threads of its own, which cost more than they bring here.
"""

from collections.abc import Sequence

import numpy as np

from moltnet.domain.indexing import DIMENSIONS, Vector


def unit(vector: Vector) -> bytes:
    """A vector of the same direction and of length one, as float32; one of length zero as it is."""
    numbers = np.frombuffer(vector.data, "<f2").astype("<f4")
    length = np.sqrt(numbers @ numbers)
    return (numbers / length if length else numbers).tobytes()


def near_ones(one: bytes, others: Sequence[bytes], at_least: float) -> list[tuple[int, float]]:
    """Of the unit vectors `others` those at least so near to a unit vector: the place of each, and its cosine."""
    matrix = np.frombuffer(b"".join(others), "<f4").reshape(-1, DIMENSIONS)
    found = np.einsum("ij,j->i", matrix, np.frombuffer(one, "<f4"))
    rows = np.flatnonzero(found >= at_least)
    return list(zip(rows.tolist(), found[rows].tolist(), strict=True))


def cosines(vector: Vector, others: Sequence[Vector]) -> list[float]:
    """The cosine of a vector and each of `others`, in their order; as `Vector.cosine`, within float32 rounding."""
    matrix = np.frombuffer(b"".join([other.data for other in others]), "<f2").astype("<f4").reshape(-1, DIMENSIONS)
    one = np.frombuffer(vector.data, "<f2").astype("<f4")
    inner = np.einsum("ij,j->i", matrix, one).astype(np.float64)
    squares = np.einsum("ij,ij->i", matrix, matrix).astype(np.float64) * float(one @ one)
    found = np.divide(inner, np.sqrt(squares), out=np.zeros_like(inner), where=squares > 0)
    near: list[float] = (1 - (1 - found.clip(-1, 1))).tolist()
    return near
