"""Receipts of requests that are carried out once."""

from datetime import datetime
from typing import Protocol

from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest


class IdempotencyRecords(Protocol):
    """At most one receipt for each agent, operation and key, in the data's own transaction."""

    async def add(self, record: IdempotencyRecord) -> bool:
        """Stores a receipt, in the place of one that had expired at its `created_at`; False when there is another.

        While a parallel transaction holds one for the same agent, operation and key, waits for its end: committed it
        stands, undone it never was. Raises ProfileNotFound without its agent.
        """
        ...

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        """The receipt for a request's agent, operation and key, whatever its fingerprint, unless expired at `at`."""
        ...

    async def purge(self, at: datetime) -> int:
        """Forgets receipts that had expired at `at`; answers how many."""
        ...
