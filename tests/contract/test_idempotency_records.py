"""The port `IdempotencyRecords`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, IdempotencyRecord, IdempotentRequest
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_keyed_request
from tests.support.stored import joined

MICROSECOND = timedelta(microseconds=1)
END = NOON + IDEMPOTENCY_RECORD_LIFETIME


def a_receipt(request: IdempotentRequest, answer: bytes = b'{"id":"\xc3\xa4"}') -> IdempotencyRecord:
    return IdempotencyRecord.of(request, answer, NOON)


async def added(storage: Storage, receipt: IdempotencyRecord) -> bool:
    async with storage.transaction() as work:
        return await work.idempotency_records.add(receipt)


async def find(
    storage: Storage, request: IdempotentRequest, after: timedelta = timedelta()
) -> IdempotencyRecord | None:
    async with storage.snapshot() as work:
        return await work.idempotency_records.find(request, NOON + after)


async def purged(storage: Storage, after: timedelta) -> int:
    async with storage.autocommit() as work:
        return await work.idempotency_records.purge(NOON + after)


@pytest.fixture
def asked(agent: Agent) -> IdempotentRequest:
    return a_keyed_request(agent=agent.id)


async def test_a_record_is_found_as_it_was_stored(storage: Storage, asked: IdempotentRequest) -> None:
    assert await find(storage, asked) is None
    receipt = a_receipt(attrs.evolve(asked, key="!~" * 127, fingerprint=bytes(range(32))), bytes(range(256)))
    assert await added(storage, receipt)
    assert await find(storage, receipt.request) == receipt


async def test_it_is_found_by_any_agent_that_asks_something_else_under_its_key(
    storage: Storage, asked: IdempotentRequest
) -> None:
    receipt = a_receipt(asked)
    assert await added(storage, receipt)
    assert await find(storage, attrs.evolve(asked, fingerprint=b"another")) == receipt


async def test_a_key_has_one_record_and_the_first_stays(storage: Storage, asked: IdempotentRequest) -> None:
    first = a_receipt(asked)
    assert await added(storage, first)
    assert not await added(storage, a_receipt(attrs.evolve(asked, fingerprint=b"another"), b"another"))
    assert await find(storage, asked) == first


async def test_agents_operations_and_keys_are_distinguished(storage: Storage, asked: IdempotentRequest) -> None:
    others = [
        attrs.evolve(asked, agent_id=(await joined(storage)).id),
        attrs.evolve(asked, operation="POST /others"),
        attrs.evolve(asked, key="KEY"),
    ]
    assert await added(storage, a_receipt(asked))
    for other in others:
        assert await find(storage, other) is None
        assert await added(storage, a_receipt(other))


async def test_an_expired_record_is_none_and_is_replaced(storage: Storage, asked: IdempotentRequest) -> None:
    assert await added(storage, a_receipt(asked))
    assert await find(storage, asked, IDEMPOTENCY_RECORD_LIFETIME - MICROSECOND)
    assert await find(storage, asked, IDEMPOTENCY_RECORD_LIFETIME) is None
    early, late = (
        IdempotencyRecord.of(attrs.evolve(asked, fingerprint=b"x"), b"x", at) for at in (END - MICROSECOND, END)
    )
    assert not await added(storage, early)
    assert await added(storage, late)
    assert await find(storage, asked, IDEMPOTENCY_RECORD_LIFETIME) == late


async def test_what_expired_is_forgotten_and_nothing_else(storage: Storage, asked: IdempotentRequest) -> None:
    kept = IdempotencyRecord.of(attrs.evolve(asked, key="kept"), b"kept", NOON + MICROSECOND)
    assert await added(storage, a_receipt(asked))
    assert await added(storage, kept)
    assert await purged(storage, IDEMPOTENCY_RECORD_LIFETIME - MICROSECOND) == 0
    assert await purged(storage, IDEMPOTENCY_RECORD_LIFETIME) == 1
    assert await purged(storage, IDEMPOTENCY_RECORD_LIFETIME) == 0
    assert await find(storage, kept.request) == kept


async def test_a_record_goes_with_its_transaction(storage: Storage, asked: IdempotentRequest) -> None:
    async def add_and_fail() -> None:
        async with storage.transaction() as work:
            assert await work.idempotency_records.add(a_receipt(asked))
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    assert await find(storage, asked) is None
    assert await added(storage, a_receipt(asked))


async def test_a_record_goes_with_its_agent(storage: Storage, agent: Agent, asked: IdempotentRequest) -> None:
    assert await added(storage, a_receipt(asked))
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    assert await find(storage, asked) is None
    with pytest.raises(ProfileNotFound):
        await added(storage, a_receipt(asked))


@pytest.mark.parametrize("expired", [False, True])
async def test_of_parallel_additions_one_succeeds(storage: Storage, asked: IdempotentRequest, *, expired: bool) -> None:
    if expired:
        assert await added(storage, a_receipt(asked))
    at = END if expired else NOON
    idempotency_records = [IdempotencyRecord.of(asked, str(number).encode(), at) for number in range(20)]
    answers = await asyncio.gather(*(added(storage, receipt) for receipt in idempotency_records))
    assert sum(answers) == 1
    assert await find(storage, asked, at - NOON) == idempotency_records[answers.index(True)]


@pytest.mark.parametrize("undone", [False, True])
async def test_any_caller_that_comes_second_waits_for_the_first_to_end(
    storage: Storage, asked: IdempotentRequest, *, undone: bool
) -> None:
    second: asyncio.Task[bool] | None = None

    async def first() -> None:
        nonlocal second
        async with storage.transaction() as work:
            assert await work.idempotency_records.add(a_receipt(asked))
            second = asyncio.create_task(added(storage, a_receipt(asked, b"second")))
            for _ in range(3):
                await work.idempotency_records.find(asked, NOON)
            assert not second.done()
            if undone:
                raise LookupError

    if undone:
        with pytest.raises(LookupError):
            await first()
    else:
        await first()
    assert second
    assert await second is undone
