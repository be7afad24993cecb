"""What is recorded of requests: messages to be signed, answers given once, what is to be delivered, and counts."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from moltnet.domain.caller import Allowance
from moltnet.domain.constraints import Page
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest
from moltnet.domain.ids import AgentId, SigningRequestId
from moltnet.domain.outbox import Change, OutboxMessage
from moltnet.domain.signing import SigningRequest, SigningStatus


class IdempotencyRecords(Protocol):
    """At most one idempotency record for each agent, operation and key, in the data's own transaction."""

    async def add(self, record: IdempotencyRecord) -> bool:
        """Stores an answer, replacing one that had expired at its `created_at`; False if there is another.

        While a parallel transaction holds one for the same agent, operation and key, waits for its end: committed it
        stands, undone it never was. Raises ProfileNotFound without its agent.
        """

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        """The stored answer for agent, operation and key, whatever the fingerprint, unless expired at `at`."""

    async def purge(self, at: datetime) -> int:
        """Forgets idempotency records that had expired at `at`; answers how many."""


class Outbox(Protocol):
    """What was committed and may not be delivered yet.

    Messages of one partition (`Change.partition_key`) keep the order of their commits.
    """

    async def add(self, change: Change) -> OutboxMessage:
        """Commits a change with whatever else the unit of work writes.

        Until the commit nobody else adds to the partition, so numbers of a partition never come to be seen out of
        order.
        """

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        """What is not delivered yet of a partition, oldest first; this unit of work's own included."""

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        """What is not delivered yet of changes that name the agent, or take a whole diary away; oldest first."""

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        """The oldest of a partition, to be delivered by the caller alone before `until`.

        None when there is none up to number `through`, or its claim by another lasts beyond `at`.
        """

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        """Ends a claim before its time, so that the next may take it at once; False when it was lost already."""

    async def complete(self, message: OutboxMessage) -> bool:
        """Removes an outbox message that was delivered; False when another had settled it already."""

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        """The newest outbox message of each partition that has any, the partition with the oldest one first."""


class RateLimits(Protocol):
    """Fixed windows of one minute, one for each key of a bucket; a window begins with the key's first request.

    Parallel requests are counted exactly. Where several processes serve, the adapter says whether they count together.
    """

    async def hit(self, bucket: str, key: str, per_minute: int, cost: int = 1) -> Allowance:
        """Counts a request as `cost` hits, refused ones too; of one key, `per_minute` is always the same.

        Raises Unavailable when the store does not answer; the request may have been counted.
        """

    async def forget_ended(self) -> int:
        """Forgets the windows that are over; answers how many."""


class SigningRequests(Protocol):
    """Requests to sign a message."""

    async def add(self, request: SigningRequest) -> None:
        """Stores a new request; raises ProfileNotFound without its agent."""

    async def find(self, request_id: SigningRequestId) -> SigningRequest | None:
        """The request of an id."""

    async def complete(self, request: SigningRequest) -> bool:
        """Writes a completed or expired request; False when the stored one is not pending any more."""

    async def of_agent(
        self, agent_id: AgentId, statuses: Collection[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        """A page of an agent's requests, newest first, and how many match; no statuses means all."""

    async def find_by_signature(self, signature: str, agent_id: AgentId | None) -> SigningRequest | None:
        """The newest valid request with this signature, else the newest invalid one; of one agent if named.

        Source: docs/reference/signatures.md, "Verification".
        """

    async def overdue(self, at: datetime, limit: int) -> list[SigningRequest]:
        """Pending requests whose time is over, oldest first."""

    async def purge(self, before: datetime, limit: int) -> int:
        """Removes at most so many requests from before a time that are not pending; answers how many."""
