"""Sharing before Keto: whatever breaks at whatever call, what was committed arrives, in order, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import attrs
import pytest

from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.entries import Entry
from moltnet.domain.outbox import RelationsPending
from moltnet.domain.sharing import ShareRole
from tests.support.network import Member, Network, a_network
from tests.support.ory import faults as f
from tests.support.ory.networks import OryBehind, behind
from tests.support.relations import pending

pytestmark = [pytest.mark.real, pytest.mark.ory]

FAULTS = {
    "reset before the effect": f.RESET_BEFORE,
    "reset after the effect": f.RESET_AFTER,
    "500 after the effect": f.BROKEN_AFTER,
    "503": f.DOWN,
    "429": f.LIMITED,
    "cut short": f.TRUNCATED,
    "no JSON": f.NOT_JSON,
}


@attrs.frozen
class PermissionWorld:
    """An owner's diary with an entry, and a guest who was let in."""

    network: Network
    ory: OryBehind
    owner: Member
    guest: Member
    diary: Diary
    entry: Entry

    async def settled(self) -> set[tuple[str, str]]:
        """What Keto holds, by kind and relation, once everything is delivered."""
        self.ory.faults.clear()
        await self.network.delivery.reconcile()
        assert not await pending(self.network)
        tuples = await self.ory.tuples()
        assert len(tuples) == len(set(tuples))
        return {(kind, relation) for kind, _, relation, _ in tuples}

    async def revoke(self) -> None:
        await self.network.services.sharing.revoke(self.owner.caller, self.diary.id, self.guest.fingerprint)

    async def admit_again(self) -> None:
        with suppress(RelationsPending):
            await self.revoke()
        await self.network.admit(self.diary, self.owner, self.guest, ShareRole.READER)

    async def remove_entry(self) -> None:
        await self.network.services.entries.delete(self.owner.caller, self.diary.id, self.entry.id)

    async def remove_diary(self) -> None:
        await self.network.services.diaries.delete(self.owner.caller, self.diary.id)


OWNED, WRITTEN, READ, PLACED = ("Diary", "owner"), ("Diary", "writers"), ("Diary", "readers"), ("DiaryEntry", "parent")
ACTS: dict[str, tuple[Callable[[PermissionWorld], Awaitable[None]], set[tuple[str, str]]]] = {
    "revoke": (PermissionWorld.revoke, {OWNED, PLACED}),
    "admit again": (PermissionWorld.admit_again, {OWNED, PLACED, READ}),
    "remove the entry": (PermissionWorld.remove_entry, {OWNED, WRITTEN}),
    "remove the diary": (PermissionWorld.remove_diary, set()),
}


@pytest.fixture
async def world() -> AsyncIterator[PermissionWorld]:
    async with behind() as (ory, options), a_network(**options) as network:
        owner, guest = await network.member(), await network.member()
        diary = await network.diary(owner)
        await network.admit(diary, owner, guest, ShareRole.WRITER)
        yield PermissionWorld(network, ory, owner, guest, diary, await network.entry(owner, diary))


async def test_relations_are_in_keto_when_the_call_has_returned(world: PermissionWorld):
    assert {(kind, relation) for kind, _, relation, _ in await world.ory.tuples()} == {OWNED, WRITTEN, PLACED}


@pytest.mark.parametrize("times", [1, 7], ids=["once", "longer than anybody waits"])
@pytest.mark.parametrize("call", ["T1", "T3", "T4"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", ACTS)
async def test_what_was_committed_arrives_and_nothing_else(
    world: PermissionWorld, *, act: str, fault: str, call: str, times: int
):
    do, expected = ACTS[act]
    world.ory.faults.arrange(call, [FAULTS[fault]] * times)
    with suppress(RelationsPending):
        await do(world)
    assert await world.settled() == expected


@pytest.mark.parametrize("fault", FAULTS)
async def test_revoked_collaborator_has_no_right_while_keto_is_not_updated(world: PermissionWorld, fault: str):
    world.ory.faults.always("T3", FAULTS[fault])
    with suppress(RelationsPending):
        await world.revoke()
    with pytest.raises(DiaryNotFound):
        await world.network.services.diaries.get(world.guest.caller, world.diary.id)
