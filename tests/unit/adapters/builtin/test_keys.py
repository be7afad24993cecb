"""Signing keys over their life: the first, the newer ones, the retired; and who can open them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from moltnet.adapters.builtin.keys import (
    OVERLAP,
    REREAD_AFTER,
    REREAD_FLOOR,
    SETTLING,
    KeyEncryption,
    SigningKeyUnreadable,
    TokenKeys,
    reseal,
)
from moltnet.adapters.builtin.tokens import BuiltinTokenIssuer
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.credentials import TOKEN_LIFETIME
from moltnet.entrypoints.library.network import MoltNet
from moltnet.ports.credentials import SigningKey
from moltnet.ports.storage import UnitOfWork
from tests.support.builders import NOON
from tests.support.tokens import SEAL, PooledKeys, a_token_key

# The stored key is of NOON and has long settled: of two keys of one moment, either may be the newer.
LATER = NOON + timedelta(days=1)
OTHER_SEAL = PooledKeys(b"another key-encryption secret, 32 bytes or more")
UNPOOLED = KeyEncryption(b"a third key-encryption secret, of 32 bytes or more")


class CountingStorage(MemoryStorage):
    """Counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[UnitOfWork]:
        self.reads += 1
        async with super().autocommit() as work:
            yield work


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(LATER)


@pytest.fixture
async def storage() -> CountingStorage:
    storage = CountingStorage()
    async with storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    return storage


@pytest.fixture
def keys(storage: CountingStorage, clock: MemoryClock) -> TokenKeys:
    return TokenKeys(storage, clock, SEAL)


async def kids(keys: TokenKeys) -> list[str]:
    return [key["kid"] for key in await keys.published()]


async def stored(storage: MemoryStorage) -> list[SigningKey]:
    async with storage.snapshot() as work:
        return await work.signing_keys.all()


async def test_first_key_is_made_where_there_is_none(clock: MemoryClock):
    storage = MemoryStorage()
    keys = TokenKeys(storage, clock, UNPOOLED)
    await keys.prepare()
    assert [key.kid for key in await stored(storage)] == await kids(keys) == [(await keys.signing()).kid]


async def test_processes_that_start_at_once_agree_on_the_first_key(clock: MemoryClock):
    storage = MemoryStorage()
    processes = [TokenKeys(storage, clock, UNPOOLED) for _ in range(3)]
    await asyncio.gather(*(each.prepare() for each in processes))
    assert len(await stored(storage)) == 1
    assert len({(await each.signing()).kid for each in processes}) == 1


async def test_later_start_makes_no_other_key(keys: TokenKeys, storage: CountingStorage):
    await keys.prepare()
    assert await stored(storage) == [a_token_key()]


async def test_only_encrypted_keys_are_stored(storage: CountingStorage):
    sealed = (await stored(storage))[0].sealed
    opened = SEAL.open(a_token_key())
    assert opened is not None
    assert b"PRIVATE" not in sealed
    assert opened.key.as_der(private=True)[30:60] not in sealed
    assert UNPOOLED.new_key(NOON).sealed != UNPOOLED.new_key(NOON).sealed


def test_published_key_has_no_private_part():
    opened = SEAL.open(a_token_key())
    assert opened is not None
    assert set(opened.published()) == {"use", "kty", "kid", "alg", "n", "e"}
    assert opened.kid == opened.key.thumbprint()


async def test_newer_key_is_published_at_once_and_signs_once_it_has_settled(keys: TokenKeys, clock: MemoryClock):
    newer = await keys.rotate()
    assert await kids(keys) == [newer, a_token_key().kid]
    assert (await keys.signing()).kid == a_token_key().kid
    clock.advance(SETTLING)
    assert (await keys.signing()).kid == newer


async def test_other_process_finds_a_newer_key_when_a_token_names_it(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    other = TokenKeys(storage, clock, SEAL)
    await other.prepare()
    newer = await keys.rotate()
    clock.advance(SETTLING)
    found = await other.verifying(newer)
    assert found is not None
    assert found.kid == newer


async def test_made_up_ids_do_not_keep_a_newer_key_from_being_found(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    other = TokenKeys(storage, clock, SEAL)
    newer = await keys.rotate()
    while clock.now() < LATER + SETTLING:
        assert await other.verifying("made up") is None
        clock.advance(REREAD_FLOOR / 3)
    assert (await keys.signing()).kid == newer
    assert await other.verifying(newer) is not None


async def test_made_up_ids_cost_one_read_within_the_floor(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    await keys.prepare()
    before = storage.reads
    clock.advance(REREAD_FLOOR)
    await asyncio.gather(*(keys.verifying(f"made up {number}") for number in range(50)))
    assert storage.reads == before + 1


async def test_known_ids_cost_no_read(keys: TokenKeys, storage: CountingStorage, clock: MemoryClock):
    await keys.prepare()
    before = storage.reads
    clock.advance(REREAD_AFTER - timedelta(microseconds=1))
    for _ in range(50):
        assert await keys.verifying(a_token_key().kid) is not None
    assert storage.reads == before


@pytest.mark.parametrize("step", [REREAD_AFTER, -timedelta(microseconds=1)], ids=["later", "clock set back"])
async def test_keys_are_read_again(keys: TokenKeys, storage: CountingStorage, clock: MemoryClock, step: timedelta):
    await keys.prepare()
    before = storage.reads
    clock.advance(step)
    await keys.verifying(a_token_key().kid)
    assert storage.reads == before + 1


async def test_older_key_verifies_as_long_as_a_token_of_it_may_be_good(keys: TokenKeys, clock: MemoryClock):
    newer = await keys.rotate()
    clock.advance(OVERLAP - timedelta(microseconds=1))
    assert await keys.verifying(a_token_key().kid) is not None
    clock.advance(timedelta(microseconds=1))
    assert await keys.verifying(a_token_key().kid) is None
    assert await kids(keys) == [newer]


def test_last_token_of_an_older_key_ends_before_the_key_does():
    assert REREAD_FLOOR < SETTLING
    assert SETTLING + REREAD_AFTER + TOKEN_LIFETIME < OVERLAP


async def test_key_under_another_secret_is_reported_at_the_start(storage: CountingStorage, clock: MemoryClock):
    with pytest.raises(SigningKeyUnreadable):
        await TokenKeys(storage, clock, OTHER_SEAL).prepare()


async def test_rotating_replaces_a_key_nobody_can_open(
    storage: CountingStorage, clock: MemoryClock, caplog: pytest.LogCaptureFixture
):
    keys = TokenKeys(storage, clock, OTHER_SEAL)
    with caplog.at_level(logging.WARNING):
        newer = await keys.rotate()
    assert "another secret" in caplog.text
    assert await kids(keys) == [newer]
    assert (await keys.signing()).kid == newer


async def test_every_process_follows_a_rotation_within_seconds(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    other = TokenKeys(storage, clock, SEAL)
    await other.prepare()
    newer = await keys.rotate()
    clock.advance(max(REREAD_AFTER, SETTLING))
    assert timedelta(seconds=5) >= REREAD_AFTER
    assert await kids(other) == [newer, a_token_key().kid]
    assert (await other.signing()).kid == newer


async def test_replaced_key_signs_and_verifies_nowhere_within_seconds(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    other = TokenKeys(storage, clock, SEAL)
    await other.prepare()
    await keys.rotate()
    newest = await keys.replace()
    assert [key.kid for key in await stored(storage)] == [newest]
    clock.advance(REREAD_AFTER)
    for process in (keys, other):
        assert await kids(process) == [newest]
        assert (await process.signing()).kid == newest
        assert await process.verifying(a_token_key().kid) is None


async def test_key_nobody_can_open_is_reported_once(
    storage: CountingStorage, clock: MemoryClock, caplog: pytest.LogCaptureFixture
):
    keys = TokenKeys(storage, clock, OTHER_SEAL)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await keys.rotate()
            clock.advance(REREAD_AFTER)
    assert len(caplog.records) == 1


# Another secret


async def test_keys_that_are_encrypted_anew_are_the_same_keys(
    keys: TokenKeys, storage: CountingStorage, clock: MemoryClock
):
    newer = await keys.rotate()
    published = await keys.published()
    for _ in range(2):  # again after an interruption
        assert await reseal(storage, SEAL, OTHER_SEAL) == 2
    assert await TokenKeys(storage, clock, OTHER_SEAL).published() == published
    with pytest.raises(SigningKeyUnreadable):
        await TokenKeys(storage, clock, SEAL).prepare()
    clock.advance(REREAD_AFTER)  # a process that runs on with the former secret
    assert (await keys.signing()).kid == newer
    assert await keys.published() == published


async def test_what_neither_secret_opens_is_not_encrypted_anew(storage: CountingStorage, clock: MemoryClock):
    third = KeyEncryption(b"a third key-encryption secret of 32 bytes or more")
    before = await stored(storage)
    with pytest.raises(SigningKeyUnreadable):
        await reseal(storage, OTHER_SEAL, third)
    assert await stored(storage) == before
    newer = await TokenKeys(storage, clock, OTHER_SEAL).rotate()
    assert await reseal(storage, OTHER_SEAL, third) == 2
    assert await kids(TokenKeys(storage, clock, third)) == [newer]
    assert before[0] in await stored(storage)  # an older one may be opened yet, by whoever finds its secret


async def test_nothing_is_encrypted_where_there_is_no_key():
    assert await reseal(MemoryStorage(), SEAL, OTHER_SEAL) == 0


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(100)])
def test_what_is_no_encrypted_key_does_not_open(sealed: bytes):
    assert UNPOOLED.open(SigningKey(kid="k", sealed=sealed, created_at=NOON)) is None


def test_short_secret_is_refused():
    with pytest.raises(ValueError, match="at least 32 bytes"):
        KeyEncryption(bytes(31))


async def test_a_network_in_memory_has_no_key_before_its_first_token() -> None:
    async with MoltNet.in_memory() as network:
        issuer = network._services.credentials.issuer
        assert isinstance(issuer, BuiltinTokenIssuer)
        async with issuer.storage.autocommit() as work:
            assert await work.signing_keys.all() == []
            await network.genesis()
            assert len(await work.signing_keys.all()) == 1
