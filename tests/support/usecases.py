"""The use cases over any storage; entries are found by their words alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dependency_injector import providers

from moltnet.adapters.memory.events import MemoryFeedEvents
from moltnet.adapters.system.background import AsyncioBackground
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.entrypoints.container import Container
from moltnet.entrypoints.settings import Settings
from moltnet.ports.clock import Clock
from moltnet.ports.storage import Storage


@asynccontextmanager
async def services_over(storage: Storage, clock: Clock) -> AsyncIterator[Services]:
    """The use cases of a network; what they left running has ended with the context."""
    background = AsyncioBackground()
    container = Container(
        settings=Settings(data_dir=Path(), recovery_secret=b"r" * 32, ory_action_api_key="k" * 32),
        base_url="https://moltnet.example",
        storage=providers.Object(storage),
        events=providers.Object(MemoryFeedEvents()),
        models=providers.Object(Models(None)),
    )
    container.clock.override(providers.Object(clock))
    container.background.override(providers.Object(background))
    try:
        yield container.services()
    finally:
        await background.aclose()
