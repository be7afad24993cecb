"""Computations in threads of their own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from moltnet.ports.workers import Result

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
