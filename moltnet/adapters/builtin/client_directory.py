"""Whom a client's tokens stand for: read from the storage each time, or remembered for a moment.

What is remembered identifies the caller, never what they may do: permissions are read with the request. A replaced
secret counts at once in the process that replaced it, in the others as soon as its commit is told to them, and
everywhere after `CACHE_TTL` even if nothing was told.
"""

from datetime import datetime, timedelta

import attrs
from cachetools import TLRUCache

from moltnet.domain.ids import ClientId
from moltnet.ports.client_directory import ClientDirectory, ClientInvalidations, ClientRecord
from moltnet.ports.clock import Clock
from moltnet.ports.storage import Storage

CACHE_TTL = timedelta(seconds=1)
MOST_REMEMBERED = 10_000


@attrs.frozen
class StoredClientDirectory:
    """The port `ClientDirectory` that remembers nothing."""

    storage: Storage

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent, as they are stored now."""
        async with self.storage.autocommit() as work:
            return await work.clients.find_with_agent(client_id)

    def forget(self, client_id: ClientId) -> None:
        """There is nothing to forget."""


class CachedClientDirectory:
    """The port `ClientDirectory` that remembers what it read lately, as long as changes are announced to it."""

    def __init__(
        self, stored: ClientDirectory, changes: ClientInvalidations, clock: Clock, most: int = MOST_REMEMBERED
    ) -> None:
        self._stored = stored
        self._changes = changes
        self._clock = clock
        # With the time until which each may be used: counted from before it was read, not from when it came.
        self._cache: TLRUCache[ClientId, tuple[ClientRecord, datetime], datetime] = TLRUCache(
            most, lambda _, entry, __: entry[1], clock.now
        )
        # Counts what was told. What was read before a change was told is not remembered after it.
        self._generation = 0
        changes.subscribe(self._forget)

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent, as they were stored less than `CACHE_TTL` ago and no change was told since."""
        if not self._changes.connected:
            return await self._stored.find(client_id)
        cached = self._cache.get(client_id)
        if cached is not None:
            return cached[0]
        until, generation = self._clock.now() + CACHE_TTL, self._generation
        record = await self._stored.find(client_id)
        if record is not None and self._generation == generation and self._changes.connected:
            self._cache[client_id] = record, until
        return record

    def forget(self, client_id: ClientId) -> None:
        """Does not wait to be told by the database."""
        self._forget(client_id)

    def _forget(self, client_id: ClientId | None) -> None:
        self._generation += 1
        if client_id is None:
            self._cache.clear()
        else:
            self._cache.pop(client_id, None)
