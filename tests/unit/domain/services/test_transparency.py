"""The open log of a network over the fakes: what is logged, and that tree, tiles and proofs are of one log."""

import asyncio

import pytest

from moltnet.adapters.builtin.keys import KeyEncryption, reseal
from moltnet.adapters.builtin.log_keys import StoredLogSigning
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.nacl import NaclSignatures
from moltnet.domain.checkpoints import Checkpoint
from moltnet.domain.merkle import is_consistent, is_included, leaf_hash, root_of
from moltnet.domain.services.transparency import EXTENDED_AT_ONCE, TransparencyService
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.tiles import Extent, Tile, leaves_in
from moltnet.domain.transparency import Leaf, LogForked, LogKeyUnreadable, LogNotStarted, NoSuchLeaf
from tests.support.builders import NOON, a_public_key

SECRET = KeyEncryption(b"s" * 32)
VERIFY = NaclSignatures().verify


def a_log(storage: MemoryStorage, public_url: str | None = "https://net.example/api/") -> TransparencyService:
    signing = StoredLogSigning(storage, MemoryClock(NOON), SECRET, public_url)
    witnessing = Witnessing([], NaclSignatures(), MemoryClock(NOON))
    return TransparencyService(storage=storage, log_signing=signing, witnessing=witnessing)


async def added(storage: MemoryStorage, number: int) -> list[Leaf]:
    leaves = [Leaf.registered(a_public_key(), NOON) for _ in range(number)]
    async with storage.transaction() as work:
        for leaf in leaves:
            await work.transparency.add(leaf)
    return leaves


async def grown(log: TransparencyService) -> Checkpoint:
    while await log.extend():
        pass
    return await log.checkpoint()


async def test_a_log_begins_empty_and_signed() -> None:
    log = a_log(MemoryStorage())
    with pytest.raises(LogNotStarted):
        await log.checkpoint()
    assert not await log.extend()
    checkpoint = await log.checkpoint()
    assert (checkpoint.origin, checkpoint.size) == ("net.example/api/log", 0)
    assert checkpoint.is_signed_by(await log.key(), VERIFY)


async def test_a_log_without_an_address_is_named_by_its_key() -> None:
    names = {(await a_log(MemoryStorage(), None).key()).name for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith("moltnet.local/") for name in names)


async def test_tree_tiles_and_proofs_are_of_one_log() -> None:
    storage = MemoryStorage()
    log = a_log(storage)
    heads = [await grown(log)]
    leaves: list[Leaf] = []
    for number in (1, 255, 0, 1, 340):
        leaves += await added(storage, number)
        heads.append(await grown(log))
    hashes = [leaf_hash(leaf.data) for leaf in leaves]
    assert [head.size for head in heads] == [0, 1, 256, 256, 257, 597]
    for head in heads:
        assert head.root == root_of(hashes[: head.size])
        found = await log.consistency(head.size)
        assert is_consistent(head.size, 597, found.hashes, head.root, found.checkpoint.root)
        earlier = await log.consistency(head.size, max(300, head.size))
        assert is_consistent(head.size, earlier.size, earlier.hashes, head.root, root_of(hashes[: earlier.size]))
    for index in (0, 255, 256, 596):
        shown = await log.inclusion(index)
        assert shown.data == leaves[index].data
        assert is_included(hashes[index], index, 597, shown.hashes, shown.checkpoint.root)
        prefix = await log.inclusion(index, 597 - 596 + index)
        assert is_included(hashes[index], index, prefix.size, prefix.hashes, root_of(hashes[: prefix.size]))
    assert await log.tile(0, Extent(0, 256)) == b"".join(hashes[:256])
    assert await log.tile(0, Extent(2, 85)) == b"".join(hashes[512:])
    assert await log.tile(0, Extent(2, 3)) == b"".join(hashes[512:515])
    assert await log.tile(1, Extent(0, 2)) == root_of(hashes[:256]) + root_of(hashes[256:512])
    assert leaves_in(await log.bundle(Extent(2, 85))) == [leaf.data for leaf in leaves[512:]]
    assert [each.index for each in await log.leaves(None, 590, 100)] == list(range(590, 597))
    subject = str(leaves[300].members["agent"])
    assert [each.index for each in await log.leaves(subject, 0, 10)] == [300]
    assert await log.leaves(subject, 301, 10) == []


@pytest.mark.parametrize(
    ("level", "extent"), [(0, Extent(0, 4)), (0, Extent(1, 1)), (1, Extent(0, 1)), (64, Extent(0, 1))]
)
async def test_what_the_tree_does_not_have_is_not_found(level: int, extent: Extent) -> None:
    storage = MemoryStorage()
    log = a_log(storage)
    await added(storage, 3)
    await grown(log)
    with pytest.raises(NoSuchLeaf):
        await log.tile(level, extent)
    with pytest.raises(NoSuchLeaf):
        await log.bundle(Extent(0, 4))
    with pytest.raises(NoSuchLeaf):
        await log.inclusion(3)
    with pytest.raises(NoSuchLeaf):
        await log.consistency(4)
    with pytest.raises(NoSuchLeaf):
        await log.consistency(2, 1)
    with pytest.raises(NoSuchLeaf):
        await log.inclusion(2, 4)


async def test_many_leaves_are_put_into_the_tree_in_several_turns() -> None:
    storage = MemoryStorage()
    log = a_log(storage)
    await added(storage, EXTENDED_AT_ONCE + 1)
    assert await log.extend()
    assert not await log.extend()
    assert (await log.checkpoint()).size == EXTENDED_AT_ONCE + 1


async def test_two_that_extend_at_once_make_one_log() -> None:
    storage = MemoryStorage()
    leaves = await added(storage, 10)
    logs = [a_log(storage) for _ in range(4)]
    await asyncio.gather(*(log.extend() for log in logs))
    checkpoint = await logs[0].checkpoint()
    assert checkpoint.size == 10
    assert checkpoint.root == root_of([leaf_hash(leaf.data) for leaf in leaves])
    assert len({(await log.key()).text for log in logs}) == 1


async def test_nothing_is_signed_over_a_tree_that_was_changed() -> None:
    storage = MemoryStorage()
    log = a_log(storage)
    await added(storage, 3)
    before = await grown(log)
    async with storage.transaction() as work:
        await work.transparency.extend(3, [], {Tile(0, 0): bytes(96)}, before)
    await added(storage, 1)
    with pytest.raises(LogForked):
        await log.extend()
    async with storage.transaction() as work:
        await work.transparency.extend(3, [], {Tile(0, 0): bytes(32)}, before)
    with pytest.raises(LogForked):
        await log.extend()
    assert await log.checkpoint() == before


async def test_the_key_outlives_the_secret_that_it_is_encrypted_with() -> None:
    storage = MemoryStorage()
    key = await a_log(storage).key()
    after = KeyEncryption(b"t" * 32)
    for _ in range(2):
        await reseal(storage, SECRET, after)
    renewed = StoredLogSigning(storage, MemoryClock(NOON), after, None)
    assert (await renewed.signer()).key == key
    with pytest.raises(LogKeyUnreadable):
        await a_log(storage).key()
