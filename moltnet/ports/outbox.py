"""Changes of relations on their way to a permission store that lives elsewhere."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from moltnet.domain.ids import AgentId
from moltnet.domain.outbox import Change, OutboxMessage


class Outbox(Protocol):
    """What was committed and may not be delivered yet.

    Messages of one partition (`Change.partition_key`) keep the order of their commits.
    """

    async def add(self, change: Change) -> OutboxMessage:
        """Commits a change with whatever else the unit of work writes.

        Until the commit nobody else adds to the partition, so numbers of a partition never come to be seen out of
        order.
        """
        ...

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        """What is not delivered yet of a partition, oldest first; this unit of work's own included."""
        ...

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        """What is not delivered yet of changes that name the agent, or take a whole diary away; oldest first."""
        ...

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        """The oldest of a partition, to be delivered by the caller alone before `until`.

        None when there is none up to number `through`, or its claim by another lasts beyond `at`.
        """
        ...

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        """Ends a claim before its time, so that the next may take it at once; False when it was lost already."""
        ...

    async def complete(self, message: OutboxMessage) -> bool:
        """Removes an outbox message that was delivered; False when another had settled it already."""
        ...

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        """The newest outbox message of each partition that has any, the partition with the oldest one first."""
        ...
