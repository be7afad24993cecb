"""Permissions that live elsewhere, after any history that fails anywhere."""

from contextlib import suppress

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.errors import MoltNetError
from moltnet.domain.permissions import Link, Relation, RelationTuple, Thing
from moltnet.domain.search import Filters
from moltnet.domain.services.relations import CLAIM_LIFETIME
from moltnet.domain.sharing import ShareRole, ShareStatus
from tests.support.interruptions import Act, failing
from tests.support.network import Member, Network, a_network
from tests.support.relations import (
    DOWN,
    Crashed,
    between,
    passing,
    pending,
    told,
)

# Any history, failing anywhere

FAULTY = ("RelationStore.write", "RelationStore.delete", "outbox.claim", "outbox.complete", "outbox.release")
FAULTS = st.dictionaries(
    st.tuples(st.sampled_from(["before", "after"]), st.sampled_from(FAULTY)),
    st.lists(st.sampled_from([passing, DOWN, failing(Crashed())]), max_size=12),
    max_size=4,
)
KINDS = ("admit", "admit", "revoke", "write", "forget", "delete")
ACTS = st.tuples(st.sampled_from(KINDS), st.integers(0, 1), st.integers(0, 1))


@attrs.frozen
class History:
    """Acts of an owner and two guests on two diaries, of which any may fail in its delivery."""

    network: Network
    owner: Member
    guests: list[Member]
    diaries: list[Diary]

    async def take(self, kind: str, which: int, who: int) -> None:
        services, diary, guest = self.network.services, self.diaries[which], self.guests[who]
        if kind == "admit":
            await self.network.admit(diary, self.owner, guest, list(ShareRole)[which])
        elif kind == "revoke":
            await services.sharing.revoke(self.owner.caller, diary.id, guest.fingerprint)
        elif kind == "write":
            await self.network.entry(self.owner, diary)
        elif kind == "forget":
            entries, _ = await services.entries.list(self.owner.caller, diary.id, Filters(), Page(1))
            for entry in entries:
                await services.entries.delete(self.owner.caller, diary.id, entry.id)
        else:
            await services.diaries.delete(self.owner.caller, diary.id)

    async def expected(self) -> set[RelationTuple]:
        """The tuples that follow from the data."""
        tuples: set[RelationTuple] = set()
        async with self.network.storage.snapshot() as work:
            for diary in await work.diaries.owned_by(self.owner.agent_id):
                tuples.add(between(diary, Relation.OWNER, self.owner))
                accepted = [each for each in await work.shares.open_of(diary.id) if each.status is ShareStatus.ACCEPTED]
                tuples |= {
                    RelationTuple(Thing.diary(diary.id), each.role.relation, Thing.agent(each.shared_with))
                    for each in accepted
                }
                entries, _ = await work.entries.newest([diary.id], Filters(), Page(100))
                tuples |= {RelationTuple(Thing.entry(e.id), Link.PARENT, Thing.diary(diary.id)) for e in entries}
        return tuples

    async def check_rights(self) -> None:
        """What is committed counts, delivered or not."""
        expected = await self.expected()
        for guest in self.guests:
            for diary in self.diaries:
                admitted = {between(diary, each, guest) for each in Relation} & expected
                try:
                    await self.network.services.diaries.get(guest.caller, diary.id)
                except DiaryNotFound:
                    assert not admitted
                else:
                    assert admitted


@given(acts=st.lists(ACTS, max_size=12), faults=FAULTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_relation_is_lost_or_left_and_all_count_at_once(
    acts: list[tuple[str, int, int]], faults: dict[tuple[str, str], list[Act]]
) -> None:
    async with a_network(with_remote_permissions=True) as network:
        ada, *guests = [await network.member() for _ in range(3)]
        history = History(network, ada, guests, [await network.diary(ada) for _ in range(2)])
        for (moment, call), failures in faults.items():
            (network.calls.before if moment == "before" else network.calls.after)(call, failures)
        for act in acts:
            with suppress(MoltNetError, Crashed):
                await history.take(*act)
            await history.check_rights()
        for moment, call in faults:
            (network.calls.before if moment == "before" else network.calls.after)(call, [])
        network.clock.advance(CLAIM_LIFETIME)
        await network.delivery.reconcile()
        assert await told(network) == await history.expected()
        assert await pending(network) == []
        await history.check_rights()
