"""How workflows run: durable, in the database, or for as long as this process lives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import TypeAlias

from moltnet.adapters.memory.workflows import MemoryWorkflows
from moltnet.ports.workflows import Backoff, WorkflowBody, Workflows

LaunchWorkflows: TypeAlias = Callable[[Mapping[str, WorkflowBody]], AbstractAsyncContextManager[Workflows]]

BACKOFF = Backoff(first_s=0.1)


@asynccontextmanager
async def in_memory(bodies: Mapping[str, WorkflowBody]) -> AsyncIterator[Workflows]:
    """Workflows that end with this process, finished or not."""
    workflows = MemoryWorkflows(bodies, backoff=BACKOFF)
    try:
        yield workflows
    finally:
        await workflows.aclose()


def load_durable() -> Callable[[str, Mapping[str, WorkflowBody]], AbstractAsyncContextManager[Workflows]]:
    """Begins to load the library, half a second of imports that go by while the database starts.

    What it answers launches workflows that are kept in the database of an address.
    """
    loading = asyncio.get_running_loop().run_in_executor(None, import_module, "moltnet.adapters.dbos.launch")

    @asynccontextmanager
    async def launch(address: str, bodies: Mapping[str, WorkflowBody]) -> AsyncIterator[Workflows]:
        async with (await loading).launched(address, bodies, BACKOFF) as workflows:
            yield workflows

    return launch
