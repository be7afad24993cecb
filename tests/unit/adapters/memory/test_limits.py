"""What a bucket in memory keeps at most."""

from datetime import timedelta

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import MemoryRateLimits
from tests.support.builders import NOON


async def test_bucket_forgets_whom_it_has_not_met_for_longest():
    limits = MemoryRateLimits(MemoryClock(NOON), keys_per_bucket=2)
    for key in ("ada", "bea", "ada", "cas"):
        await limits.hit("vouch", key, 1)
    assert not (await limits.hit("vouch", "ada", 1)).allowed
    assert (await limits.hit("vouch", "bea", 1)).allowed


async def test_buckets_do_not_crowd_each_other_out():
    limits = MemoryRateLimits(MemoryClock(NOON), keys_per_bucket=2)
    for bucket in ("vouch", "signing", "global"):
        await limits.hit(bucket, "ada", 1)
    assert not (await limits.hit("vouch", "ada", 1)).allowed


async def test_crowd_leaves_nothing_behind():
    clock = MemoryClock(NOON)
    limits = MemoryRateLimits(clock, keys_per_bucket=10)
    for number in range(100):
        await limits.hit("vouch", str(number), 1)
    clock.advance(timedelta(minutes=1))
    assert await limits.forget_ended() == 10
