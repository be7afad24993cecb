"""Small jobs as tasks of the running event loop."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

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
