"""Keto that fails, lags, keeps copies and pages: a change holds when its call returns, and no outage is an answer."""

import pytest

from moltnet.adapters.ory.relations import OryRelationStore
from moltnet.adapters.ory.service import OryMisconfigured, OryUnavailable
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import EntryRight, Link, Namespace, Relation, RelationTuple, Right, Thing, TuplePattern
from tests.support.builders import an_id
from tests.support.ory import faults as f
from tests.support.ory.ports import Ory
from tests.support.ory.server import OryStandIn

pytestmark = pytest.mark.real

ALL = frozenset(Right)
OUTAGES = {
    "reset": f.RESET_BEFORE,
    "500": f.BROKEN,
    "503": f.DOWN,
    "gateway": f.GATEWAY,
    "cut short": f.TRUNCATED,
    "wrong shape": f.WRONG_SHAPE,
    "no JSON": f.NOT_JSON,
    "429": f.LIMITED,
    "403": f.Fault(status=403),
    "hangs": f.HANGS_BEFORE,
}


@pytest.fixture
def store(services: Ory) -> OryRelationStore:
    return services.relations()


@pytest.fixture
def agent() -> AgentId:
    return AgentId(an_id())


@pytest.fixture
def held(agent: AgentId) -> RelationTuple:
    """A reader's relation, not written yet."""
    return RelationTuple(Thing.diary(DiaryId(an_id())), Relation.READERS, Thing.agent(agent))


async def test_wire_names_are_ketos(store: OryRelationStore, stand_in: OryStandIn, agent: AgentId):
    diary, entry = Thing.diary(DiaryId(an_id())), Thing.entry(EntryId(an_id()))
    self_of_agent = RelationTuple(Thing.agent(agent), Link.SELF, Thing.agent(agent))
    for held in (self_of_agent, RelationTuple(diary, Relation.OWNER, Thing.agent(agent))):
        await store.write(held)
    await store.write(RelationTuple(entry, Link.PARENT, diary))
    assert stand_in.keto.tuples == [
        ("Agent", str(agent), "self", str(agent)),
        ("Diary", str(diary.id), "owner", str(agent)),
        ("DiaryEntry", str(entry.id), "parent", ("Diary", str(diary.id), "")),
    ]
    assert await store.permitted(entry, frozenset(EntryRight), agent) == frozenset(EntryRight)


@pytest.mark.parametrize("outage", OUTAGES)
async def test_outage_is_no_answer(store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple, outage: str):
    for call in ("T4", "T5", "T7"):
        stand_in.faults.always(call, OUTAGES[outage])
    with pytest.raises(OryUnavailable):
        await store.permitted(held.thing, ALL, AgentId(held.subject.id))
    with pytest.raises(OryUnavailable):
        await store.list(TuplePattern.matching(held.thing))


@pytest.mark.parametrize("outage", [f.RESET_AFTER, f.BROKEN_AFTER, f.TRUNCATED], ids=["reset", "500", "cut short"])
async def test_repeated_write_finds_its_earlier_effect(
    store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple, outage: f.Fault
):
    stand_in.faults.arrange("T1", [outage])
    with pytest.raises(OryUnavailable):
        await store.write(held)
    await store.write(held)
    assert len(stand_in.keto.tuples) == 1
    assert await store.permitted(held.thing, ALL, AgentId(held.subject.id)) == {Right.READ}


async def test_copies_are_reported_once_and_removed_together(
    store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple
):
    await store.write(held)
    stand_in.keto.tuples *= 3
    assert await store.list(TuplePattern.matching(held.thing)) == [held]
    stand_in.faults.arrange("T3", [f.RESET_AFTER])
    with pytest.raises(OryUnavailable):
        await store.delete(TuplePattern.matching(held.thing))
    await store.delete(TuplePattern.matching(held.thing))
    assert stand_in.keto.tuples == []


@pytest.mark.parametrize("lag", [1, 3])
async def test_change_is_seen_when_the_call_has_returned(
    store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple, lag: int
):
    stand_in.keto.lag = lag
    await store.write(held)
    assert await store.permitted(held.thing, ALL, AgentId(held.subject.id)) == {Right.READ}
    await store.delete(TuplePattern.matching(held.thing))
    assert await store.permitted(held.thing, ALL, AgentId(held.subject.id)) == frozenset()


async def test_change_that_is_not_seen_in_time_is_not_reported_as_done(
    services: Ory, stand_in: OryStandIn, held: RelationTuple
):
    stand_in.keto.lag = 1000
    store = OryRelationStore(
        public=services.services.keto_public, admin=services.services.keto_admin, consistent_within_s=0.05
    )
    with pytest.raises(OryUnavailable, match="the change is not seen yet"):
        await store.write(held)


async def test_list_goes_through_all_pages(store: OryRelationStore, stand_in: OryStandIn, agent: AgentId):
    stand_in.keto.page_size = 3
    diaries = {an_id() for _ in range(10)}
    stand_in.keto.tuples = [("Diary", str(diary), "owner", str(agent)) for diary in diaries]
    pattern = TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(agent))
    assert {held.thing.id for held in await store.list(pattern)} == diaries
    assert stand_in.faults.calls.count("T4") == 4


async def test_tuples_of_others_are_left_out(store: OryRelationStore, stand_in: OryStandIn, agent: AgentId):
    diary = an_id()
    stand_in.keto.tuples = [
        ("Diary", "not-an-id", "owner", str(agent)),
        ("Diary", str(diary), "read", str(agent)),
        ("Diary", str(diary), "owner", ("Agent", str(agent), "self")),
        ("Diary", str(diary), "owner", "somebody"),
        ("Diary", str(diary), "owner", str(agent)),
    ]
    assert len(await store.list(TuplePattern(namespace=Namespace.DIARY))) == 1


async def test_keto_without_the_namespaces_says_so(store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple):
    stand_in.keto.namespaces = {}
    for ask in (store.write(held), store.delete(TuplePattern.matching(held.thing))):
        with pytest.raises(OryMisconfigured, match=r"give it deploy/ory/keto/permissions\.ts"):
            await ask


async def test_permit_that_keto_does_not_know_is_no_denial(
    store: OryRelationStore, stand_in: OryStandIn, held: RelationTuple
):
    model = stand_in.keto.namespaces["Diary"]
    stand_in.keto.namespaces = {"Diary": type(model)(model.related, {"read": ("owner",)})}
    with pytest.raises(OryUnavailable, match="see that it has deploy/ory/keto/permissions"):
        await store.permitted(held.thing, ALL, AgentId(held.subject.id))
