"""The port `Shares`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.ids import ShareId
from moltnet.domain.sharing import (
    InvitationCounts,
    InvitationLimits,
    Refusals,
    Share,
    ShareRole,
    ShareStatus,
)
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_share, an_id
from tests.support.stored import joined, opened

LATER = NOON + timedelta(microseconds=1)


@pytest.fixture
async def guest(storage: Storage) -> Agent:
    return await joined(storage)


async def sent(storage: Storage, *shares: Share) -> None:
    async with storage.transaction() as work:
        for share in shares:
            assert await work.shares.add(share)


async def test_unknown_shares_are_none(storage: Storage, diary: Diary, guest: Agent) -> None:
    async with storage.snapshot() as work:
        assert await work.shares.find(ShareId(an_id())) is None
        assert await work.shares.find_for(diary.id, guest.id) is None


@pytest.mark.parametrize("role", ShareRole)
@pytest.mark.parametrize("status", ShareStatus)
async def test_a_share_is_found_as_it_was_stored(
    storage: Storage, diary: Diary, guest: Agent, role: ShareRole, status: ShareStatus
) -> None:
    share = a_share(diary=diary.id, agent=guest.id, role=role, status=status, at=LATER)
    await sent(storage, share)
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) == share
        assert await work.shares.find_for(diary.id, guest.id) == share
        assert await work.shares.find_for(diary.id, diary.owner_id) is None


@pytest.mark.parametrize("status", ShareStatus)
async def test_a_pair_has_one_share(storage: Storage, diary: Diary, guest: Agent, status: ShareStatus) -> None:
    share = a_share(diary=diary.id, agent=guest.id, status=status)
    await sent(storage, share)
    async with storage.transaction() as work:
        assert not await work.shares.add(a_share(diary=diary.id, agent=guest.id, role=ShareRole.WRITER))
    async with storage.snapshot() as work:
        assert await work.shares.find_for(diary.id, guest.id) == share


async def test_a_share_needs_its_diary_and_its_agent(storage: Storage, diary: Diary, guest: Agent) -> None:
    with pytest.raises(DiaryNotFound):
        await sent(storage, a_share(agent=guest.id))
    with pytest.raises(ProfileNotFound):
        await sent(storage, a_share(diary=diary.id))


async def test_other_pairs_are_free(storage: Storage, agent: Agent, diary: Diary, guest: Agent) -> None:
    other = await opened(storage, agent)
    pairs = ((diary, guest), (other, guest), (diary, await joined(storage)))
    await sent(storage, *(a_share(diary=of.id, agent=to.id) for of, to in pairs))


async def test_of_parallel_invitations_one_is_stored(storage: Storage, diary: Diary, guest: Agent) -> None:
    async def add() -> bool:
        async with storage.transaction() as work:
            return await work.shares.add(a_share(diary=diary.id, agent=guest.id))

    assert sum(await asyncio.gather(*(add() for _ in range(5)))) == 1


async def test_replacing_writes_role_status_and_answer(storage: Storage, agent: Agent, guest: Agent) -> None:
    share = a_share(diary=(await opened(storage, agent)).id, agent=guest.id)
    await sent(storage, share)
    changed = attrs.evolve(share, role=ShareRole.WRITER, status=ShareStatus.ACCEPTED, responded_at=LATER)
    async with storage.transaction() as work:
        assert await work.shares.replace(attrs.evolve(changed, invited_at=LATER), expected=share)
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) == changed


async def test_an_answer_can_be_taken_back(storage: Storage, diary: Diary, guest: Agent) -> None:
    share = a_share(diary=diary.id, agent=guest.id, status=ShareStatus.DECLINED)
    await sent(storage, share)
    again = share.invite_again(ShareRole.WRITER)
    async with storage.transaction() as work:
        assert await work.shares.replace(again, expected=share)
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) == again


async def test_replacing_what_has_another_status_is_false(storage: Storage, diary: Diary, guest: Agent) -> None:
    share = a_share(diary=diary.id, agent=guest.id)
    await sent(storage, share)
    async with storage.transaction() as work:
        for status in set(ShareStatus) - {ShareStatus.PENDING}:
            assert not await work.shares.replace(share.revoke(LATER), expected=attrs.evolve(share, status=status))
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) == share


@pytest.mark.parametrize("role", ShareRole)
async def test_an_answer_to_an_earlier_invitation_is_false(
    storage: Storage, diary: Diary, guest: Agent, role: ShareRole
) -> None:
    read = a_share(diary=diary.id, agent=guest.id, role=ShareRole.READER)
    await sent(storage, read)
    revoked = read.revoke(LATER)
    again = revoked.invite_again(role)
    async with storage.transaction() as work:
        assert await work.shares.replace(revoked, expected=read)
        assert await work.shares.replace(again, expected=revoked)
        assert not await work.shares.replace(read.accept(LATER), expected=read)
    async with storage.snapshot() as work:
        assert await work.shares.find(read.id) == again


async def test_replacing_what_is_gone_is_false(storage: Storage, diary: Diary, guest: Agent) -> None:
    share = a_share(diary=diary.id, agent=guest.id)
    async with storage.transaction() as work:
        assert not await work.shares.replace(share, expected=share)
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) is None


async def test_of_an_acceptance_and_a_revocation_at_once_one_comes_first(
    storage: Storage, diary: Diary, guest: Agent
) -> None:
    share = a_share(diary=diary.id, agent=guest.id)
    await sent(storage, share)

    async def change(to: Share) -> bool:
        async with storage.transaction() as work:
            return await work.shares.replace(to, expected=share)

    outcomes = (share.accept(LATER), share.revoke(LATER))
    answers = await asyncio.gather(*map(change, outcomes))
    assert sum(answers) == 1
    async with storage.snapshot() as work:
        assert await work.shares.find(share.id) == outcomes[answers.index(True)]


async def test_open_shares_of_a_diary_come_oldest_first(storage: Storage, agent: Agent, diary: Diary) -> None:
    guests = [await joined(storage) for _ in ShareStatus]
    moments = (NOON + timedelta(days=days) for days in (4, 3, 2, 1))
    shares = [
        a_share(diary=diary.id, agent=guest.id, status=status, at=at)
        for guest, status, at in zip(guests, ShareStatus, moments, strict=True)
    ]
    await sent(storage, *shares, a_share(diary=(await opened(storage, agent)).id, agent=guests[0].id))
    pending, accepted, _, _ = shares
    async with storage.snapshot() as work:
        assert await work.shares.open_of(diary.id) == [accepted, pending]


async def test_pending_invitations_of_an_agent_come_oldest_first(storage: Storage, agent: Agent, guest: Agent) -> None:
    diaries = [await opened(storage, agent) for _ in range(3)]
    newer, older = a_share(diary=diaries[0].id, agent=guest.id, at=LATER), a_share(diary=diaries[1].id, agent=guest.id)
    answered = a_share(diary=diaries[2].id, agent=guest.id, status=ShareStatus.ACCEPTED)
    stranger = await joined(storage)
    await sent(storage, newer, older, answered, a_share(diary=diaries[0].id, agent=stranger.id))
    async with storage.snapshot() as work:
        assert await work.shares.pending_for(guest.id) == [older, newer]
        assert await work.shares.pending_for(agent.id) == []


async def test_accepted_shares_are_listed_oldest_first(storage: Storage, agent: Agent, guest: Agent) -> None:
    diaries = [await opened(storage, agent) for _ in range(4)]
    accepted = ShareStatus.ACCEPTED
    newer = a_share(diary=diaries[0].id, agent=guest.id, status=accepted, at=LATER)
    older = a_share(diary=diaries[1].id, agent=guest.id, status=accepted)
    revoked = a_share(diary=diaries[2].id, agent=guest.id, status=ShareStatus.REVOKED)
    await sent(storage, newer, older, revoked, a_share(diary=diaries[3].id, agent=guest.id))
    async with storage.snapshot() as work:
        assert await work.shares.accepted_by(guest.id) == [older, newer]
        assert await work.shares.accepted_by(agent.id) == []


async def test_lists_are_returned_in_pages(storage: Storage, agent: Agent, diary: Diary) -> None:
    guests = [await joined(storage) for _ in range(4)]
    shares = [
        a_share(diary=diary.id, agent=guest.id, at=NOON + timedelta(days=day)) for day, guest in enumerate(guests)
    ]
    diaries = [await opened(storage, agent) for _ in range(4)]
    invitations = [a_share(diary=each.id, agent=guests[0].id, at=NOON + timedelta(days=9)) for each in diaries]
    await sent(storage, *shares, *invitations)
    async with storage.snapshot() as work:
        assert await work.shares.open_of(diary.id, Page(2, 1)) == shares[1:3]
        assert await work.shares.open_of(diary.id, Page(2, 4)) == []
        assert await work.shares.pending_for(guests[0].id, Page(2)) == [shares[0], invitations[0]]
        assert await work.shares.pending_for(guests[0].id, Page(9, 3)) == invitations[2:]


async def test_what_waits_for_an_agent_is_counted(storage: Storage, agent: Agent, guest: Agent) -> None:
    other = await joined(storage)
    mine, answered, another = [await opened(storage, each) for each in (agent, agent, other)]
    await sent(
        storage,
        a_share(diary=mine.id, agent=guest.id),
        a_share(diary=answered.id, agent=guest.id, status=ShareStatus.ACCEPTED),
        a_share(diary=another.id, agent=guest.id),
        a_share(diary=mine.id, agent=other.id),
    )
    refusals = Refusals(number=2, last_at=LATER)
    async with storage.transaction() as work:
        await work.shares.remember_refusals(agent.id, guest.id, Refusals(number=1, last_at=NOON))
        await work.shares.remember_refusals(agent.id, guest.id, refusals)
        await work.shares.remember_refusals(other.id, agent.id, refusals)
        assert await work.shares.counts(agent.id, guest.id) == InvitationCounts(
            of_pair=1, of_agent=2, refusals=refusals
        )
        assert await work.shares.counts(other.id, guest.id) == InvitationCounts(of_pair=1, of_agent=2)
        await work.shares.remember_refusals(agent.id, guest.id, None)
        await work.shares.remember_refusals(agent.id, guest.id, None)
        assert (await work.shares.counts(agent.id, guest.id)).refusals is None


async def test_refusals_go_with_either_agent(storage: Storage, agent: Agent, guest: Agent) -> None:
    for pair in ((agent.id, guest.id), (guest.id, agent.id)):
        async with storage.transaction() as work:
            await work.shares.remember_refusals(*pair, Refusals(number=1, last_at=NOON))
    async with storage.transaction() as work:
        await work.agents.remove(guest.id)
        assert (await work.shares.counts(agent.id, guest.id)).refusals is None
        assert (await work.shares.counts(guest.id, agent.id)).refusals is None
    with pytest.raises(ProfileNotFound):
        async with storage.transaction() as work:
            await work.shares.remember_refusals(agent.id, guest.id, Refusals(number=1, last_at=NOON))


async def test_of_parallel_invitations_as_many_are_sent_as_may_be(storage: Storage, agent: Agent, guest: Agent) -> None:
    limits = InvitationLimits(of_pair=2)
    diaries = [await opened(storage, agent) for _ in range(5)]

    async def invite(diary: Diary) -> bool:
        async with storage.transaction() as work:
            counts = await work.shares.counts(agent.id, guest.id)
            return counts.of_pair < limits.of_pair and await work.shares.add(a_share(diary=diary.id, agent=guest.id))

    assert sum(await asyncio.gather(*map(invite, diaries))) == limits.of_pair
