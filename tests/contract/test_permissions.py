"""The port `Permissions`: rights by the one table, told alike by every question."""

from collections import defaultdict
from collections.abc import AsyncIterator

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.adapters.external_relations import ExternalPermissions
from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import RIGHTS, Relation, Right
from moltnet.domain.services.relations import RelationDelivery
from moltnet.ports.permissions import Pending, Permissions, RelationStore
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_id
from tests.support.stored import joined, opened

PLACES = st.tuples(st.integers(0, 1), st.integers(0, 1))
GRANTS = st.tuples(st.just("grant"), PLACES, st.sampled_from(Relation))
WITHDRAWALS = st.tuples(st.just("withdraw"), PLACES, st.none())


@pytest.fixture(
    params=[
        "native",
        "remote",
        "remote and never delivered",
        pytest.param("ory", marks=[pytest.mark.real, pytest.mark.ory]),
    ]
)
def home(request: pytest.FixtureRequest) -> str:
    """Where permissions live."""
    return str(request.param)


@pytest.fixture
async def store(home: str) -> AsyncIterator[RelationStore]:
    """The store of those that live elsewhere."""
    if home != "ory":
        yield MemoryRelationStore()
        return
    from tests.support.ory.ports import ory  # noqa: PLC0415 - takes a second to import

    async with ory() as services:
        yield services.relations()


@pytest.fixture
def permissions(home: str, store: RelationStore) -> Permissions:
    return BuiltinPermissions() if home == "native" else ExternalPermissions(store)


@attrs.frozen
class Asking:
    """Short questions to the port, each in a unit of work of its own."""

    storage: Storage
    permissions: Permissions
    delivery: RelationDelivery | None

    async def grant(self, diary: DiaryId, relation: Relation, agent: AgentId) -> None:
        async with self.storage.transaction() as work:
            left = await self.permissions.grant(work, diary, relation, agent)
        await self.deliver(left)

    async def withdraw(self, diary: DiaryId, agent: AgentId) -> None:
        async with self.storage.transaction() as work:
            left = await self.permissions.withdraw(work, diary, agent)
        await self.deliver(left)

    async def deliver(self, left: Pending) -> None:
        for message in left if self.delivery else ():
            await self.delivery.deliver(message.change.partition_key, message.number)

    async def rights(self, agent: AgentId, diary: DiaryId) -> frozenset[Right]:
        async with self.storage.autocommit() as work:
            found, rights = await self.permissions.diary(work, agent, diary)
            assert found == await work.diaries.find(diary)
        return await rights.answer()

    async def readable(self, agent: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        async with self.storage.autocommit() as work:
            readable = await self.permissions.readable(work, agent)
        return await readable.answer()


@pytest.fixture
def asking(storage: Storage, permissions: Permissions, home: str, store: RelationStore) -> Asking:
    delivery = RelationDelivery(storage=storage, store=store, clock=MemoryClock(NOON))
    return Asking(storage, permissions, delivery if home in {"remote", "ory"} else None)


@pytest.fixture
async def other(storage: Storage) -> Agent:
    return await joined(storage)


async def test_anonymous_client_has_no_right(asking: Asking, diary: Diary, other: Agent):
    assert await asking.rights(other.id, diary.id) == frozenset()
    assert await asking.readable(other.id) == {}


async def test_diary_that_does_not_exist_gives_no_right(asking: Asking, agent: Agent):
    assert await asking.rights(agent.id, DiaryId(an_id())) == frozenset()


@pytest.mark.parametrize("relation", Relation)
async def test_relation_gives_the_rights_of_the_table(asking: Asking, diary: Diary, other: Agent, relation: Relation):
    await asking.grant(diary.id, relation, other.id)
    assert await asking.rights(other.id, diary.id) == RIGHTS[relation]
    assert await asking.readable(other.id) == {diary.id: frozenset({relation})}


async def test_granting_again_changes_nothing(asking: Asking, diary: Diary, other: Agent):
    await asking.grant(diary.id, Relation.READERS, other.id)
    await asking.grant(diary.id, Relation.READERS, other.id)
    assert await asking.readable(other.id) == {diary.id: frozenset({Relation.READERS})}
    await asking.withdraw(diary.id, other.id)
    assert await asking.readable(other.id) == {}


async def test_grant_is_of_one_agent_and_one_diary(
    asking: Asking, storage: Storage, agent: Agent, diary: Diary, other: Agent
):
    second = await opened(storage, agent)
    await asking.grant(diary.id, Relation.WRITERS, other.id)
    assert await asking.rights(other.id, second.id) == frozenset()
    assert await asking.rights(agent.id, diary.id) == frozenset()


async def test_withdrawal_leaves_ownership(asking: Asking, diary: Diary, agent: Agent):
    for relation in Relation:
        await asking.grant(diary.id, relation, agent.id)
    await asking.withdraw(diary.id, agent.id)
    assert await asking.readable(agent.id) == {diary.id: frozenset({Relation.OWNER})}


async def test_withdrawing_nothing_is_no_error(asking: Asking, diary: Diary, other: Agent):
    await asking.withdraw(diary.id, other.id)
    assert await asking.rights(other.id, diary.id) == frozenset()


async def test_withdrawal_is_of_one_agent(asking: Asking, storage: Storage, diary: Diary, other: Agent):
    third = await joined(storage)
    for reader in (other, third):
        await asking.grant(diary.id, Relation.READERS, reader.id)
    await asking.withdraw(diary.id, other.id)
    assert await asking.rights(third.id, diary.id) == {Right.READ}


async def test_forgotten_diary_gives_no_right(asking: Asking, agent: Agent, diary: Diary, other: Agent):
    kept = await opened(asking.storage, agent)
    for each in (diary, kept):
        await asking.grant(each.id, Relation.OWNER, agent.id)
        await asking.grant(each.id, Relation.READERS, other.id)
    async with asking.storage.transaction() as work:
        left = await asking.permissions.forget_diary(work, diary.id)
        await work.diaries.remove(diary.id)
    await asking.deliver(left)
    for each in (agent, other):
        assert await asking.rights(each.id, diary.id) == frozenset()
        assert set(await asking.readable(each.id)) == {kept.id}


async def test_forgotten_agent_and_its_diaries_leave_no_relation(
    asking: Asking, storage: Storage, agent: Agent, diary: Diary, other: Agent
):
    await asking.grant(diary.id, Relation.OWNER, agent.id)
    await asking.grant(diary.id, Relation.READERS, other.id)
    async with storage.transaction() as work:
        left = await asking.permissions.introduce(work, agent.id)
    await asking.deliver(left)
    async with storage.transaction() as work:
        left = await asking.permissions.forget_agent(work, agent.id)
        await work.agents.remove(agent.id)
    await asking.deliver(left)
    for each in (agent, other):
        assert await asking.rights(each.id, diary.id) == frozenset()
        assert await asking.readable(each.id) == {}


async def test_grant_holds_within_its_unit_of_work(
    storage: Storage, permissions: Permissions, diary: Diary, other: Agent
):
    async with storage.transaction() as work:
        await permissions.grant(work, diary.id, Relation.WRITERS, other.id)
        found, rights = await permissions.diary(work, other.id, diary.id)
    assert (found, await rights.answer()) == (diary, RIGHTS[Relation.WRITERS])


async def test_undone_unit_of_work_grants_and_withdraws_nothing(
    asking: Asking, diary: Diary, agent: Agent, other: Agent
):
    async def undone() -> None:
        async with asking.storage.transaction() as work:
            await asking.permissions.grant(work, diary.id, Relation.WRITERS, other.id)
            await asking.permissions.withdraw(work, diary.id, agent.id)
            raise ZeroDivisionError

    await asking.grant(diary.id, Relation.READERS, agent.id)
    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await asking.rights(other.id, diary.id) == frozenset()
    assert await asking.rights(agent.id, diary.id) == {Right.READ}


@given(acts=st.lists(GRANTS | WITHDRAWALS, max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_history_ends_in_what_the_table_says(asking: Asking, agent: Agent, acts: list):
    agents = [await joined(asking.storage) for _ in range(2)]
    diaries = [await opened(asking.storage, agent) for _ in range(2)]
    expected: defaultdict[tuple[int, int], set[Relation]] = defaultdict(set)
    for act, (who, what), relation in acts:
        if act == "grant":
            await asking.grant(diaries[what].id, relation, agents[who].id)
            expected[who, what].add(relation)
        else:
            await asking.withdraw(diaries[what].id, agents[who].id)
            expected[who, what] &= {Relation.OWNER}
    for who, member in enumerate(agents):
        for what, diary in enumerate(diaries):
            told = await asking.rights(member.id, diary.id)
            assert told == {right for relation in expected[who, what] for right in RIGHTS[relation]}
        readable = {diary.id: expected[who, what] for what, diary in enumerate(diaries) if expected[who, what]}
        assert await asking.readable(member.id) == readable
