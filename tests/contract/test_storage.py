"""The port `Storage`: what is written together or not at all, and who sees it when."""

import asyncio

import attrs
import pytest

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.constraints import LARGEST_PAGE
from moltnet.domain.diaries import Diary, DiaryEdit
from moltnet.domain.entries import UnknownSuccessor
from moltnet.domain.ids import EntryId
from moltnet.domain.search import Filters
from moltnet.ports.storage import Storage, UnitOfWork
from tests.support.builders import NOON, a_diary, a_signing_key, an_agent, an_entry, an_id, an_index
from tests.support.stored import joined, written


class Misfortune(Exception):
    """Something went wrong in the middle."""


async def test_what_was_written_is_seen_by_later_readers(storage: Storage, agent: Agent) -> None:
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) == agent


async def test_a_transaction_sees_its_own_writes(storage: Storage) -> None:
    newcomer = an_agent()
    async with storage.transaction() as work:
        await work.agents.add(newcomer)
        assert await work.agents.find_by_fingerprint(newcomer.fingerprint) == newcomer


async def test_nobody_else_sees_what_is_not_committed(storage: Storage, agent: Agent, diary: Diary) -> None:
    newer = a_diary(owner=agent.id)
    async with storage.transaction() as work:
        await work.diaries.add(newer)
        await work.diaries.remove(diary.id)
        async with storage.snapshot() as other:
            assert await other.diaries.owned_by(agent.id) == [diary]
    async with storage.snapshot() as other:
        assert await other.diaries.owned_by(agent.id) == [newer]


@pytest.mark.parametrize("misfortune", [Misfortune, KeyTaken, KeyboardInterrupt])
async def test_an_exception_undoes_everything(
    storage: Storage, agent: Agent, diary: Diary, misfortune: type[BaseException]
) -> None:
    newcomer, entry = an_agent(), an_entry(diary=diary.id)

    async def write_and_fail() -> None:
        async with storage.transaction() as work:
            await work.agents.add(newcomer)
            await work.entries.add(entry, an_index("word"))
            await work.diaries.replace(DiaryEdit(name="Renamed").applied_to(diary, NOON), unless_changed_since=NOON)
            raise misfortune

    with pytest.raises(misfortune):
        await write_and_fail()
    async with storage.snapshot() as work:
        assert await work.agents.find(newcomer.id) is None
        assert await work.entries.find_many([entry.id]) == []
        assert await work.diaries.owned_by(agent.id) == [diary]


async def test_an_error_of_a_statement_undoes_those_before_it(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)

    async def write_and_collide() -> None:
        async with storage.transaction() as work:
            await work.entries.add(entry, an_index("word"))
            await work.agents.add(an_agent(public_key=agent.public_key))

    with pytest.raises(KeyTaken):
        await write_and_collide()
    async with storage.snapshot() as work:
        assert await work.entries.find(diary.id, entry.id) is None


@pytest.mark.parametrize("steps", range(1, 8))
async def test_what_is_asked_for_while_a_transaction_begins_comes_after_what_was_before(
    storage: Storage, steps: int
) -> None:
    stored = an_agent()

    async def a_little_later(work: UnitOfWork) -> Agent | None:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await work.agents.find(stored.id)

    async with storage.transaction() as work:
        asked = work.agents.any(), work.agents.any(), work.agents.add(stored), a_little_later(work)
        assert (await asyncio.gather(*asked))[-1] == stored


async def test_cancellation_undoes_everything(storage: Storage, diary: Diary) -> None:
    written = asyncio.Event()

    async def rename_and_wait() -> None:
        async with storage.transaction() as work:
            await work.diaries.replace(DiaryEdit(name="Renamed").applied_to(diary, NOON), unless_changed_since=NOON)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(rename_and_wait())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with storage.transaction() as work:
        assert await work.diaries.find(diary.id) == diary


async def test_any_caller_that_is_cancelled_while_others_write_is_in_nobodys_way(
    storage: Storage, diary: Diary
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def rename_slowly() -> None:
        async with storage.transaction() as work:
            await work.diaries.replace(DiaryEdit(name="Slowly").applied_to(diary, NOON), unless_changed_since=NOON)
            begun.set()
            await go_on.wait()

    async def rename() -> None:
        async with storage.transaction() as work:
            await work.diaries.replace(DiaryEdit(name="Never").applied_to(diary, NOON), unless_changed_since=NOON)

    slow = asyncio.create_task(rename_slowly())
    await begun.wait()
    impatient = asyncio.create_task(rename())
    await asyncio.wait({impatient}, timeout=0.01)
    impatient.cancel()
    await asyncio.wait({impatient})
    go_on.set()
    await slow
    assert impatient.cancelled()
    async with storage.transaction() as work:
        found = await work.diaries.find(diary.id)
    assert found is not None
    assert found.name == "Slowly"


async def test_each_statement_of_autocommit_stands_alone(storage: Storage) -> None:
    async def use_and_fail() -> None:
        async with storage.autocommit() as work:
            assert await work.nonces.use("before the misfortune", NOON)
            raise Misfortune

    with pytest.raises(Misfortune):
        await use_and_fail()
    async with storage.autocommit() as work:
        assert not await work.nonces.use("before the misfortune", NOON)


async def test_a_statement_sees_what_was_committed_before_it(storage: Storage) -> None:
    other = an_agent()
    async with storage.autocommit() as work:
        assert await work.agents.find(other.id) is None
        await joined(storage, other)
        assert await work.agents.find(other.id) == other


async def test_a_snapshot_sees_one_state(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry, other, newer = an_entry(diary=diary.id), an_entry(diary=diary.id), an_agent()
    await written(storage, entry, other)
    edited = attrs.evolve(entry, content="Edited")
    async with storage.snapshot() as work:
        assert await work.agents.find(newer.id) is None
        await joined(storage, newer)
        async with storage.transaction() as writer:
            await writer.entries.replace(edited, None, unless_changed_since=entry.updated_at)
            await writer.entries.remove(diary.id, other.id)
            await writer.diaries.add(a_diary(owner=agent.id))
        async with storage.autocommit() as writer:
            await writer.entries.remove(diary.id, entry.id)
        assert await work.agents.find(newer.id) is None
        assert await work.agents.find_by_key(newer.public_key) is None
        assert await work.entries.newest([diary.id], Filters(), LARGEST_PAGE) == ([other, entry], 2)
        assert await work.entries.find_many([entry.id, other.id]) == [entry, other]
        assert await work.diaries.owned_by(agent.id) == [diary]
    async with storage.snapshot() as work:
        assert await work.entries.newest([diary.id], Filters(), LARGEST_PAGE) == ([], 0)


async def test_a_snapshot_writes_nothing(storage: Storage) -> None:
    async def write() -> None:
        async with storage.snapshot() as work:
            await work.nonces.use("nonce", NOON)

    with pytest.raises(RuntimeError, match="read-only"):
        await write()
    async with storage.autocommit() as work:
        assert await work.nonces.use("nonce", NOON)


async def test_a_snapshot_that_was_left_in_the_middle_leaves_its_connection_usable(storage: Storage) -> None:
    begun = asyncio.Event()

    async def look_and_wait() -> None:
        async with storage.snapshot() as work:
            await work.signing_keys.all()
            begun.set()
            await asyncio.Event().wait()

    for _ in range(20):  # more than there are connections
        begun.clear()
        task = asyncio.create_task(look_and_wait())
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
    async with storage.transaction() as work:
        assert await work.nonces.use("nonce", NOON)


async def test_a_refused_single_write_leaves_nothing(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    async with storage.autocommit() as work:
        await work.entries.add(entry, an_index("word"))
        with pytest.raises(UnknownSuccessor):
            await work.entries.replace(
                an_entry(entry_id=entry.id, diary=diary.id, content="Other", superseded_by=EntryId(an_id())),
                None,
                unless_changed_since=NOON,
            )
    async with storage.snapshot() as work:
        assert await work.entries.find(diary.id, entry.id) == entry


async def test_parallel_transactions_all_come_through(storage: Storage, agent: Agent) -> None:
    diaries = [a_diary(owner=agent.id) for _ in range(10)]

    async def add(diary: Diary) -> None:
        async with storage.transaction() as work:
            await work.diaries.add(diary)

    await asyncio.gather(*map(add, diaries))
    async with storage.snapshot() as work:
        assert await work.diaries.owned_by(agent.id) == diaries[::-1]


async def test_of_parallel_transactions_one_wins_a_conditional_write(storage: Storage) -> None:
    async def add_first() -> bool:
        async with storage.transaction() as work:
            return await work.signing_keys.add_first(a_signing_key())

    assert sum(await asyncio.gather(*(add_first() for _ in range(5)))) == 1
    async with storage.snapshot() as work:
        assert len(await work.signing_keys.all()) == 1
