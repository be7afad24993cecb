"""The parts an operator can get wrong, to be looked at one by one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import attrs

from moltnet.adapters.native.keys import KeySeal, TokenKeys
from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.search import EmbedderUnavailable
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.models import ModelDirectories, own_model
from moltnet.entrypoints.container.ory import ory_examined
from moltnet.entrypoints.container.sealing import secret_named
from moltnet.entrypoints.settings import Settings
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.ory.examination import OryExamination
    from moltnet.adapters.postgres.examination import DatabaseExamination


@attrs.frozen
class Examination:
    """The parts an operator can get wrong; each method answers what was seen or raises an error with advice."""

    settings: Settings
    database: "DatabaseExamination"
    ory: "OryExamination | None"
    _storage: Callable[[], AbstractAsyncContextManager[Storage]]

    async def keys(self) -> str:
        """That the keys tokens are signed with can be opened with this server's secret."""
        async with self._storage() as storage:
            keys = TokenKeys(storage=storage, clock=SystemClock(), seal=KeySeal(self.settings.key_secret))
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
            place = (await work.models.state()).serving
        if place is None:
            return "none yet: the first server brings its own"
        loader = ModelDirectories(self.settings.model_dir, 1)
        try:
            found = (await loader.load(place)).model
        finally:
            await loader.aclose()
        if found != place.name:
            raise EmbedderUnavailable(f"The model {place.name} is gone: a server that starts will switch to {found}")
        return found

    async def model(self) -> str:
        """That the embedding model is there and computes."""
        embedder = await asyncio.to_thread(own_model, self.settings.model_dir, 1)
        try:
            await embedder.embed_query("does it compute?")
        finally:
            await embedder.close()
        return embedder.model


@asynccontextmanager
async def examination(settings: Settings) -> AsyncIterator[Examination]:
    """Everything there is to look at, without changing it; the embedded database is started if need be."""
    from moltnet.adapters.postgres.examination import DatabaseExamination  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address, ory_examined(settings) as ory:
        storage = partial(PostgresStorage.open, address, max_connections=2)
        yield Examination(settings, DatabaseExamination(address), ory, storage)
