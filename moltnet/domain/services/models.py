"""The embedding models this process has loaded, in step with what the network has decided, and that decision."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs

from moltnet.domain.indexing import (
    EmbedderUnavailable,
    ModelCount,
    ModelMigrationProgress,
    ModelName,
    ModelReference,
    ModelState,
    ServingModelChanged,
)
from moltnet.ports.models import ModelLoader
from moltnet.ports.search import Embedder
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock

Answer = TypeVar("Answer")
First = TypeVar("First")
Second = TypeVar("Second")

ATTEMPTS = 5
LOAD_AGAIN_AFTER = timedelta(seconds=60)

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class ModelSource:
    """Where the network's decision is read, and where its models are had."""

    storage: Storage
    loader: ModelLoader
    clock: Clock


class Models:
    """The serving model and, during a switch, the target; each None when this process cannot load it.

    What it says may be older than the network's decision. The store notices: it takes no vectors of a model that does
    not serve, and `retry_on_model_change` then looks and tries again. Without `source` the one model given stays.
    """

    def __init__(self, embedder: Embedder | None, source: ModelSource | None = None) -> None:
        self.serving = embedder
        self.target: Embedder | None = None
        self._source = source
        self._loaded: dict[ModelName, Embedder] = {embedder.model: embedder} if embedder else {}
        self._failed: dict[ModelReference, datetime] = {}
        self._refreshing = asyncio.Lock()

    async def retry_on_model_change(self, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `act` answers, once it meets no switch; `act` must be good to be started again."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await act()
            except ServingModelChanged:
                await self.refresh()
        return await act()

    async def prepare(self) -> None:
        """Loads what the network uses; on one without a model, this server's own becomes the serving one."""
        if self._source is None:
            return
        async with self._source.storage.autocommit() as work:
            state = await work.models.state()
        if state.serving is None:
            await self._adopt(self._source)
        await self.refresh()

    async def refresh(self) -> ModelState:
        """Catches up with the network's decision and answers it."""
        if self._source is None:
            return ModelState(serving=ModelReference(self.serving.model) if self.serving else None)
        async with self._refreshing:
            async with self._source.storage.autocommit() as work:
                state = await work.models.state()
            serving = await self._load(self._source, state.serving)
            if state.serving and serving and serving.model != state.serving.name:
                if state.target is None:
                    state = await self._aim_at_successor(self._source, state.serving, serving)
                serving = None
            target = await self._load(self._source, state.target)
            # Until here others saw the models of before; a search that still holds one of them keeps it alive.
            self.serving = serving
            self.target = target if target and state.target and target.model == state.target.name else None
            self._loaded = {each.model: each for each in (self.serving, self.target) if each}
            return state

    async def _adopt(self, source: ModelSource) -> None:
        try:
            reference, embedder = await source.loader.preferred()
        except EmbedderUnavailable as error:
            _log.warning("NO EMBEDDING MODEL: entries are found by their words only. %s", error.detail)
            return
        self._loaded[embedder.model] = embedder
        async with source.storage.autocommit() as work:
            await work.models.adopt(reference)

    async def _load(self, source: ModelSource, reference: ModelReference | None) -> Embedder | None:
        if reference is None:
            return None
        if reference.name in self._loaded:
            return self._loaded[reference.name]
        now = source.clock.now()
        if reference in self._failed and now - self._failed[reference] < LOAD_AGAIN_AFTER:
            return None
        try:
            return await source.loader.load(reference)
        except EmbedderUnavailable as error:
            self._failed[reference] = now
            _log.warning(
                "NO EMBEDDING MODEL %s: entries are found by their words only. %s", reference.name, error.detail
            )
            return None

    async def _aim_at_successor(
        self, source: ModelSource, reference: ModelReference, successor: Embedder
    ) -> ModelState:
        """What lies in the place of the serving model now is another model, as after an upgrade: switch to it."""
        _log.warning(
            "The embedding model %s is gone, %s is in its place: every entry is embedded anew, and found by its words "
            "only until then",
            reference.name,
            successor.model,
        )
        self._loaded[successor.model] = successor
        async with source.storage.autocommit() as work:
            return await work.models.aim(ModelReference(successor.model, reference.directory))


@attrs.frozen(kw_only=True)
class ModelMigrationService:
    """Decides for the whole network; its processes follow by themselves (`Models`, `ReembeddingService`)."""

    storage: Storage

    async def state(self) -> ModelState:
        """Which model serves, and which the network switches to."""
        async with self.storage.autocommit() as work:
            return await work.models.state()

    async def use(self, reference: ModelReference) -> ModelState:
        """Starts the switch to a model that is known to load, in the place of any other switch; answers the state.

        The serving model ends a switch. In a network without one it serves at once.
        """
        async with self.storage.autocommit() as work:
            return await work.models.aim(reference)

    async def progress(self) -> ModelMigrationProgress:
        """How far the switch is; counts every entry."""
        async with self.storage.autocommit() as work:
            return await work.models.progress()

    async def counts(self) -> Sequence[ModelCount]:
        """How many entries and passages each model has."""
        async with self.storage.autocommit() as work:
            return await work.models.counts()


async def both(first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]) -> tuple[First, Second]:
    """What both answer; when one fails, or nobody waits any more, the other is given up."""
    tasks = asyncio.create_task(first), asyncio.create_task(second)
    try:
        answered, also = await asyncio.gather(*tasks)
        return answered, also
    finally:
        for task in tasks:
            task.cancel()
