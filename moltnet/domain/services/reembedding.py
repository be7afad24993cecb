"""Embedding what the network's model has not embedded yet: all of it during a switch, leftovers otherwise."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.model_migration import ModelReference
from moltnet.domain.search import EmbedderUnavailable, ModelPassages
from moltnet.domain.services.indexing import Vectors, embedded
from moltnet.domain.services.models import Models
from moltnet.ports.search import Embedder
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness, Workers

BATCH = 16
COMPLETED_AT_ONCE = 200
# Of several processes one embeds at a time. One that is killed is followed by another after this time; one that takes
# longer over a batch shares the work for a while, which costs time and nothing else.
LEASE = timedelta(seconds=10)

_log = logging.getLogger(__name__)


@attrs.define(eq=False, kw_only=True)
class ReembeddingService:
    """Continues where it was left, whichever process left it: what is done is in the store."""

    storage: Storage
    models: Models
    workers: Workers
    clock: Clock
    randomness: Randomness
    _worker: UUID | None = None
    _after: EntryId | None = None

    async def run(self) -> bool:
        """Takes one step; False when there is nothing to do for this process at the moment."""
        state = await self.models.refresh()
        if state.target is not None:
            return self.models.target is not None and await self._towards(state.target, self.models.target)
        async with self.storage.autocommit() as work:
            if await work.models.complete(COMPLETED_AT_ONCE):
                return True
            unserved = await work.models.unserved(BATCH)
        if not unserved or self.models.serving is None or not await self._leased():
            return False
        await self._embed(unserved, self.models.serving)
        return True

    async def _towards(self, reference: ModelReference, target: Embedder) -> bool:
        if not await self._leased():
            self._after = None
            return False
        async with self.storage.autocommit() as work:
            entries = await work.models.lacking(self._after, BATCH)
        if entries:
            self._after = (await self._embed(entries, target))[-1].id
            return True
        if self._after is not None:
            self._after = None  # what was edited behind this pass is found by the next
            return True
        async with self.storage.transaction() as work:
            switched = await work.models.finish_migration(reference)
        if switched:
            _log.info("the network has switched to the embedding model %s", reference.name)
            await self.models.refresh()
        return True

    async def _leased(self) -> bool:
        self._worker = self._worker or self.randomness.nonce()
        now = self.clock.now()
        async with self.storage.autocommit() as work:
            return await work.models.lease(self._worker, now, now + LEASE)

    async def _embed(self, entries: Sequence[Entry], embedder: Embedder) -> Sequence[Entry]:
        """Embeds them, or as many of them as the lease leaves time for, and answers which.

        The store takes no vectors for an entry that was edited meanwhile; a later pass finds it.
        """
        until = self.clock.now() + LEASE / 2
        for done, entry in enumerate(entries, start=1):
            model_passages = await self._readable(embedder, entry)
            async with self.storage.autocommit() as work:
                await work.models.store_passages(entry, model_passages)
            if self.clock.now() >= until:
                return entries[:done]
        return entries

    async def _readable(self, embedder: Embedder, entry: Entry) -> ModelPassages:
        """An entry's vectors; none when it is this text that the model fails on, or one text would hold up all."""
        try:
            return await embedded(self.workers, embedder, entry, Vectors())
        except EmbedderUnavailable as error:
            await embedder.embed_query("does it compute?")
            _log.warning("the entry %s cannot be embedded and is found by its words: %s", entry.id, error.detail)
            return ModelPassages(model=embedder.model, passages=())
