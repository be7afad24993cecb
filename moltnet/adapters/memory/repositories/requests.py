"""What is recorded of requests, in memory: messages to be signed, answers given once, what is to be delivered."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import attrs

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import ClaimableMessage, IdempotencyRecordKey, Tables
from moltnet.domain.constraints import Page
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest
from moltnet.domain.ids import AgentId, SigningRequestId
from moltnet.domain.outbox import Change, OutboxMessage
from moltnet.domain.signing import SigningRequest, SigningStatus


class MemorySigningRequests(Repository):
    """Requests to sign a message."""

    async def add(self, request: SigningRequest) -> None:
        async with self._statements.change() as tables:
            referenced_agent(tables, request.agent_id)
            tables.signing_requests.add(request.id, request)

    async def find(self, request_id: SigningRequestId) -> SigningRequest | None:
        return (await self._statements.read()).signing_requests.get(request_id)

    async def complete(self, request: SigningRequest) -> bool:
        async with self._statements.change() as tables:
            stored = tables.signing_requests.get(request.id)
            if stored is None or stored.status is not SigningStatus.PENDING:
                return False
            tables.signing_requests.put(request.id, request)
            return True

    async def of_agent(
        self, agent_id: AgentId, statuses: Collection[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        tables = await self._statements.read()
        requests = tables.signing_requests.sharing("agent", agent_id).values()
        matching = [request for request in requests if not statuses or request.status in statuses]
        newest = sorted(matching, key=_age, reverse=True)
        return newest[page.offset : page.offset + page.limit], len(matching)

    async def find_by_signature(self, signature: str, agent_id: AgentId | None) -> SigningRequest | None:
        tables = await self._statements.read()
        requests = tables.signing_requests.sharing("signature", signature).values()
        known = (request for request in requests if agent_id in {None, request.agent_id})
        return max(known, key=lambda request: (bool(request.valid), *_age(request)), default=None)

    async def overdue(self, at: datetime, limit: int) -> list[SigningRequest]:
        tables = await self._statements.read()
        pending = tables.signing_requests.sharing("status", SigningStatus.PENDING).values()
        return sorted((request for request in pending if request.is_over(at)), key=_age)[:limit]

    async def purge(self, before: datetime, limit: int) -> int:
        async with self._statements.change() as tables:
            requests = tables.signing_requests.rows().values()
            is_over = (each for each in requests if each.status is not SigningStatus.PENDING)
            old = [request.id for request in is_over if request.created_at < before][:limit]
            for request_id in old:
                tables.signing_requests.drop(request_id)
            return len(old)


def _age(request: SigningRequest) -> tuple[datetime, SigningRequestId]:
    return request.created_at, request.id


class MemoryIdempotencyRecords(Repository):
    """At most one idempotency record for each agent, operation and key."""

    async def add(self, record: IdempotencyRecord) -> bool:
        async with self._statements.change() as tables:
            referenced_agent(tables, record.request.agent_id)
            key = IdempotencyRecordKey.of(record.request)
            stored = tables.idempotency_records.get(key)
            if stored and stored.expires_at > record.created_at:
                return False
            tables.idempotency_records.put(key, record)
            return True

    async def find(self, request: IdempotentRequest, at: datetime) -> IdempotencyRecord | None:
        tables = await self._statements.read()
        stored = tables.idempotency_records.get(IdempotencyRecordKey.of(request))
        return stored if stored and stored.expires_at > at else None

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.idempotency_records.drop_where(lambda record: record.expires_at <= at)


class MemoryOutbox(Repository):
    """Changes of relations that are to be delivered elsewhere."""

    async def add(self, change: Change) -> OutboxMessage:
        """Stores a change; one transaction is open at a time, so numbers are in the order of the commits."""
        async with self._statements.change() as tables:
            number = (tables.counters.get("intents") or 0) + 1
            tables.counters.put("intents", number)
            message = OutboxMessage(number, change)
            tables.outbox.add(number, ClaimableMessage(message))
            return message

    async def pending_in(self, partition_key: UUID) -> list[OutboxMessage]:
        return _partition(await self._statements.read(), partition_key)

    async def pending_of(self, agent_id: AgentId) -> list[OutboxMessage]:
        tables = await self._statements.read()
        rows = tables.outbox.sharing("agent", agent_id) | tables.outbox.sharing("agent", None)
        return [row.message for _, row in sorted(rows.items())]

    async def claim(self, partition_key: UUID, through: int, at: datetime, until: datetime) -> OutboxMessage | None:
        async with self._statements.change() as tables:
            oldest = next(iter(_partition(tables, partition_key)), None)
            row = tables.outbox.get(oldest.number) if oldest else None
            if row is None or row.message.number > through or (row.claimed_until and row.claimed_until > at):
                return None
            tables.outbox.put(row.message.number, attrs.evolve(row, claimed_until=until))
            return row.message

    async def release(self, message: OutboxMessage, until: datetime) -> bool:
        async with self._statements.change() as tables:
            row = tables.outbox.get(message.number)
            if row is None or row.claimed_until != until:
                return False
            tables.outbox.put(message.number, ClaimableMessage(message))
            return True

    async def complete(self, message: OutboxMessage) -> bool:
        async with self._statements.change() as tables:
            is_there = tables.outbox.get(message.number) is not None
            tables.outbox.drop(message.number)
            return is_there

    async def latest_per_partition(self, limit: int) -> list[OutboxMessage]:
        tables = await self._statements.read()
        partition_keys = dict.fromkeys(
            row.message.change.partition_key for _, row in sorted(tables.outbox.rows().items())
        )
        return [_partition(tables, partition_key)[-1] for partition_key in list(partition_keys)[:limit]]


def _partition(tables: Tables, partition_key: UUID) -> list[OutboxMessage]:
    return [row.message for _, row in sorted(tables.outbox.sharing("partition_key", partition_key).items())]
