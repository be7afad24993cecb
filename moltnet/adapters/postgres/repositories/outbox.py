"""The table `relation_intents`."""

from datetime import datetime
from uuid import UUID

from moltnet.adapters.postgres.rows import outbox_message_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.domain.ids import AgentId
from moltnet.domain.outbox import Change, OutboxMessage

# Waits until nobody else who adds to the partition is uncommitted, so that numbers of a partition are in the order of
# commits. The first half of the key: the first bytes of the SHA-256 of "moltnet relation intents".
LOCK = "select pg_advisory_xact_lock(-717997183, hashtext(%(partition_key)s::text))"
# The outbox message that was added.
ADD = """
    insert into relation_intents (lane, workflow, diary_id, entry_id, agent_id)
    values (%(partition_key)s, %(workflow)s, %(diary_id)s, %(entry_id)s, %(agent_id)s)
    returning number, workflow, diary_id, entry_id, agent_id
"""
# A partition's, oldest first; relation_intents_lane.
PENDING_IN = """
    select number, workflow, diary_id, entry_id, agent_id from relation_intents
    where lane = %(partition_key)s order by number
"""
# An agent's, and those that name no agent, oldest first; relation_intents_agent.
PENDING_OF = """
    select number, workflow, diary_id, entry_id, agent_id from relation_intents
    where agent_id = %(agent_id)s or agent_id is null order by number
"""
# The partition's oldest, or none when it is claimed or too new; relation_intents_lane. Of several at once the later
# ones wait for the first one's claim and then see it.
CLAIM = """
    update relation_intents set claimed_until = %(until)s
    where number = (select min(number) from relation_intents where lane = %(partition_key)s)
    and number <= %(through)s and (claimed_until is null or claimed_until <= %(at)s)
    returning number, workflow, diary_id, entry_id, agent_id
"""
# The outbox message, claimed by nobody, or none when the claim is another's; relation_intents_pkey.
RELEASE = """
    update relation_intents set claimed_until = null where number = %(number)s and claimed_until = %(until)s
"""
# Nothing is left of the outbox message; relation_intents_pkey.
COMPLETE = "delete from relation_intents where number = %(number)s"
# The newest of each partition, the partition with the oldest first; reads the whole table, which holds what is under
# way.
LATEST_PER_PARTITION = """
    with lanes as (
        select max(number) as latest, min(number) as oldest from relation_intents
        group by lane order by oldest limit %(limit)s
    )
    select number, workflow, diary_id, entry_id, agent_id from relation_intents join lanes on number = latest
    order by oldest
"""


class PostgresOutbox:
    """Changes of relations that are to be delivered elsewhere."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, change: Change) -> OutboxMessage:
        """Stores a change, once nobody else has an uncommitted one in its partition."""
        async with self._session.together():
            await self._session.run(LOCK, partition_key=change.partition_key)
            added = await self._session.all(
                outbox_message_from_row,
                ADD,
                partition_key=change.partition_key,
                workflow=change.workflow,
                diary_id=change.diary_id,
                entry_id=change.entry_id,
                agent_id=change.agent_id,
            )
        return added[0]

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        """What is not delivered yet of a partition."""
        return await self._session.all(outbox_message_from_row, PENDING_IN, partition_key=partition_key)

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        """What is not delivered yet of changes that concern an agent."""
        return await self._session.all(outbox_message_from_row, PENDING_OF, agent_id=agent_id)

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        """The oldest of a partition, unless another has it."""
        return await self._session.first(
            outbox_message_from_row, CLAIM, partition_key=partition_key, through=through, at=at, until=until
        )

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        """Ends a claim."""
        return await self._session.run(RELEASE, number=message.number, until=until) > 0

    async def complete(self, message: OutboxMessage) -> bool:
        """Removes an outbox message."""
        return await self._session.run(COMPLETE, number=message.number) > 0

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        """The newest of each partition, the partition with the oldest first."""
        return await self._session.all(outbox_message_from_row, LATEST_PER_PARTITION, limit=limit)
