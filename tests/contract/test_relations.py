"""The port `Relations`."""

import asyncio

import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import Relation
from moltnet.ports.storage import Storage
from tests.support.builders import a_diary, an_agent, an_id
from tests.support.stored import joined, opened


async def related(storage: Storage, diary: Diary, agent: Agent, *relations: Relation) -> None:
    async with storage.transaction() as work:
        for relation in relations:
            await work.relations.add(diary.id, relation, agent.id)


async def between(storage: Storage, diary: Diary, agent: Agent) -> frozenset[Relation]:
    async with storage.snapshot() as work:
        return (await work.diaries.find_with_relations(diary.id, agent.id))[1]


async def test_strangers_are_nothing_to_each_other(storage: Storage, diary: Diary, agent: Agent) -> None:
    assert await between(storage, diary, agent) == frozenset()
    async with storage.snapshot() as work:
        assert (await work.diaries.find_with_relations(DiaryId(an_id()), agent.id))[1] == frozenset()
        assert await work.relations.diaries_of(agent.id) == {}


@pytest.mark.parametrize("relation", Relation)
async def test_a_relation_holds_between_its_pair_alone(
    storage: Storage, agent: Agent, diary: Diary, relation: Relation
) -> None:
    other_agent, other_diary = await joined(storage), await opened(storage, agent)
    await related(storage, diary, agent, relation)
    assert await between(storage, diary, agent) == {relation}
    assert await between(storage, diary, other_agent) == frozenset()
    assert await between(storage, other_diary, agent) == frozenset()


async def test_a_relation_needs_its_diary_and_its_agent(storage: Storage, agent: Agent, diary: Diary) -> None:
    with pytest.raises(DiaryNotFound):
        await related(storage, a_diary(), agent, Relation.READERS)
    with pytest.raises(ProfileNotFound):
        await related(storage, diary, an_agent(), Relation.READERS)


async def test_relations_add_up(storage: Storage, agent: Agent, diary: Diary) -> None:
    await related(storage, diary, agent, *Relation)
    assert await between(storage, diary, agent) == frozenset(Relation)


async def test_the_same_relation_again_is_no_error(storage: Storage, agent: Agent, diary: Diary) -> None:
    await related(storage, diary, agent, Relation.READERS, Relation.READERS)
    await asyncio.gather(*(related(storage, diary, agent, Relation.READERS) for _ in range(5)))
    async with storage.transaction() as work:
        await work.relations.remove(diary.id, {Relation.READERS}, agent.id)
    assert await between(storage, diary, agent) == frozenset()


async def test_only_the_relations_named_are_removed(storage: Storage, agent: Agent, diary: Diary) -> None:
    guest = await joined(storage)
    await related(storage, diary, agent, *Relation)
    await related(storage, diary, guest, Relation.READERS)
    async with storage.transaction() as work:
        await work.relations.remove(diary.id, {Relation.READERS, Relation.WRITERS}, agent.id)
    assert await between(storage, diary, agent) == {Relation.OWNER}
    assert await between(storage, diary, guest) == {Relation.READERS}


async def test_removing_what_is_not_there_is_no_error(storage: Storage, agent: Agent, diary: Diary) -> None:
    await related(storage, diary, agent, Relation.OWNER)
    async with storage.transaction() as work:
        await work.relations.remove(diary.id, [], agent.id)
        await work.relations.remove(diary.id, {Relation.READERS}, agent.id)
        await work.relations.remove(DiaryId(an_id()), frozenset(Relation), agent.id)
    assert await between(storage, diary, agent) == {Relation.OWNER}


async def test_all_diaries_of_an_agent_are_reported_with_their_relations(
    storage: Storage, agent: Agent, diary: Diary
) -> None:
    other, guest = await opened(storage, agent), await joined(storage)
    await related(storage, diary, agent, Relation.OWNER)
    await related(storage, other, agent, Relation.READERS, Relation.WRITERS)
    await related(storage, other, guest, Relation.OWNER)
    async with storage.snapshot() as work:
        assert await work.relations.diaries_of(agent.id) == {
            diary.id: frozenset({Relation.OWNER}),
            other.id: frozenset({Relation.READERS, Relation.WRITERS}),
        }


async def test_a_relation_is_given_with_the_data_or_not_at_all(storage: Storage, agent: Agent, diary: Diary) -> None:
    async def give_and_fail() -> None:
        async with storage.transaction() as work:
            await work.relations.add(diary.id, Relation.READERS, agent.id)
            raise LookupError

    with pytest.raises(LookupError):
        await give_and_fail()
    assert await between(storage, diary, agent) == frozenset()
