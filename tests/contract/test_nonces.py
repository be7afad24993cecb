"""The port `Nonces`."""

import asyncio
from datetime import timedelta

import pytest

from moltnet.ports.storage import Storage
from tests.support.builders import NOON

MICROSECOND = timedelta(microseconds=1)


async def used(storage: Storage, nonce: str) -> bool:
    async with storage.autocommit() as work:
        return await work.nonces.use(nonce, NOON)


async def purged(storage: Storage, after: timedelta) -> int:
    async with storage.autocommit() as work:
        return await work.nonces.purge(NOON + after)


async def test_a_nonce_is_good_once(storage: Storage) -> None:
    assert await used(storage, "a")
    assert not await used(storage, "a")
    assert await used(storage, "b")


async def test_of_parallel_uses_one_succeeds(storage: Storage) -> None:
    assert sum(await asyncio.gather(*(used(storage, "a") for _ in range(10)))) == 1


async def test_an_expired_nonce_is_burnt_until_it_is_forgotten(storage: Storage) -> None:
    await used(storage, "a")
    async with storage.autocommit() as work:
        assert not await work.nonces.use("a", NOON + timedelta(days=1))


async def test_what_expired_is_forgotten_and_nothing_else(storage: Storage) -> None:
    await used(storage, "a")
    async with storage.autocommit() as work:
        await work.nonces.use("b", NOON + MICROSECOND)
    assert await purged(storage, timedelta()) == 0
    assert await purged(storage, MICROSECOND) == 1
    assert await purged(storage, MICROSECOND) == 0
    assert await used(storage, "a")
    assert not await used(storage, "b")


async def test_a_burnt_nonce_is_good_again_when_its_transaction_fails(storage: Storage) -> None:
    async def use_and_fail() -> None:
        async with storage.transaction() as work:
            assert await work.nonces.use("a", NOON)
            raise LookupError

    with pytest.raises(LookupError):
        await use_and_fail()
    assert await used(storage, "a")
