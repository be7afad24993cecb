"""Small jobs as tasks of the running event loop."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class AsyncioBackground:
    """The port `Background`; whoever makes one closes it."""

    def __init__(self) -> None:
        self._jobs: set[asyncio.Task[None]] = set()

    def run(self, job: Coroutine[Any, Any, None]) -> None:
        """Starts a job beside the caller."""
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Waits for every job, those included that are started meanwhile."""
        while self._jobs:
            await asyncio.wait(self._jobs)

    def _ended(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            _log.error("a background job failed", exc_info=job.exception())
