"""Idempotency records of requests that are carried out once."""

from datetime import datetime
from typing import Protocol

from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest


class IdempotencyRecords(Protocol):
    """At most one idempotency record for each agent, operation and key, in the data's own transaction."""

    async def add(self, record: IdempotencyRecord) -> bool:
        """Stores an answer, replacing one that had expired at its `created_at`; False if there is another.

        While a parallel transaction holds one for the same agent, operation and key, waits for its end: committed it
        stands, undone it never was. Raises ProfileNotFound without its agent.
        """
        ...

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        """The stored answer for agent, operation and key, whatever the fingerprint, unless expired at `at`."""
        ...

    async def purge(self, at: datetime) -> int:
        """Forgets idempotency records that had expired at `at`; answers how many."""
        ...
