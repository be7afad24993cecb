"""Computations at once."""

from collections.abc import Callable

from moltnet.ports.workers import Result


class MemoryWorkers:
    """The port `Workers` where nobody else waits for the event loop: everything is run where it is called."""

    async def run(self, work: Callable[[], Result], size: int) -> Result:  # noqa: ARG002  # the port's
        """What `work` returns or raises."""
        return work()
