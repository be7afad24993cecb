"""Identifiers from the operating system's randomness: the layout of RFC 9562."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.system import SystemRandomness
from tests.support.builders import NOON

VARIANT_MASK = (1 << 62) - 1


def test_row_id_of_the_standards_example_begins_as_there():
    # RFC 9562, appendix A.6: 2022-02-22 14:22:22.00 GMT-05:00
    made = SystemRandomness().row_id(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))
    assert str(made).startswith("017f22e2-79b0-7000-")


@given(microsecond=st.integers(0, 999))
def test_row_id_carries_the_microsecond(microsecond: int):
    made = SystemRandomness().row_id(NOON + timedelta(microseconds=microsecond))
    fraction = made.int >> 64 & 0xFFF
    assert math.ceil(fraction * 1000 / 4096) == microsecond


def test_row_ids_of_different_makers_differ():
    first, second = SystemRandomness(), SystemRandomness()
    made = {each.row_id(NOON) for _ in range(1000) for each in (first, second)}
    assert len(made) == 2000


def test_row_ids_of_one_microsecond_cannot_be_guessed_from_the_one_before():
    randomness = SystemRandomness()
    tails = [randomness.row_id(NOON).int & VARIANT_MASK for _ in range(100)]
    steps = {later - earlier for earlier, later in pairwise(tails)}
    assert len(steps) > 90


def test_row_ids_made_by_threads_at_once_are_distinct():
    randomness = SystemRandomness()
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: randomness.row_id(NOON), range(4000)))
    assert len(set(made)) == 4000
