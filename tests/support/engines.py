"""Engines that run workflows, and can be stopped in the middle as a crash would stop them."""

from collections.abc import Mapping
from typing import Protocol

from moltnet.adapters.memory.workflows import Backoff, Journal, MemoryWorkflows
from moltnet.ports.workflows import WorkflowBody, Workflows


class Engine(Protocol):
    """Whatever remembers workflows from one launch to the next."""

    async def launch(self, bodies: Mapping[str, WorkflowBody]) -> Workflows:
        """Workflows by name, after those that were stopped have been taken up again; one launch at a time."""
        ...

    async def stop(self) -> None:
        """Stops what is running where it stands."""
        ...


class MemoryEngine:
    """Remembers in a journal in memory; failed steps are tried again without delay."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._running: MemoryWorkflows | None = None

    async def launch(self, bodies: Mapping[str, WorkflowBody]) -> Workflows:
        """Workflows over the same journal as before."""
        self._running = MemoryWorkflows(bodies, backoff=Backoff(first_s=0), journal=self._journal)
        await self._running.recover()
        return self._running

    async def stop(self) -> None:
        """Cancels whatever is unfinished."""
        if self._running:
            await self._running.aclose()
