"""The port `Outbox`."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.outbox import Change, OutboxMessage, PermissionWorkflow
from moltnet.domain.permissions import Relation
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_id

LIFETIME = timedelta(seconds=5)
LATER = NOON + LIFETIME
ANY = 1 << 62


def a_grant(diary: UUID | None = None, agent: UUID | None = None) -> Change:
    return Change.granting(DiaryId(diary or an_id()), Relation.READERS, AgentId(agent or an_id()))


async def added(storage: Storage, *changes: Change) -> list[OutboxMessage]:
    async with storage.transaction() as work:
        return [await work.outbox.add(change) for change in changes]


async def pending(storage: Storage, partition_key: UUID) -> list[OutboxMessage]:
    async with storage.snapshot() as work:
        return await work.outbox.pending_in(partition_key)


async def claimed(
    storage: Storage, partition_key: UUID, at: datetime = NOON, through: int = ANY
) -> OutboxMessage | None:
    async with storage.autocommit() as work:
        return await work.outbox.claim(partition_key, through, at, at + LIFETIME)


async def settled(storage: Storage, message: OutboxMessage) -> bool:
    async with storage.autocommit() as work:
        return await work.outbox.complete(message)


async def test_a_partition_keeps_its_order_and_is_its_own(storage: Storage) -> None:
    diary, other = DiaryId(an_id()), DiaryId(an_id())
    first, foreign, second = await added(storage, a_grant(diary), a_grant(other), Change.removing(diary))
    assert await pending(storage, diary) == [first, second]
    assert await pending(storage, other) == [foreign]
    assert await pending(storage, an_id()) == []


@pytest.mark.parametrize("workflow", PermissionWorkflow)
async def test_a_change_is_stored_as_it_is(storage: Storage, workflow: PermissionWorkflow) -> None:
    change = Change(workflow=workflow, diary_id=DiaryId(an_id()), entry_id=EntryId(an_id()), agent_id=AgentId(an_id()))
    (message,) = await added(storage, change)
    assert await pending(storage, change.partition_key) == [message]
    assert message.change == change


async def test_an_agents_own_change_has_a_partition_too(storage: Storage) -> None:
    agent = AgentId(an_id())
    (message,) = await added(storage, Change(workflow=PermissionWorkflow.INTRODUCE_AGENT, agent_id=agent))
    assert await pending(storage, agent) == [message]


async def test_an_undone_unit_of_work_leaves_no_message(storage: Storage) -> None:
    change = a_grant()

    async def undone() -> None:
        async with storage.transaction() as work:
            await work.outbox.add(change)
            assert len(await work.outbox.pending_in(change.partition_key)) == 1
            raise LookupError

    with pytest.raises(LookupError):
        await undone()
    assert await pending(storage, change.partition_key) == []


async def test_what_concerns_an_agent_is_reported_of_all_partitions(storage: Storage) -> None:
    agent = an_id()
    mine, _, gone = await added(storage, a_grant(agent=agent), a_grant(), Change.removing(DiaryId(an_id())))
    (withdrawn,) = await added(storage, Change.removing(DiaryId(an_id()), AgentId(agent)))
    async with storage.snapshot() as work:
        assert await work.outbox.pending_of(AgentId(agent)) == [mine, gone, withdrawn]


async def test_only_the_oldest_of_a_partition_can_be_claimed_and_by_one_at_a_time(storage: Storage) -> None:
    first, second = await added(storage, *[a_grant(diary := an_id()), a_grant(diary)])
    assert await claimed(storage, diary) == first
    assert await claimed(storage, diary) is None
    await settled(storage, first)
    assert await claimed(storage, diary) == second
    await settled(storage, second)
    assert await claimed(storage, diary) is None


async def test_of_parallel_claims_one_succeeds(storage: Storage) -> None:
    (message,) = await added(storage, a_grant())
    claims = await asyncio.gather(*(claimed(storage, message.change.partition_key) for _ in range(5)))
    assert [claim for claim in claims if claim] == [message]


async def test_a_claim_ends_with_its_time_or_when_it_is_released(storage: Storage) -> None:
    (message,) = await added(storage, a_grant())
    partition_key = message.change.partition_key
    assert await claimed(storage, partition_key) == message
    assert await claimed(storage, partition_key, LATER - timedelta(microseconds=1)) is None
    assert await claimed(storage, partition_key, LATER) == message
    async with storage.autocommit() as work:
        assert not await work.outbox.release(message, LATER)  # the claim that was outlived
        assert await work.outbox.release(message, LATER + LIFETIME)
    assert await claimed(storage, partition_key, LATER) == message


async def test_what_is_newer_than_asked_for_is_not_claimed(storage: Storage) -> None:
    first, second = await added(storage, *[a_grant(diary := an_id()), a_grant(diary)])
    await settled(storage, first)
    assert await claimed(storage, diary, through=first.number) is None
    assert await claimed(storage, diary, through=second.number) == second


async def test_a_message_is_completed_once_and_releasing_what_is_gone_is_no_error(storage: Storage) -> None:
    (message,) = await added(storage, a_grant())
    assert await settled(storage, message)
    assert not await settled(storage, message)
    async with storage.autocommit() as work:
        assert not await work.outbox.release(message, LATER)
    assert await pending(storage, message.change.partition_key) == []


async def test_partitions_are_reported_by_their_newest_the_oldest_partition_first(storage: Storage) -> None:
    one, two, three = (an_id() for _ in range(3))
    _, second, third = await added(storage, a_grant(one), a_grant(two), a_grant(three))
    (first,) = await added(storage, a_grant(one))
    async with storage.snapshot() as work:
        assert await work.outbox.latest_per_partition(9) == [first, second, third]
        assert await work.outbox.latest_per_partition(2) == [first, second]


async def test_numbers_of_a_partition_are_in_the_order_of_the_commits(storage: Storage) -> None:
    diary = an_id()
    committed: list[int] = []

    async def commit() -> None:
        async with storage.transaction() as work:
            message = await work.outbox.add(a_grant(diary))
            await asyncio.sleep(0)
            # Whoever is here alone has the lane: its number is taken, and nobody else's is.
            assert [each.number for each in await work.outbox.pending_in(diary)] == [*committed, message.number]
            committed.append(message.number)

    await asyncio.gather(*(commit() for _ in range(6)))
    assert committed == sorted(committed)
    assert [each.number for each in await pending(storage, diary)] == committed
