"""The parts an operator can get wrong, to be looked at one by one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import attrs

from moltnet.adapters.builtin.keys import KeyEncryption, TokenKeys
from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.search import EmbedderUnavailable
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.key_encryption import secret_named
from moltnet.entrypoints.container.models import ModelDirectories, load_embedder
from moltnet.entrypoints.container.ory import open_ory_health_check
from moltnet.entrypoints.settings import Settings
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.ory.health_check import OryHealthCheck
    from moltnet.adapters.postgres.health_check import DatabaseHealthCheck


@attrs.frozen
class HealthCheck:
    """The parts an operator can get wrong; each method answers what was seen or raises an error with advice."""

    settings: Settings
    database: "DatabaseHealthCheck"
    ory: "OryHealthCheck | None"
    _storage: Callable[[], AbstractAsyncContextManager[Storage]]

    async def keys(self) -> str:
        """That the keys tokens are signed with can be opened with this server's secret."""
        async with self._storage() as storage:
            keys = TokenKeys(storage=storage, clock=SystemClock(), seal=KeyEncryption(self.settings.key_secret))
            with secret_named():
                return f"{len(await keys.published())} published"

    async def identity(self) -> str:
        """That the identity service answers."""
        async with self._storage() as storage, storage.autocommit() as work:
            empty = not await work.agents.any()
        return "native; nobody is there yet" if empty else "native; agents are there"

    async def serving(self) -> str:
        """That the model which serves the network is here."""
        async with self._storage() as storage, storage.autocommit() as work:
            reference = (await work.models.state()).serving
        if reference is None:
            return "none yet: the first server brings its own"
        loader = ModelDirectories(self.settings.model_dir, 1)
        try:
            found = (await loader.load(reference)).model
        finally:
            await loader.aclose()
        if found != reference.name:
            raise EmbedderUnavailable(
                f"The model {reference.name} is gone: a server that starts will switch to {found}"
            )
        return found

    async def model(self) -> str:
        """That the embedding model is there and computes."""
        embedder = await asyncio.to_thread(load_embedder, self.settings.model_dir, 1)
        try:
            await embedder.embed_query("does it compute?")
        finally:
            await embedder.close()
        return embedder.model


@asynccontextmanager
async def health_check(settings: Settings) -> AsyncIterator[HealthCheck]:
    """Everything there is to look at, without changing it; the embedded database is started if need be."""
    from moltnet.adapters.postgres.health_check import DatabaseHealthCheck  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address, open_ory_health_check(settings) as ory:
        storage = partial(PostgresStorage.open, address, max_connections=2)
        yield HealthCheck(settings, DatabaseHealthCheck(address), ory, storage)
