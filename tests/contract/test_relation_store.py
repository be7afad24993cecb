"""The port `RelationStore`: tuples by pattern, and the permits they give."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.adapters.memory.relations import MemoryRelationStore
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import (
    ENTRY_RIGHTS,
    RIGHTS,
    EntryRight,
    Link,
    Namespace,
    Relation,
    RelationTuple,
    Right,
    Thing,
    TuplePattern,
)
from moltnet.ports.permissions import RelationStore
from tests.support.builders import an_id

ALL = frozenset(Right)
AGENTS, DIARIES = ([an_id() for _ in range(2)] for _ in range(2))
HELD = st.builds(
    RelationTuple,
    st.sampled_from(DIARIES).map(DiaryId).map(Thing.diary),
    st.sampled_from(Relation),
    st.sampled_from(AGENTS).map(AgentId).map(Thing.agent),
)
PATTERNS = st.builds(
    TuplePattern,
    namespace=st.sampled_from([Namespace.DIARY, Namespace.DIARY_ENTRY]),
    id=st.none() | st.sampled_from(DIARIES),
    relation=st.none() | st.sampled_from(Relation),
    subject=st.none() | st.sampled_from(AGENTS).map(AgentId).map(Thing.agent),
)
# None that would delete what somebody else has in a real store.
DELETED = PATTERNS.filter(lambda pattern: pattern.id or pattern.subject)


@pytest.fixture(params=["memory", pytest.param("ory", marks=[pytest.mark.real, pytest.mark.ory])])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[RelationStore]:
    """A store with nothing in it that these tests name."""
    if request.param == "memory":
        yield MemoryRelationStore()
        return
    from tests.support.ory.ports import ory  # noqa: PLC0415 - takes a second to import

    async with ory() as services:
        yield services.relations()


@pytest.fixture
def agent() -> AgentId:
    """Somebody."""
    return AgentId(an_id())


@pytest.fixture
def diary() -> Thing:
    """A diary that nobody has a relation to."""
    return Thing.diary(DiaryId(an_id()))


@pytest.fixture
def entry() -> Thing:
    """An entry without a parent."""
    return Thing.entry(EntryId(an_id()))


async def test_nothing_gives_nothing(store: RelationStore, agent: AgentId, diary: Thing, entry: Thing) -> None:
    assert await store.permitted(diary, ALL, agent) == frozenset()
    assert await store.permitted(entry, frozenset(EntryRight), agent) == frozenset()
    assert await store.list(TuplePattern.matching(diary)) == []


@pytest.mark.parametrize("relation", Relation)
async def test_a_relation_to_a_diary_gives_its_permits(
    store: RelationStore, agent: AgentId, diary: Thing, relation: Relation
) -> None:
    await store.write(RelationTuple(diary, relation, Thing.agent(agent)))
    assert await store.permitted(diary, ALL, agent) == RIGHTS[relation]
    assert await store.permitted(diary, [Right.READ], agent) == {Right.READ}
    assert await store.permitted(diary, [], agent) == frozenset()
    assert await store.permitted(diary, ALL, AgentId(an_id())) == frozenset()
    assert await store.permitted(Thing.diary(DiaryId(an_id())), ALL, agent) == frozenset()


@pytest.mark.parametrize("relation", Relation)
async def test_an_entry_has_the_permits_of_its_parent(
    store: RelationStore, agent: AgentId, diary: Thing, entry: Thing, relation: Relation
) -> None:
    await store.write(RelationTuple(entry, Link.PARENT, diary))
    assert await store.permitted(entry, frozenset(EntryRight), agent) == frozenset()
    await store.write(RelationTuple(diary, relation, Thing.agent(agent)))
    expected = {right for right, needed in ENTRY_RIGHTS.items() if needed in RIGHTS[relation]}
    assert await store.permitted(entry, frozenset(EntryRight), agent) == expected


async def test_a_self_relation_is_stored_and_gives_nothing(store: RelationStore, agent: AgentId, diary: Thing) -> None:
    held = RelationTuple(Thing.agent(agent), Link.SELF, Thing.agent(agent))
    await store.write(held)
    assert await store.list(TuplePattern.matching(Thing.agent(agent))) == [held]
    assert await store.permitted(diary, ALL, agent) == frozenset()


async def test_a_tuple_written_twice_is_reported_once_and_gone_with_one_deletion(
    store: RelationStore, agent: AgentId, diary: Thing
) -> None:
    held = RelationTuple(diary, Relation.READERS, Thing.agent(agent))
    await store.write(held)
    await store.write(held)
    assert await store.list(TuplePattern.matching(diary)) == [held]
    await store.delete(TuplePattern.matching(diary))
    await store.delete(TuplePattern.matching(diary))
    assert await store.list(TuplePattern.matching(diary)) == []
    assert await store.permitted(diary, ALL, agent) == frozenset()


async def test_entries_are_found_and_forgotten_by_their_parent(store: RelationStore, diary: Thing) -> None:
    entries = [Thing.entry(EntryId(an_id())) for _ in range(3)]
    other = Thing.diary(DiaryId(an_id()))
    for entry, parent in zip(entries, (diary, diary, other), strict=True):
        await store.write(RelationTuple(entry, Link.PARENT, parent))
    of_diary = TuplePattern(namespace=Namespace.DIARY_ENTRY, relation=Link.PARENT, subject=diary)
    assert {held.thing for held in await store.list(of_diary)} == set(entries[:2])
    await store.delete(of_diary)
    left = {held.thing for held in await store.list(TuplePattern(namespace=Namespace.DIARY_ENTRY))}
    assert left.intersection(entries) == {entries[2]}


@given(written=st.lists(HELD, max_size=8), deleted=st.lists(DELETED, max_size=2), asked=PATTERNS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_left_is_what_was_written_and_not_deleted(
    store: RelationStore, written: list[RelationTuple], deleted: list[TuplePattern], asked: TuplePattern
) -> None:
    for diary in DIARIES:
        await store.delete(TuplePattern(namespace=Namespace.DIARY, id=diary))
    for held in written:
        await store.write(held)
    for pattern in deleted:
        await store.delete(pattern)
    left = {held for held in written if not any(pattern.matches(held) for pattern in deleted)}
    told = [held for held in await store.list(asked) if held.thing.id in DIARIES]
    assert len(told) == len(set(told))
    assert set(told) == {held for held in left if asked.matches(held)}
    for agent in AGENTS:
        for diary in DIARIES:
            rights = [RIGHTS[each.relation] for each in left if (each.thing.id, each.subject.id) == (diary, agent)]
            permitted = await store.permitted(Thing.diary(DiaryId(diary)), ALL, AgentId(agent))
            assert permitted == frozenset().union(*rights)
