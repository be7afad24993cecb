"""A clock that is set by hand."""

from datetime import timedelta

from moltnet.adapters.memory.system import MemoryClock
from tests.support.builders import NOON

HOUR = timedelta(hours=1)


def test_it_stands_still() -> None:
    clock = MemoryClock(NOON)
    assert clock.now() == clock.now() == NOON


def test_it_can_be_set_back_and_moved_on() -> None:
    clock = MemoryClock(NOON)
    clock.advance(HOUR)
    assert clock.now() == NOON + HOUR
    clock.set(NOON - HOUR)
    assert clock.now() == NOON - HOUR


def test_with_a_tick_no_two_looks_are_alike() -> None:
    clock = MemoryClock(NOON, tick=HOUR)
    assert [clock.now() for _ in range(3)] == [NOON, NOON + HOUR, NOON + 2 * HOUR]
