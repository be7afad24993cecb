"""The port `TransparencyLog`."""

import asyncio
from contextlib import suppress

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.checkpoints import Checkpoint
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.merkle import Range
from moltnet.domain.records import Head
from moltnet.domain.tiles import Tile
from moltnet.domain.transparency import Leaf, LoggedLeaf
from moltnet.ports.storage import Storage
from moltnet.ports.transparency import LogHead, LogKey, PendingLeaf
from tests.support.builders import NOON, a_public_key
from tests.support.stored import opened

FIRST, SECOND, THIRD = (Leaf.registered(a_public_key(), NOON) for _ in range(3))


def a_checkpoint(size: int) -> Checkpoint:
    line = Checkpoint.parse(f"x\n{size}\n{'A' * 43}=\n\n— x {'A' * 20}\n")
    return attrs.evolve(line, size=size)


async def added(storage: Storage, *leaves: Leaf) -> list[PendingLeaf]:
    async with storage.transaction() as work:
        for leaf in leaves:
            await work.transparency.add(leaf)
    async with storage.autocommit() as work:
        return await work.transparency.pending(100)


async def test_leaves_wait_in_the_order_in_which_they_were_added(storage: Storage) -> None:
    pending = await added(storage, FIRST, SECOND, THIRD)
    assert [each.leaf for each in pending] == [FIRST, SECOND, THIRD]
    async with storage.autocommit() as work:
        assert await work.transparency.pending(2) == pending[:2]


async def test_a_leaf_of_what_was_undone_is_not_there(storage: Storage) -> None:
    with suppress(ZeroDivisionError):
        async with storage.transaction() as work:
            await work.transparency.add(FIRST)
            _ = 1 // 0
    assert await added(storage) == []


async def test_leaves_are_put_into_the_tree(storage: Storage) -> None:
    pending = await added(storage, FIRST, SECOND, THIRD)
    tiles = {Tile(0, 0): bytes(64), Tile(3, 2**50): bytes(32)}
    async with storage.transaction() as work:
        assert await work.transparency.hold() == LogHead()
        await work.transparency.extend(0, pending[:2], tiles, a_checkpoint(2))
    async with storage.transaction() as work:
        assert await work.transparency.head() == LogHead(signed=a_checkpoint(2))
        assert await work.transparency.pending(100) == pending[2:]
        await work.transparency.extend(2, pending[2:], {Tile(0, 0): bytes(96)}, a_checkpoint(3))
    async with storage.autocommit() as work:
        assert await work.transparency.tiles([Tile(0, 0), *tiles, Tile(9, 9)]) == tiles | {Tile(0, 0): bytes(96)}
        assert await work.transparency.leaves(Range(1, 9)) == [SECOND.data, THIRD.data]
        assert await work.transparency.leaves(Range(3, 9)) == []
        assert await work.transparency.pending(100) == []
        subject = str(SECOND.members["agent"])
        assert await work.transparency.of_subject(subject, -1, 10) == [LoggedLeaf(index=1, data=SECOND.data)]
        assert await work.transparency.of_subject(subject, 1, 10) == []
        assert await work.transparency.of_subject("nobody", -1, 10) == []


async def test_what_is_about_several_is_found_by_each(storage: Storage) -> None:
    agent, by = a_public_key().fingerprint, a_public_key().fingerprint
    vouched = Leaf.vouched(agent, by, NOON)
    pending = await added(storage, vouched, vouched)
    async with storage.transaction() as work:
        await work.transparency.extend(0, pending, {}, a_checkpoint(2))
    expected = [LoggedLeaf(index=index, data=vouched.data) for index in range(2)]
    async with storage.autocommit() as work:
        for subject in (agent, by):
            assert await work.transparency.of_subject(str(subject), -1, 10) == expected
            assert await work.transparency.of_subject(str(subject), -1, 1) == expected[:1]


async def test_a_published_checkpoint_is_never_replaced_by_a_smaller_one(storage: Storage) -> None:
    for size, expected in ((2, 2), (1, 2), (2, 2), (5, 5), (0, 5)):
        async with storage.autocommit() as work:
            await work.transparency.publish(a_checkpoint(size))
            published = (await work.transparency.head()).published
        assert published is not None
        assert published.size == expected


async def test_of_two_first_keys_one_is_the_log_s(storage: Storage) -> None:
    keys = [LogKey(origin="x", public_key=a_public_key(), sealed=b"1", created_at=NOON) for _ in range(2)]

    async def add(key: LogKey) -> bool:
        async with storage.autocommit() as work:
            return await work.transparency.add_first_key(key)

    async with storage.autocommit() as work:
        assert await work.transparency.key() is None
    outcomes = await asyncio.gather(*map(add, keys))
    assert sorted(outcomes) == [False, True]
    async with storage.autocommit() as work:
        stored = await work.transparency.key()
        assert stored == keys[outcomes.index(True)]
        await work.transparency.replace_sealed(b"2")
        assert await work.transparency.key() == attrs.evolve(stored, sealed=b"2")


async def test_of_two_that_hold_the_head_one_waits(storage: Storage) -> None:
    order: list[str] = []
    is_held, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with storage.transaction() as work:
            await work.transparency.hold()
            is_held.set()
            await may_end.wait()
            await work.transparency.extend(0, [], {}, a_checkpoint(7))
            order.append("first")

    async def second() -> LogHead:
        await is_held.wait()
        async with storage.transaction() as work:
            may_end.set()
            head = await work.transparency.hold()
            order.append("second")
            return head

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        if type(storage).__name__ == "MemoryStorage":
            may_end.set()  # a second transaction does not begin before the first has ended
        head = group.create_task(second())
    assert order == ["first", "second"]
    assert head.result() == LogHead(signed=a_checkpoint(7))


async def test_the_head_of_a_diary_is_logged_while_it_is_public(storage: Storage, agent: Agent) -> None:
    private = await opened(storage, agent)
    public = await opened(storage, agent)
    leaves = {each.id: Leaf.head(each.id, Head(sequence=1, hash="ab" * 32), NOON) for each in (private, public)}
    async with storage.transaction() as work:
        shown = attrs.evolve(public, visibility=Visibility.PUBLIC)
        assert await work.diaries.replace(shown, unless_changed_since=public.updated_at)
    async with storage.transaction() as work:
        for diary_id, leaf in leaves.items():
            await work.transparency.add_head(diary_id, leaf)
    assert [each.leaf for each in await added(storage)] == [leaves[public.id]]


async def test_who_publishes_a_diary_sees_the_head_of_who_was_appending(storage: Storage, diary: Diary) -> None:
    """Either the new head is logged by who appends it, or it is seen by who publishes."""
    leaf = Leaf.head(diary.id, Head(sequence=1, hash="ab" * 32), NOON)
    seen: list[str] = []

    async def append() -> None:
        async with storage.transaction() as work:
            await work.transparency.add_head(diary.id, leaf)
            seen.append("appended")

    async def publish() -> None:
        async with storage.transaction() as work:
            shown = attrs.evolve(diary, visibility=Visibility.PUBLIC)
            assert await work.diaries.replace(shown, unless_changed_since=diary.updated_at)
            seen.append("published")

    await asyncio.gather(append(), publish())
    is_logged = [each.leaf for each in await added(storage)] == [leaf]
    assert is_logged == (seen == ["published", "appended"])
