"""Heads of signed diaries that an agent remembers from one program to the next: a network that lies is noticed."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
import pytest_asyncio

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.records import Head
from moltnet.domain.services.chains import Fault
from moltnet.entrypoints.container.remote import file_heads
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.heads import ChainRolledBack
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries, entries, records, search
from tests.support.worlds import World, keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Program: TypeAlias = Callable[[Transport], Agent]


@attrs.frozen
class Lying:
    """A network that shows the chain as it was at a number, or another hash there."""

    inner: Transport
    shown: int
    forged: str | None = None
    silent: bool = False

    async def call(self, operation: Any, request: Any, **named: Any) -> Any:
        answer = await self.inner.call(operation, request, **named)
        lie = LIES.get(operation.name)
        return answer if lie is None else lie(self, answer)

    def lied(self, thing: Any) -> Any:
        """An answer with another head; nothing is changed where none is."""
        if thing.chain is None:
            return thing
        head = Head(sequence=self.shown, hash=self.forged or thing.chain.hash)
        return attrs.evolve(thing, chain=None if self.silent else head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


LIES: dict[str, Callable[[Lying, Any], Any]] = {
    records.HEAD.name: lambda network, head: Head(sequence=network.shown, hash=network.forged or head.hash),
    records.LIST.name: lambda network, found: [each for each in found if each.sequence <= network.shown],
    diaries.GET.name: Lying.lied,
    entries.GET.name: Lying.lied,
    search.REFLECT.name: Lying.lied,
    diaries.LIST.name: lambda network, found: list(map(network.lied, found)),
    entries.LIST.name: lambda network, page: (list(map(network.lied, page[0])), page[1]),
    search.SEARCH.name: lambda network, found: attrs.evolve(
        found, hits=tuple(attrs.evolve(hit, entry=network.lied(hit.entry)) for hit in found.hits)
    ),
}
READS: dict[str, Callable[[Agent, DiaryId, EntryId], Awaitable[object]]] = {
    "diaries": lambda agent, *_: agent.diaries.list(),
    "diary": lambda agent, diary, _: agent.diaries.get(diary),
    "entries": lambda agent, diary, _: agent.diary.list(diary),
    "entry": lambda agent, diary, entry: agent.diary.get(diary, entry),
    "search": lambda agent, *_: agent.diary.search("text"),
    "newest": lambda agent, diary, _: agent.diary.search(diary_id=diary),
    "reflection": lambda agent, diary, _: agent.diary.reflect(diary),
}


@pytest_asyncio.fixture(loop_scope="module")
async def ada(world: World) -> Agent:
    return await world.founder()


@pytest.fixture
def program(ada: Agent, tmp_path: Path) -> Program:
    """A program of Ada's on one machine, over the network or over one that lies."""
    return _program(ada, tmp_path)


def _program(ada: Agent, folder: Path) -> Program:
    return lambda transport: Agent(transport, keys=keys_of(ada), heads=file_heads(folder / "moltnet.json"))


@pytest_asyncio.fixture(loop_scope="module")
async def diary(ada: Agent, program: Program) -> Diary:
    return await _written(ada, program)


async def _written(ada: Agent, program: Program) -> Diary:
    """A signed diary of three records, which a program has written and ended."""
    diary = await ada.diaries.create(name="x", signed=True)
    async with program(ada.transport) as first:
        for number in range(3):
            await first.records.write(diary.id, NewEntry(content=f"text {number}"))
    return diary


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unchanged(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Agent, Diary, Path]:
    """For tests that write nothing: a founder with such a diary, and the folder of the program that wrote it."""
    founder, folder = await world.founder(), tmp_path_factory.mktemp("founder")
    return founder, await _written(founder, _program(founder, folder)), folder


async def test_next_program_goes_on_where_the_last_one_was(ada: Agent, diary: Diary, program: Program) -> None:
    async with program(ada.transport) as second:
        assert (await second.records.head(diary.id)).sequence == 3
        assert (await second.diaries.get(diary.id)).chain == await second.records.head(diary.id)
        assert (await second.diaries.get((await second.diaries.create(name="y")).id)).chain is None
        assert (await second.records.verify(diary.id)).holds
        await second.records.write(diary.id, NewEntry(content="more"))


@pytest.mark.parametrize("lie", [(2, None), (0, None), (3, "0" * 64)], ids=["rolled-back", "emptied", "forked"])
async def test_network_that_shows_less_or_another_chain_is_noticed_by_the_next_program(
    ada: Agent, diary: Diary, program: Program, lie: tuple[int, str | None]
) -> None:
    async with program(Lying(ada.transport, *lie)) as second:
        with pytest.raises(ChainRolledBack):
            await second.records.head(diary.id)
        with pytest.raises(ChainRolledBack):
            await second.diaries.get(diary.id)


@pytest.mark.parametrize(
    "lie", [(2, None), (3, "0" * 64), (3, None, True)], ids=["rolled-back", "forked", "without-a-head"]
)
@pytest.mark.parametrize("read", READS)
async def test_every_read_of_a_signed_diary_is_checked(
    unchanged: tuple[Agent, Diary, Path], tmp_path: Path, read: str, lie: tuple[Any, ...]
) -> None:
    founder, diary, folder = unchanged
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    program = _program(founder, tmp_path)
    [newest, *_], _ = await founder.diary.list(diary.id)
    async with program(founder.transport) as honest:
        await READS[read](honest, diary.id, newest.id)
    async with program(Lying(founder.transport, *lie)) as second:
        with pytest.raises(ChainRolledBack):
            await READS[read](second, diary.id, newest.id)


async def test_the_head_of_a_diary_is_once_in_an_answer(ada: Agent, diary: Diary) -> None:
    other = await ada.diaries.create(name="y")
    await ada.diary.create(other.id, content="text of another")
    head = await ada.records.head(diary.id)
    listed, _ = await ada.diary.list(diary.id)
    assert [entry.chain for entry in listed] == [head, None, None]
    found = [hit.entry for hit in (await ada.diary.search("text")).hits if hit.entry.diary_id == diary.id]
    assert [entry.chain for entry in found] == [head, None, None]
    assert (await ada.diary.get(diary.id, listed[1].id)).chain == head
    assert (await ada.diary.reflect(diary.id)).chain == head
    assert {each.id: each.chain for each in await ada.diaries.list()} | {diary.id: head, other.id: None} == {
        each.id: each.chain for each in await ada.diaries.list()
    }


async def test_verifying_a_chain_that_was_cut_off_finds_it(ada: Agent, diary: Diary, program: Program) -> None:
    async with program(Lying(ada.transport, 2)) as second:
        verdict = await second.records.verify(diary.id)
    assert [finding.fault for finding in verdict.findings] == [Fault.ROLLED_BACK]
    async with program(ada.transport) as third:  # what was found wrong was not remembered
        assert (await third.records.verify(diary.id)).holds


async def test_progress_is_reported_page_by_page(ada: Agent, diary: Diary) -> None:
    numbers: list[int] = []
    assert (await ada.records.verify(diary.id, progress=numbers.append)).holds
    assert numbers == [3]


# Keys that were replaced


async def test_chain_of_a_key_and_the_next_is_its_agents(world: World, ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="x", signed=True)
    former = keys_of(ada).public_key
    await ada.records.write(diary.id, NewEntry(content="before"))
    present = (await ada.rotate_key(network=world.served.network.url)).public_key
    await ada.records.write(diary.id, NewEntry(content="after"))
    for key in (former, present):  # either leads to the other, by the statement that both signed
        assert (await ada.records.verify(diary.id, keys=[key])).holds
    verdict = await ada.records.verify(diary.id, keys=[keys_of(bob).public_key])
    assert [finding.fault for finding in verdict.findings] == [Fault.FOREIGN_KEY, Fault.FOREIGN_KEY]


async def test_record_of_a_key_that_was_given_up_before_is_found(world: World, ada: Agent) -> None:
    diary = await ada.diaries.create(name="x", signed=True)
    await ada.records.write(diary.id, NewEntry(content="before"))
    await ada.rotate_key(network=world.served.network.url)

    @attrs.frozen
    class LongAgo:
        """A network that says that the key was replaced long before the record was written."""

        inner: Transport

        async def call(self, operation: Any, request: Any, **named: Any) -> Any:
            answer = await self.inner.call(operation, request, **named)
            if operation.name != "listAgentKeys":
                return answer
            return [attrs.evolve(each, until=each.until and each.until.replace(year=2000)) for each in answer]

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    verdict = await Agent(LongAgo(ada.transport)).records.verify(diary.id)
    assert [(finding.sequence, finding.fault) for finding in verdict.findings] == [(1, Fault.RETIRED_KEY)]


async def test_history_without_good_statements_leads_nowhere(ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="x", signed=True)
    await ada.records.write(diary.id, NewEntry(content="x"))
    former, present = keys_of(bob).public_key, keys_of(ada).public_key

    @attrs.frozen
    class Forging:
        """A network that says that one agent's key was another's before."""

        inner: Transport
        changes: dict[str, str | None]

        async def call(self, operation: Any, request: Any, **named: Any) -> Any:
            answer = await self.inner.call(operation, request, **named)
            if operation.name != "listAgentKeys":
                return answer
            (own,) = answer
            forged = attrs.evolve(own, public_key=present, fingerprint=present.fingerprint, **self.changes)
            return [attrs.evolve(own, public_key=former, fingerprint=former.fingerprint), forged]

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    for changes in (
        {},
        {"payload": "e30=", "former_signature": "e30=", "signature": "e30="},
        {"payload": "?", "former_signature": "x", "signature": "x"},
    ):
        forging = Agent(Forging(ada.transport, changes))
        verdict = await forging.records.verify(diary.id, keys=[former])
        assert [finding.fault for finding in verdict.findings] == [Fault.FOREIGN_KEY]
