"""What only storage in memory promises: mistakes in using it are told, and it stays quick."""

import asyncio

import pytest

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.agents import KeyTaken
from moltnet.ports.storage import UnitOfWork
from tests.support.builders import NOON, a_diary, a_signing_key, an_agent, an_entry, an_index
from tests.support.stored import joined, opened, written


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.mark.parametrize("kind", ["autocommit", "transaction"])
async def test_a_unit_of_work_is_over_with_its_context(storage: MemoryStorage, kind: str) -> None:
    async with getattr(storage, kind)() as work:
        kept: UnitOfWork = work
    with pytest.raises(RuntimeError, match="after its context"):
        await kept.agents.find(an_agent().id)
    with pytest.raises(RuntimeError, match="after its context"):
        await kept.nonces.use("nonce", NOON)


async def test_a_transaction_cannot_go_on_after_an_error(storage: MemoryStorage) -> None:
    agent = await joined(storage)
    newcomer = an_agent()

    async def go_on() -> None:
        async with storage.transaction() as work:
            await work.agents.add(newcomer)
            with pytest.raises(KeyTaken):
                await work.agents.add(an_agent(public_key=agent.public_key))
            await work.agents.find(newcomer.id)

    with pytest.raises(RuntimeError, match="nothing of it can be written"):
        await go_on()


async def test_an_error_that_was_caught_undoes_the_transaction_all_the_same(storage: MemoryStorage) -> None:
    agent = await joined(storage)
    newcomer = an_agent()

    async def swallow() -> None:
        async with storage.transaction() as work:
            await work.agents.add(newcomer)
            with pytest.raises(KeyTaken):
                await work.agents.add(an_agent(public_key=agent.public_key))

    with pytest.raises(RuntimeError, match="nothing of it can be written"):
        await swallow()
    async with storage.snapshot() as work:
        assert await work.agents.find(newcomer.id) is None


async def test_a_task_that_would_wait_for_itself_is_reported(storage: MemoryStorage) -> None:
    async with storage.transaction(), storage.autocommit() as other:
        with pytest.raises(RuntimeError, match="cannot begin another write"):
            await other.nonces.use("nonce", NOON)
        with pytest.raises(RuntimeError, match="cannot begin another write"):
            async with storage.transaction():
                pass


async def test_a_single_write_waits_for_the_transaction_before_it(storage: MemoryStorage) -> None:
    async def use() -> bool:
        async with storage.autocommit() as work:
            return await work.nonces.use("nonce", NOON)

    async with storage.transaction() as work:
        other = asyncio.create_task(use())
        await asyncio.wait({other}, timeout=0)
        assert await work.nonces.use("nonce", NOON)
        assert not other.done()
    assert not await other


async def test_every_statement_lets_others_run(storage: MemoryStorage) -> None:
    order: list[str] = []

    async def look(name: str) -> None:
        async with storage.snapshot() as work:
            for _ in range(2):
                await work.signing_keys.all()
                order.append(name)

    await asyncio.gather(look("a"), look("b"))
    assert order == ["a", "b", "a", "b"]


async def test_a_key_of_its_own_is_not_given_twice(storage: MemoryStorage) -> None:
    key = a_signing_key()
    async with storage.autocommit() as work:
        await work.signing_keys.add(key)
        with pytest.raises(ValueError, match="already"):
            await work.signing_keys.add(key)


async def test_what_a_write_costs_does_not_grow_with_what_is_stored(storage: MemoryStorage) -> None:
    owner = await joined(storage)
    diary = await opened(storage, owner)
    await written(storage, *(an_entry(diary=diary.id) for _ in range(2000)), index=an_index("word"))

    class Counting(dict[object, object]):
        """Notices when somebody goes through all of it."""

        walks = 0

        def __iter__(self) -> object:  # type: ignore[override]
            type(self).walks += 1
            return super().__iter__()

        def items(self) -> object:  # type: ignore[override]
            type(self).walks += 1
            return super().items()

    storage._committed.entries._rows = Counting(storage._committed.entries._rows)  # type: ignore[assignment]
    async with storage.transaction() as work:
        await work.diaries.add(a_diary(owner=owner.id))
        await work.entries.add(an_entry(diary=diary.id), an_index("word"))
        await work.entries.record_views({an_entry().id: 1}, NOON)
    assert Counting.walks == 0


async def test_a_transaction_drafts_no_more_than_it_looks_at(storage: MemoryStorage) -> None:
    async with storage.transaction() as work:
        await work.nonces.use("nonce", NOON)
        drafted = await work.nonces._statements.read()
        assert set(drafted._drafts) == {"nonces"}
