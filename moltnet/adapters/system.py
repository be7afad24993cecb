"""What the machine itself offers: clock, randomness, tasks beside the requests, threads, and counts in memory."""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from cachetools import TLRUCache

from moltnet.domain.caller import WINDOW, Allowance
from moltnet.ports.system import Clock, Result


class SystemClock:
    """The port `Clock`; as right as the machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION, _VARIANT = 7, 0b10
_FRACTION_BITS, _TAIL_BITS = 12, 62
_STEP_BITS = 32


class SystemRandomness:
    """The port `Randomness`; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamp, self._tail = -1, 0

    def row_id(self, at: datetime) -> UUID:
        """A UUIDv7: milliseconds, 12 bits of the millisecond's fraction (RFC 9562 §6.2 method 3), 62 random bits.

        Within one microsecond the random part counts up by a random step (method 2), so that of the ids one process
        makes for the same or a growing time each is greater than the one before. Times before 1970 have none.
        """
        stamp = _stamp(at)
        with self._lock:
            self._tail = self._next_tail(stamp)
            self._stamp = stamp
            tail = self._tail
        time, fraction = stamp >> _FRACTION_BITS, stamp & ((1 << _FRACTION_BITS) - 1)
        return UUID(int=time << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << _TAIL_BITS | tail)

    def nonce(self) -> UUID:
        return uuid4()

    def secret(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def digits(self, count: int) -> str:
        return f"{secrets.randbelow(10**count):0{count}d}"

    def _next_tail(self, stamp: int) -> int:
        if stamp == self._stamp:
            return self._tail + 1 + secrets.randbits(_STEP_BITS)
        # The highest bit starts at 0: room for two to the 29th ids in one microsecond (RFC 9562 §6.2, rollover guard).
        return secrets.randbits(_TAIL_BITS - 1)


def _stamp(at: datetime) -> int:
    """Milliseconds since 1970 in the upper bits, the fraction of the millisecond in the lower 12."""
    milliseconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds << _FRACTION_BITS | (microseconds << _FRACTION_BITS) // 1000


_log = logging.getLogger(__name__)


class AsyncioBackground:
    """The port `Background`; anyone who makes one closes it.

    A job starts `pause_s` after it was handed over: time for its like to gather, and for those who wait to go first.
    """

    def __init__(self, pause_s: float = 0.0) -> None:
        self._pause_s = pause_s
        self._closing = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()

    def run(self, job: Coroutine[Any, Any, None]) -> None:
        """Starts a job beside the caller, after the pause."""
        task = asyncio.create_task(self._after_pause(job))
        self._jobs.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Starts what still pauses and waits for every job, those included that are started meanwhile."""
        self._closing.set()
        while self._jobs:
            await asyncio.wait(self._jobs)

    async def _after_pause(self, job: Coroutine[Any, Any, None]) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), self._pause_s)
        await job

    def _ended(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            _log.error("a background job failed", exc_info=job.exception())


# They share one interpreter lock, so more would not be faster: two let a short computation pass a long one.
THREADS = 2
# Handing over a computation and taking its result back takes 0.05 ms, and several times as long beside a busy thread:
# about what it takes to read so many characters.
SMALL = 1_000


class ThreadWorkers:
    """The port `Workers`; anyone who makes one closes it.

    The threads are not those of the loop's default executor, which others replace and shut down.
    """

    def __init__(self, threads: int = THREADS, small: int = SMALL) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="moltnet-worker")
        self._small = small

    async def run(self, work: Callable[[], Result], size: int) -> Result:
        """What `work` returns or raises, here or in a thread; raises RuntimeError once closed."""
        if size <= self._small:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Drops what waits for its turn; the threads end with what they are computing."""
        self._executor.shutdown(wait=False, cancel_futures=True)


KEYS_PER_BUCKET = 5000

# The hits of a key's window, and when the window ends.
_Window: TypeAlias = tuple[int, datetime]


class MemoryRateLimits:
    """The port `RateLimits`; of more than `keys_per_bucket` keys, those not hit for longest are forgotten."""

    def __init__(self, clock: Clock, keys_per_bucket: int = KEYS_PER_BUCKET) -> None:
        self._buckets: defaultdict[str, TLRUCache[str, _Window, datetime]] = defaultdict(
            partial(TLRUCache, keys_per_bucket, _end, clock.now)
        )

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        windows = self._buckets[bucket]
        with windows.timer as now:
            hits, ends_at = windows.get(key) or (0, now + WINDOW)
            windows[key] = hits + cost, ends_at
        return Allowance.after(hits + cost, per_minute, (ends_at - now).total_seconds(), cost)

    async def forget_ended(self) -> int:
        return sum(len(windows.expire()) for windows in self._buckets.values())


def _end(_key: str, window: _Window, _now: datetime) -> datetime:
    return window[1]
