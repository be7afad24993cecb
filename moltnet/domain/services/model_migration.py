"""What an operator does about the network's embedding model: see it, switch it, follow the switch."""

from collections.abc import Sequence

import attrs

from moltnet.domain.model_migration import ModelCount, ModelMigrationProgress, ModelReference, ModelState
from moltnet.ports.storage import Storage


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
