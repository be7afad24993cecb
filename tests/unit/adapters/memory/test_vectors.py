"""Vectors are compared in blocks, which changes nothing about what is near."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.memory import vectors
from moltnet.adapters.memory.vectors import BLOCK, near_ones
from moltnet.domain.indexing import DIMENSIONS


def along(axis: int) -> bytes:
    """The unit vector along an axis."""
    return struct.pack(f"<{DIMENSIONS}f", *(float(each == axis) for each in range(DIMENSIONS)))


UNITS = [along(axis) for axis in range(3)]


@given(
    axes=st.lists(st.sampled_from([0, 1, 2]), max_size=12).flatmap(
        lambda few: st.just(few) | st.integers(1, 20).map(lambda times: few * times)
    ),
    first=st.integers(0, 3 * BLOCK),
)
def test_the_same_are_near_wherever_blocks_begin(axes: list[int], first: int) -> None:
    near = near_ones(UNITS[0], [UNITS[axis] for axis in axes], 0.9, first)
    assert near == [(number, 1.0) for number, axis in enumerate(axes) if axis == 0]


@pytest.mark.parametrize("count", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_are_read_once_while_vectors_are_added(count: int) -> None:
    everything = [along(number % DIMENSIONS) for number in range(count)]
    near_ones(UNITS[0], everything, 0.9)
    read = vectors._remembered.cache_info().misses
    for more in range(1, 5):
        assert near_ones(UNITS[0], [*everything[3:], *[UNITS[0]] * more], 0.9, first=3)[-1][0] == count - 4 + more
    assert vectors._remembered.cache_info().misses == read


def test_nothing_is_near_where_there_is_nothing() -> None:
    assert near_ones(UNITS[0], [], 0.0) == []
