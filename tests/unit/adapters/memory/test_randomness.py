"""Randomness that can be repeated."""

from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.memory.system import MemoryRandomness
from tests.support.builders import NOON


def everything_of(randomness: MemoryRandomness) -> list[object]:
    return [randomness.row_id(NOON), randomness.nonce(), randomness.secret(32), randomness.digits(8)]


@given(seed=st.integers(0, 1000))
def test_the_same_seed_says_the_same(seed: int) -> None:
    assert everything_of(MemoryRandomness(seed)) == everything_of(MemoryRandomness(seed))


def test_another_seed_says_something_else() -> None:
    one, other = everything_of(MemoryRandomness(1)), everything_of(MemoryRandomness(2))
    assert all(left != right for left, right in zip(one, other, strict=True))
