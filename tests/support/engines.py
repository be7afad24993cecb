"""Engines that run workflows, and can be stopped in the middle as a crash would stop them."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol, TypeAlias

from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.domain.errors import Unavailable
from moltnet.ports.workflows import Backoff, Json, WorkflowBody, Workflows

Launch: TypeAlias = Callable[[WorkflowBody], Awaitable[Workflows]]


class Engine(Protocol):
    """Whatever remembers workflows from one launch to the next."""

    async def launch(self, bodies: Mapping[str, WorkflowBody]) -> Workflows:
        """Workflows by name, after those that were stopped have been taken up again; one launch at a time."""

    async def stop(self) -> None:
        """Stops what is running where it stands."""


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


class DbosEngine:
    """Remembers in a database; each launch is another executor, which takes up what the one before left behind."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._running = AsyncExitStack()

    async def launch(self, bodies: Mapping[str, WorkflowBody]) -> Workflows:
        """Workflows over the same database as before."""
        from moltnet.adapters.dbos.launch import launched  # noqa: PLC0415 - heavy

        return await self._running.enter_async_context(launched(self._conninfo, bodies, Backoff(first_s=0)))

    async def stop(self) -> None:
        """Interrupts whatever is unfinished."""
        await self._running.aclose()
        self._running = AsyncExitStack()


class Action:
    """Something with an effect, that fails as often as it is told before it succeeds."""

    def __init__(self, answer: Json = None, failures: int = 0, error: Exception | None = None) -> None:
        self.calls = 0
        self._answer = answer
        self._failures = failures
        self._error = error or Unavailable()

    async def __call__(self) -> Json:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return self._answer
