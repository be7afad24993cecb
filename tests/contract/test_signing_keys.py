"""The port `SigningKeys`."""

import asyncio
from datetime import timedelta

import attrs

from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_signing_key

LATER = NOON + timedelta(microseconds=1)


async def test_there_are_no_keys_at_first(storage: Storage) -> None:
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == []


async def test_keys_come_newest_first(storage: Storage) -> None:
    older, newer, newest = a_signing_key(), a_signing_key(at=LATER), a_signing_key(at=LATER + timedelta(days=1))
    async with storage.transaction() as work:
        for key in (newer, older, newest):
            await work.signing_keys.add(key)
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [newest, newer, older]


async def test_a_first_key_is_stored_only_where_there_is_none(storage: Storage) -> None:
    first, second = a_signing_key(), a_signing_key(at=LATER)
    async with storage.transaction() as work:
        assert await work.signing_keys.add_first(first)
    async with storage.transaction() as work:
        assert not await work.signing_keys.add_first(second)
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [first]


async def test_a_key_can_be_added_behind_the_first(storage: Storage) -> None:
    first, second = a_signing_key(), a_signing_key(at=LATER)
    async with storage.transaction() as work:
        assert await work.signing_keys.add_first(first)
        await work.signing_keys.add(second)
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [second, first]


async def test_of_parallel_first_keys_one_is_stored(storage: Storage) -> None:
    keys = [a_signing_key() for _ in range(5)]

    async def add_first(number: int) -> bool:
        async with storage.transaction() as work:
            return await work.signing_keys.add_first(keys[number])

    answers = await asyncio.gather(*map(add_first, range(5)))
    assert sum(answers) == 1
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [keys[answers.index(True)]]


async def test_all_keys_but_one_are_removed(storage: Storage) -> None:
    first, second, third = a_signing_key(), a_signing_key(at=LATER), a_signing_key(at=LATER + timedelta(days=1))
    async with storage.transaction() as work:
        assert await work.signing_keys.add_first(first)
        await work.signing_keys.add(second)
        await work.signing_keys.add(third)
        await work.signing_keys.remove_all_but(second.kid)
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [second]


async def test_a_key_is_encrypted_by_another_secret(storage: Storage) -> None:
    key, other = a_signing_key(), a_signing_key(at=LATER)
    async with storage.transaction() as work:
        await work.signing_keys.add(key)
        await work.signing_keys.add(other)
        await work.signing_keys.replace_sealed(key.kid, b"another seal")
        await work.signing_keys.replace_sealed("unknown", b"nothing")
    async with storage.snapshot() as work:
        assert await work.signing_keys.all() == [other, attrs.evolve(key, sealed=b"another seal")]
