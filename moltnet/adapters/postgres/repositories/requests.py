"""The tables `signing_requests`, `receipts` (idempotency records) and `relation_intents` (the outbox)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from moltnet.adapters.postgres.rows import (
    beside,
    columns_of,
    idempotency_record_from_row,
    outbox_message_from_row,
    signing_request_from_row,
)
from moltnet.adapters.postgres.session import Repository
from moltnet.domain.constraints import Page
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest
from moltnet.domain.ids import AgentId, SigningRequestId
from moltnet.domain.outbox import Change, OutboxMessage
from moltnet.domain.signing import SigningRequest, SigningStatus

# One row, or none when the id is stored; signing_requests_pkey.
ADD_REQUEST = """
    insert into signing_requests (
        id, agent_id, message, nonce, status, signature, valid, scheme, workflow_id,
        created_at, expires_at, completed_at
    ) values (
        %(id)s, %(agent_id)s, %(message)s, %(nonce)s, %(status)s, %(signature)s, %(valid)s, %(scheme)s, %(workflow_id)s,
        %(created_at)s, %(expires_at)s, %(completed_at)s
    )
    on conflict (id) do nothing
"""
SELECT_REQUESTS = """
    select id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
    from signing_requests
"""
# The request of an id; signing_requests_pkey.
FIND_REQUEST = f"{SELECT_REQUESTS} where id = %(id)s"
# One row, or none when the stored request is not pending; signing_requests_pkey.
COMPLETE_REQUEST = """
    update signing_requests
    set status = %(status)s, signature = %(signature)s, valid = %(valid)s, scheme = %(scheme)s,
        completed_at = %(completed_at)s
    where id = %(id)s and status = 'pending'
"""
# How many requests of an agent there are, beside each of a page of them, newest first, or beside nulls when the page is
# empty; signing_requests_newest.
REQUESTS_OF_AGENT = """
    with matching as (
        select id, created_at from signing_requests
        where agent_id = %(agent_id)s
            and (%(statuses)s::signing_request_status[] = '{}' or status = any(%(statuses)s::signing_request_status[]))
    ), page as (
        select id from matching order by created_at desc, id desc limit %(limit)s offset %(offset)s
    )
    select counted.total, shown.* from (select count(*) as total from matching) as counted
    left join (
        select r.id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
        from page join signing_requests r on r.id = page.id
    ) as shown on true
    order by shown.created_at desc, shown.id desc
"""
# The best request with a signature: a valid one before an invalid one, then the newest; signing_requests_signature.
FIND_REQUEST_BY_SIGNATURE = f"""
    {SELECT_REQUESTS}
    where signature = %(signature)s and (%(agent_id)s::uuid is null or agent_id = %(agent_id)s)
    order by valid desc, created_at desc, id desc limit 1
"""
# Pending requests whose time is over, oldest first; signing_requests_pending gives the order.
OVERDUE_REQUESTS = f"""
    {SELECT_REQUESTS}
    where status = 'pending' and expires_at <= %(at)s
    order by created_at, id limit %(limit)s
"""
# One row for each that was removed; no index.
PURGE_REQUESTS = """
    delete from signing_requests where id in (
        select id from signing_requests where status <> 'pending' and created_at < %(before)s limit %(limit)s
    )
"""


class PostgresSigningRequests(Repository):
    """Requests to sign a message."""

    async def add(self, request: SigningRequest) -> None:
        """Stores a new request; the same id again changes nothing. Raises ProfileNotFound when the agent is gone."""
        await self._session.run(ADD_REQUEST, **columns_of(request), workflow_id=request.workflow_id)

    async def find(self, request_id: SigningRequestId) -> SigningRequest | None:
        return await self._session.first(signing_request_from_row, FIND_REQUEST, id=request_id)

    async def complete(self, request: SigningRequest) -> bool:
        completed = await self._session.run(COMPLETE_REQUEST, **columns_of(request))
        return completed > 0

    async def of_agent(
        self, agent_id: AgentId, statuses: Collection[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        rows = await self._session.all(
            beside("total", signing_request_from_row),
            REQUESTS_OF_AGENT,
            agent_id=agent_id,
            statuses=list(statuses),
            limit=page.limit,
            offset=page.offset,
        )
        return [request for request, _ in rows if request], rows[0][1]

    async def find_by_signature(self, signature: str, agent_id: AgentId | None) -> SigningRequest | None:
        return await self._session.first(
            signing_request_from_row, FIND_REQUEST_BY_SIGNATURE, signature=signature, agent_id=agent_id
        )

    async def overdue(self, at: datetime, limit: int) -> list[SigningRequest]:
        return await self._session.all(signing_request_from_row, OVERDUE_REQUESTS, at=at, limit=limit)

    async def purge(self, before: datetime, limit: int) -> int:
        return await self._session.run(PURGE_REQUESTS, before=before, limit=limit)


# One row, or none when there is another that has not expired; receipts_pkey, which waits for anyone who is adding it.
ADD_RECORD = """
    insert into receipts (agent_id, operation, key, fingerprint, answer, created_at, expires_at)
    values (
        %(agent_id)s, %(operation)s, %(key)s, %(fingerprint)s, %(answer)s, %(created_at)s, %(expires_at)s
    )
    on conflict (agent_id, operation, key) do update
    set fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at,
        expires_at = excluded.expires_at
    where receipts.expires_at <= excluded.created_at
"""
# The idempotency record of an agent's operation under a key; receipts_pkey.
FIND_RECORD = """
    select agent_id, operation, key, fingerprint, answer, created_at, expires_at from receipts
    where agent_id = %(agent_id)s and operation = %(operation)s and key = %(key)s and expires_at > %(at)s
"""
# The idempotency records that were forgotten; receipts_expiry.
PURGE_RECORDS = "delete from receipts where expires_at <= %(at)s"


class PostgresIdempotencyRecords(Repository):
    """At most one idempotency record for each agent, operation and key."""

    async def add(self, record: IdempotencyRecord) -> bool:
        added = await self._session.run(
            ADD_RECORD,
            **columns_of(record.request),
            answer=record.answer,
            created_at=record.created_at,
            expires_at=record.expires_at,
        )
        return added > 0

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        return await self._session.first(
            idempotency_record_from_row,
            FIND_RECORD,
            agent_id=request.agent_id,
            operation=request.operation,
            key=request.key,
            at=at,
        )

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_RECORDS, at=at)


# Waits until nobody else who adds to the partition is uncommitted, so that numbers of a partition are in the order of
# commits. The first half of the key: the first bytes of the SHA-256 of "moltnet relation intents".
LOCK_PARTITION = "select pg_advisory_xact_lock(-717997183, hashtext(%(partition_key)s::text))"
# The outbox message that was added.
ADD_MESSAGE = """
    insert into relation_intents (lane, workflow, diary_id, entry_id, agent_id)
    values (%(partition_key)s, %(workflow)s, %(diary_id)s, %(entry_id)s, %(agent_id)s)
    returning number, workflow, diary_id, entry_id, agent_id
"""
SELECT_MESSAGES = "select number, workflow, diary_id, entry_id, agent_id from relation_intents"
# A partition's, oldest first; relation_intents_lane.
PENDING_IN = f"{SELECT_MESSAGES} where lane = %(partition_key)s order by number"
# An agent's, and those that name no agent, oldest first; relation_intents_agent.
PENDING_OF = f"{SELECT_MESSAGES} where agent_id = %(agent_id)s or agent_id is null order by number"
# The partition's oldest, or none when it is claimed or too new; relation_intents_lane. Of several at once the later
# ones wait for the first one's claim and then see it.
CLAIM_MESSAGE = """
    update relation_intents set claimed_until = %(until)s
    where number = (select min(number) from relation_intents where lane = %(partition_key)s)
    and number <= %(through)s and (claimed_until is null or claimed_until <= %(at)s)
    returning number, workflow, diary_id, entry_id, agent_id
"""
# The outbox message, claimed by nobody, or none when the claim is another's; relation_intents_pkey.
RELEASE_MESSAGE = """
    update relation_intents set claimed_until = null where number = %(number)s and claimed_until = %(until)s
"""
# Nothing is left of the outbox message; relation_intents_pkey.
COMPLETE_MESSAGE = "delete from relation_intents where number = %(number)s"
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


class PostgresOutbox(Repository):
    """Changes of relations that are to be delivered elsewhere."""

    async def add(self, change: Change) -> OutboxMessage:
        """Stores a change, once nobody else has an uncommitted one in its partition."""
        async with self._session.together():
            await self._session.run(LOCK_PARTITION, partition_key=change.partition_key)
            added = await self._session.all(
                outbox_message_from_row,
                ADD_MESSAGE,
                partition_key=change.partition_key,
                **columns_of(change),
            )
        return added[0]

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        return await self._session.all(outbox_message_from_row, PENDING_IN, partition_key=partition_key)

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        return await self._session.all(outbox_message_from_row, PENDING_OF, agent_id=agent_id)

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        return await self._session.first(
            outbox_message_from_row, CLAIM_MESSAGE, partition_key=partition_key, through=through, at=at, until=until
        )

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        return await self._session.run(RELEASE_MESSAGE, number=message.number, until=until) > 0

    async def complete(self, message: OutboxMessage) -> bool:
        return await self._session.run(COMPLETE_MESSAGE, number=message.number) > 0

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        return await self._session.all(outbox_message_from_row, LATEST_PER_PARTITION, limit=limit)
