"""The port `Receipts`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.idempotency import RECEIPT_LIFETIME, KeyedRequest, Receipt
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_keyed_request
from tests.support.stored import joined

MICROSECOND = timedelta(microseconds=1)
END = NOON + RECEIPT_LIFETIME


def a_receipt(request: KeyedRequest, answer: bytes = b'{"id":"\xc3\xa4"}') -> Receipt:
    return Receipt.of(request, answer, NOON)


async def added(storage: Storage, receipt: Receipt) -> bool:
    async with storage.writing() as work:
        return await work.receipts.add(receipt)


async def find(storage: Storage, request: KeyedRequest, after: timedelta = timedelta()) -> Receipt | None:
    async with storage.reading() as work:
        return await work.receipts.find(request, NOON + after)


async def purged(storage: Storage, after: timedelta) -> int:
    async with storage.reading() as work:
        return await work.receipts.purge(NOON + after)


@pytest.fixture
def request_(agent: Agent) -> KeyedRequest:
    return a_keyed_request(agent=agent.id)


async def test_a_receipt_is_found_as_it_was_stored(storage: Storage, request_: KeyedRequest) -> None:
    assert await find(storage, request_) is None
    receipt = a_receipt(attrs.evolve(request_, key="!~" * 127, fingerprint=bytes(range(32))), bytes(range(256)))
    assert await added(storage, receipt)
    assert await find(storage, receipt.request) == receipt


async def test_it_is_found_by_whoever_asks_something_else_under_its_key(
    storage: Storage, request_: KeyedRequest
) -> None:
    receipt = a_receipt(request_)
    assert await added(storage, receipt)
    assert await find(storage, attrs.evolve(request_, fingerprint=b"another")) == receipt


async def test_a_key_has_one_receipt_and_the_first_stays(storage: Storage, request_: KeyedRequest) -> None:
    first = a_receipt(request_)
    assert await added(storage, first)
    assert not await added(storage, a_receipt(attrs.evolve(request_, fingerprint=b"another"), b"another"))
    assert await find(storage, request_) == first


async def test_agents_operations_and_keys_are_told_apart(storage: Storage, request_: KeyedRequest) -> None:
    others = [
        attrs.evolve(request_, agent_id=(await joined(storage)).id),
        attrs.evolve(request_, operation="POST /others"),
        attrs.evolve(request_, key="KEY"),
    ]
    assert await added(storage, a_receipt(request_))
    for other in others:
        assert await find(storage, other) is None
        assert await added(storage, a_receipt(other))


async def test_an_expired_receipt_is_none_and_gives_its_place(storage: Storage, request_: KeyedRequest) -> None:
    assert await added(storage, a_receipt(request_))
    assert await find(storage, request_, RECEIPT_LIFETIME - MICROSECOND)
    assert await find(storage, request_, RECEIPT_LIFETIME) is None
    early, late = (Receipt.of(attrs.evolve(request_, fingerprint=b"x"), b"x", at) for at in (END - MICROSECOND, END))
    assert not await added(storage, early)
    assert await added(storage, late)
    assert await find(storage, request_, RECEIPT_LIFETIME) == late


async def test_what_expired_is_forgotten_and_nothing_else(storage: Storage, request_: KeyedRequest) -> None:
    kept = Receipt.of(attrs.evolve(request_, key="kept"), b"kept", NOON + MICROSECOND)
    assert await added(storage, a_receipt(request_))
    assert await added(storage, kept)
    assert await purged(storage, RECEIPT_LIFETIME - MICROSECOND) == 0
    assert await purged(storage, RECEIPT_LIFETIME) == 1
    assert await purged(storage, RECEIPT_LIFETIME) == 0
    assert await find(storage, kept.request) == kept


async def test_a_receipt_goes_with_its_transaction(storage: Storage, request_: KeyedRequest) -> None:
    async def add_and_fail() -> None:
        async with storage.writing() as work:
            assert await work.receipts.add(a_receipt(request_))
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    assert await find(storage, request_) is None
    assert await added(storage, a_receipt(request_))


async def test_a_receipt_goes_with_its_agent(storage: Storage, agent: Agent, request_: KeyedRequest) -> None:
    assert await added(storage, a_receipt(request_))
    async with storage.writing() as work:
        await work.agents.remove(agent.id)
    assert await find(storage, request_) is None
    with pytest.raises(ProfileNotFound):
        await added(storage, a_receipt(request_))


@pytest.mark.parametrize("expired", [False, True])
async def test_of_parallel_additions_one_is_told_yes(
    storage: Storage, request_: KeyedRequest, *, expired: bool
) -> None:
    if expired:
        assert await added(storage, a_receipt(request_))
    at = END if expired else NOON
    receipts = [Receipt.of(request_, str(number).encode(), at) for number in range(20)]
    answers = await asyncio.gather(*(added(storage, receipt) for receipt in receipts))
    assert sum(answers) == 1
    assert await find(storage, request_, at - NOON) == receipts[answers.index(True)]


@pytest.mark.parametrize("undone", [False, True])
async def test_whoever_comes_second_waits_for_the_first_to_end(
    storage: Storage, request_: KeyedRequest, *, undone: bool
) -> None:
    second: asyncio.Task[bool] | None = None

    async def first() -> None:
        nonlocal second
        async with storage.writing() as work:
            assert await work.receipts.add(a_receipt(request_))
            second = asyncio.create_task(added(storage, a_receipt(request_, b"second")))
            for _ in range(3):
                await work.receipts.find(request_, NOON)
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
