"""The port `Clock`."""

from datetime import timedelta

import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import SystemClock
from moltnet.ports.system import Clock
from tests.support.builders import NOON


@pytest.fixture(params=["memory", "memory that ticks", "system"])
def clock(request: pytest.FixtureRequest) -> Clock:
    clocks: dict[str, Clock] = {
        "memory": MemoryClock(NOON),
        "memory that ticks": MemoryClock(NOON, tick=timedelta(microseconds=1)),
        "system": SystemClock(),
    }
    return clocks[request.param]


def test_time_is_aware_and_in_utc(clock: Clock):
    assert clock.now().utcoffset() == timedelta()


def test_time_does_not_run_backwards(clock: Clock):
    looks = [clock.now() for _ in range(1000)]
    assert looks == sorted(looks)
