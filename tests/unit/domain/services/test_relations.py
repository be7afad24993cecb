"""Permissions that live elsewhere: delivered at least once, in order, and answered only when they hold."""

import asyncio
from contextlib import suppress

import attrs
import pytest

from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryNotFound
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import EntryEdit
from moltnet.domain.errors import Unavailable
from moltnet.domain.outbox import OutboxMessage, RelationsPending
from moltnet.domain.permissions import InsufficientPermissions, Link, Namespace, Relation, RelationTuple, Thing
from moltnet.domain.registration import RegistrationFailed
from moltnet.domain.search import Filters, Search
from moltnet.domain.services.relations import CLAIM_LIFETIME, DELIVERY_ATTEMPTS
from moltnet.domain.sharing import ShareRole, ShareStatus
from tests.support.interruptions import Act, failing
from tests.support.network import Member, Network, a_key_pair
from tests.support.relations import (
    DOWN,
    Crashed,
    between,
    ever,
    passing,
    pending,
    store_is_back,
    store_is_down,
    told,
)

PERMISSIONS_LIVE = ("elsewhere",)
READER, WRITER = ShareRole


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    """A private diary of Ada's, delivered."""
    return await network.diary(ada)


async def reads(network: Network, member: Member, diary: Diary) -> bool:
    with suppress(DiaryNotFound):
        return await network.services.diaries.get(member.caller, diary.id) == diary
    return False


async def granted(network: Network, diary: Diary, *guests: Member) -> list[OutboxMessage]:
    """Committed grants that nobody delivers yet."""
    permissions = network.services.sharing.permissions
    async with network.storage.transaction() as work:
        return [
            message
            for guest in guests
            for message in await permissions.grant(work, diary.id, Relation.READERS, guest.agent_id)
        ]


async def late(network: Network, message: OutboxMessage, meanwhile: Act) -> None:
    """Delivers an intent in a process that is stopped within its call, outlives its claim, and then goes on."""
    arrived, let_go = asyncio.Event(), asyncio.Event()

    async def stop() -> None:
        arrived.set()
        await let_go.wait()

    network.calls.before("RelationStore.write", [stop])
    delivering = asyncio.create_task(
        attrs.evolve(network.delivery).deliver(message.change.partition_key, message.number)
    )
    await arrived.wait()
    network.clock.advance(CLAIM_LIFETIME)
    await network.delivery.reconcile()
    await meanwhile()
    await network.delivery.reconcile()
    let_go.set()
    await delivering


# What is told to the store


async def test_every_event_of_the_seeds_table_writes_its_tuple(network: Network, ada: Member, bob: Member) -> None:
    diary = await network.diary(ada)
    assert await told(network) == {between(diary, Relation.OWNER, ada)}
    await network.admit(diary, ada, bob, WRITER)
    entry = await network.entry(bob, diary)
    assert await told(network) == {
        between(diary, Relation.OWNER, ada),
        between(diary, Relation.WRITERS, bob),
        RelationTuple(Thing.entry(entry.id), Link.PARENT, Thing.diary(diary.id)),
    }
    await network.services.entries.delete(ada.caller, diary.id, entry.id)
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    await network.admit(diary, ada, bob, READER)
    assert await told(network) == {between(diary, Relation.OWNER, ada), between(diary, Relation.READERS, bob)}
    await network.entry(ada, diary)
    await network.services.diaries.delete(ada.caller, diary.id)
    assert await told(network) == set()
    assert await pending(network) == []
    assert {run.name for run in network.journal.runs.values()} == {
        "grantDiaryOwner",
        "grantDiaryWriter",
        "grantDiaryReader",
        "removeDiaryRelations",
        "grantEntryParent",
        "removeEntryRelations",
    }


async def test_a_new_agent_is_itself_and_owns_its_first_diary(network: Network) -> None:
    registered = await network.services.registration.genesis(a_key_pair().public_key.text)
    agent = Thing.agent(registered.agent_id)
    relations = {(held.thing.namespace, held.relation, held.subject) for held in await told(network)}
    assert relations == {(Namespace.AGENT, Link.SELF, agent), (Namespace.DIARY, Relation.OWNER, agent)}


async def test_a_registration_that_fails_leaves_no_tuple(network: Network) -> None:
    network.calls.after("ClientRegistry.create", ever(DOWN))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.genesis(a_key_pair().public_key.text)
    await network.delivery.reconcile()
    assert await told(network) == set()


async def test_a_registration_needs_its_relations(network: Network) -> None:
    store_is_down(network)
    with pytest.raises(RegistrationFailed):
        await network.services.registration.genesis(a_key_pair().public_key.text)
    store_is_back(network)
    await network.delivery.reconcile()
    assert await told(network) == set()
    assert await pending(network) == []


# When the caller is answered


async def test_the_caller_is_answered_when_it_holds_and_not_before(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    arrived, let_go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await let_go.wait()

    share = await network.services.sharing.share(ada.caller, diary.id, bob.fingerprint, READER)
    network.calls.before("RelationStore.write", [hold])
    accepting = asyncio.create_task(network.services.sharing.accept(bob.caller, share.id))
    await arrived.wait()
    assert not accepting.done()
    let_go.set()
    assert (await accepting).status is ShareStatus.ACCEPTED
    assert between(diary, Relation.READERS, bob) in await told(network)


async def test_a_store_that_comes_back_in_time_is_not_noticed(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    network.calls.before("RelationStore.write", [DOWN] * (DELIVERY_ATTEMPTS - 1))
    await network.admit(diary, ada, bob)
    assert between(diary, Relation.READERS, bob) in await told(network)


async def test_what_does_not_hold_in_time_is_reported_stored_and_delivered_later(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    store_is_down(network)
    with pytest.raises(Unavailable):
        await network.admit(diary, ada, bob)
    assert between(diary, Relation.READERS, bob) not in await told(network)
    assert await network.services.diaries.get(bob.caller, diary.id)  # what is committed counts here at once
    await network.delivery.reconcile()
    assert len(await pending(network)) == 1
    store_is_back(network)
    await network.delivery.reconcile()
    assert between(diary, Relation.READERS, bob) in await told(network)
    assert await pending(network) == []
    assert await network.services.diaries.get(bob.caller, diary.id)


async def test_a_store_that_hangs_is_given_up(network: Network, bob: Member, diary: Diary) -> None:
    (message,) = await granted(network, diary, bob)
    network.calls.before("RelationStore.write", [asyncio.Event().wait])
    impatient = attrs.evolve(network.delivery, within_s=0.01)
    with pytest.raises(RelationsPending):
        await impatient.deliver(message.change.partition_key, message.number)
    await impatient.deliver(message.change.partition_key, message.number)
    assert between(diary, Relation.READERS, bob) in await told(network)


async def test_a_caller_does_not_wait_for_ever(network: Network, ada: Member) -> None:
    network.calls.before("RelationStore.write", [asyncio.Event().wait])
    diaries = network.services.diaries
    impatient = attrs.evolve(diaries, relations=attrs.evolve(diaries.relations, within_s=0.01))
    with pytest.raises(RelationsPending):
        await impatient.create(ada.caller, name="A diary")
    assert len(await diaries.mine(ada.caller)) == 1


# Revocation


async def test_a_committed_revocation_counts_before_it_is_delivered(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    await network.admit(diary, ada, bob, WRITER)
    store_is_down(network)
    with pytest.raises(Unavailable):
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    assert between(diary, Relation.WRITERS, bob) in await told(network)
    with pytest.raises(DiaryNotFound):
        await network.services.diaries.get(bob.caller, diary.id)
    with pytest.raises((DiaryNotFound, InsufficientPermissions)):
        await network.entry(bob, diary)
    async with network.storage.autocommit() as work:
        readable = await network.services.search.permissions.readable(work, bob.agent_id)
    assert await readable.answer() == {}


async def test_a_revocation_is_not_overtaken_by_the_grant_before_it(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    store_is_down(network)
    with pytest.raises(Unavailable):
        await network.admit(diary, ada, bob)
    with pytest.raises(Unavailable):
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    store_is_back(network)
    network.calls.log.clear()
    await network.delivery.reconcile()
    calls = [call for call in network.calls.log if call.startswith("RelationStore")]
    assert calls == ["RelationStore.write", "RelationStore.delete", "RelationStore.delete"]
    assert await told(network) == {between(diary, Relation.OWNER, ada)}


@pytest.mark.parametrize("call", ["outbox.pending_in", "RelationStore.permitted"])
async def test_a_revocation_that_is_delivered_between_the_two_questions_is_seen(
    network: Network, ada: Member, bob: Member, diary: Diary, call: str
) -> None:
    await network.admit(diary, ada, bob)
    network.calls.before(call, [lambda: network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)])
    with pytest.raises(DiaryNotFound):
        await network.services.diaries.get(bob.caller, diary.id)


@pytest.mark.parametrize("call", ["outbox.pending_of", "RelationStore.list"])
async def test_nor_does_a_list_miss_it(network: Network, ada: Member, bob: Member, diary: Diary, call: str) -> None:
    await network.admit(diary, ada, bob)
    network.calls.before(call, [lambda: network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)])
    async with network.storage.autocommit() as work:
        readable = await network.services.search.permissions.readable(work, bob.agent_id)
    assert await readable.answer() == {}


async def test_a_right_is_never_confused_with_an_outage(network: Network, ada: Member, diary: Diary) -> None:
    network.calls.before("RelationStore.permitted", [DOWN])
    with pytest.raises(Unavailable):
        await network.services.diaries.get(ada.caller, diary.id)


# Several processes


async def test_what_another_has_claimed_is_left_to_it_while_its_claim_lasts(
    network: Network, bob: Member, diary: Diary
) -> None:
    (message,) = await granted(network, diary, bob)
    now = network.clock.now()
    async with network.storage.autocommit() as work:
        assert await work.outbox.claim(diary.id, message.number, now, now + CLAIM_LIFETIME)
    with pytest.raises(RelationsPending):
        await network.delivery.deliver(diary.id, message.number)
    network.clock.advance(CLAIM_LIFETIME)
    await network.delivery.deliver(diary.id, message.number)
    assert between(diary, Relation.READERS, bob) in await told(network)


@pytest.mark.parametrize("moment", ["revoked", "admitted again", "deleted"])
async def test_a_delivery_that_comes_after_later_ones_is_put_right(
    network: Network, ada: Member, bob: Member, diary: Diary, moment: str
) -> None:
    await network.admit(diary, ada, bob, WRITER)
    (grant,) = await granted(network, diary, bob)

    async def go_on() -> None:
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
        if moment == "admitted again":
            await network.admit(diary, ada, bob, READER)
        if moment == "deleted":
            await network.services.diaries.delete(ada.caller, diary.id)

    await late(network, grant, go_on)
    assert await reads(network, bob, diary) is (moment == "admitted again")
    await network.delivery.reconcile()
    expected = {"deleted": set()}.get(moment, {between(diary, Relation.OWNER, ada)})
    expected |= {between(diary, Relation.READERS, bob)} if moment == "admitted again" else set()
    assert await told(network) == expected


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_a_late_link_of_an_entry_is_put_right(
    network: Network, ada: Member, diary: Diary, *, is_deleted: bool
) -> None:
    entry = await network.entry(ada, diary)
    async with network.storage.transaction() as work:
        (again,) = await network.services.entries.permissions.relate_entry(work, diary.id, entry.id)

    async def delete() -> None:
        await network.services.entries.delete(ada.caller, diary.id, entry.id)

    await late(network, again, delete if is_deleted else passing)
    await network.delivery.reconcile()
    links = {held.thing.id for held in await told(network) if held.relation is Link.PARENT}
    assert links == (set() if is_deleted else {entry.id})


@pytest.mark.parametrize("is_removed", [True, False])
async def test_a_late_introduction_is_put_right(network: Network, bob: Member, *, is_removed: bool) -> None:
    permissions = network.services.sharing.permissions
    async with network.storage.transaction() as work:
        (message,) = await permissions.introduce(work, bob.agent_id)

    async def remove() -> None:
        async with network.storage.transaction() as work:
            await permissions.forget_agent(work, bob.agent_id)
            await work.agents.remove(bob.agent_id)

    await late(network, message, remove if is_removed else passing)
    await network.delivery.reconcile()
    assert {held.subject.id for held in await told(network)} == (set() if is_removed else {bob.agent_id})


async def test_without_a_store_messages_stay_for_when_there_is_one(network: Network, bob: Member, diary: Diary) -> None:
    (message,) = await granted(network, diary, bob)
    with pytest.raises(RelationsPending):
        await attrs.evolve(network.delivery, store=None).deliver(diary.id, message.number)
    assert await pending(network) == [message]


async def test_of_many_that_deliver_at_once_each_change_is_carried_out_by_one(
    network: Network, bob: Member, eve: Member, diary: Diary
) -> None:
    await granted(network, diary, bob, eve)
    network.calls.log.clear()
    processes = [attrs.evolve(network.delivery) for _ in range(5)]
    await asyncio.gather(*(process.reconcile() for process in processes * 2))
    assert network.calls.log.count("RelationStore.write") == 2
    assert await pending(network) == []


async def test_a_partition_that_cannot_be_delivered_does_not_keep_the_others_waiting(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    other = await network.diary(ada)
    for each in (diary, other):
        await granted(network, each, bob)
    network.calls.before("RelationStore.write", [failing(Crashed())])
    await network.delivery.reconcile()
    assert between(other, Relation.READERS, bob) in await told(network)
    assert len(await pending(network)) == 1


async def test_no_unit_of_work_is_held_while_the_store_is_read_or_written(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    held: list[int] = []

    async def look() -> None:
        for _ in range(100):  # what was looked at is being counted beside; that ends by itself
            if network.storage.open:
                await asyncio.sleep(0)
        held.append(network.storage.open)

    services, guest = network.services, bob.caller
    for call in ("permitted", "list", "write", "delete"):
        network.calls.before(f"RelationStore.{call}", ever(look))
    await network.admit(diary, ada, bob, WRITER)
    entry = await network.entry(bob, diary)
    await services.entries.update(guest, diary.id, entry.id, EntryEdit(content="other"))
    await services.entries.get(guest, diary.id, entry.id)
    await services.entries.list(guest, diary.id, Filters(), Page(9))
    for search in (Search(query="other"), Search(), Search(query="other", diary_id=diary.id, explain=True)):
        await services.search.search(guest, search)
    await services.search.reflect(guest, diary.id, Reflection())
    await services.entries.delete(guest, diary.id, entry.id)
    await services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    await services.diaries.get(ada.caller, diary.id)
    await services.diaries.update(ada.caller, diary.id, DiaryEdit(name="other"))
    await services.diaries.delete(ada.caller, diary.id)
    assert len(held) > 20
    assert set(held) == {0}
