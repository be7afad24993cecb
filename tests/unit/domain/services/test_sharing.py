"""Inviting, answering and taking back, and when the rights that follow hold."""

import asyncio
from datetime import timedelta

import pytest

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import MoltNetError, StorageUnavailable
from moltnet.domain.ids import DiaryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.permissions import InsufficientPermissions
from moltnet.domain.search import Search
from moltnet.domain.sharing import (
    InvitationAnswered,
    InvitationChanged,
    InvitationLimitReached,
    InvitationLimits,
    InvitationNotFound,
    InvitationsRefused,
    SelfShare,
    Share,
    SharedDiaryNotFound,
    ShareExists,
    ShareNotFound,
    ShareRole,
    ShareStatus,
)
from tests.support.builders import NOON, an_id
from tests.support.interruptions import failing
from tests.support.network import Member, Network

PERMISSIONS_LIVE = ("here", "elsewhere")

READER, WRITER = ShareRole
LATER = NOON + timedelta(hours=1)
NOBODY = Fingerprint("0123-4567-89AB-CDEF")
NEW = NewEntry(content="more")


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    """A private diary of Ada's."""
    return await network.diary(ada)


async def invited(
    network: Network, owner: Member, diary: Diary, guest: Member, role: ShareRole = ShareRole.READER
) -> Share:
    return await network.services.sharing.share(owner.caller, diary.id, guest.fingerprint, role)


async def reads(network: Network, member: Member, diary: Diary) -> bool:
    """Whether a member reads the diary by every way there is."""
    found = await network.services.search.search(member.caller, Search(query="happened"))
    try:
        await network.services.diaries.get(member.caller, diary.id)
    except DiaryNotFound:
        assert not found.hits
        return False
    assert {hit.entry.diary_id for hit in found.hits} == {diary.id}
    return True


async def writes(network: Network, member: Member, diary: Diary) -> bool:
    try:
        await network.services.entries.create(member.caller, diary.id, NEW)
    except (DiaryNotFound, InsufficientPermissions):
        return False
    return True


# Inviting


async def test_an_invitation_is_pending_and_gives_nothing(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    await network.entry(ada, diary)
    share = await invited(network, ada, diary, bob, WRITER)
    assert (share.diary_id, share.shared_with, share.role) == (diary.id, bob.agent_id, WRITER)
    assert (share.status, share.invited_at, share.responded_at) == (ShareStatus.PENDING, NOON, None)
    assert await network.services.sharing.invitations(bob.caller) == [share]
    assert await network.services.sharing.shares(ada.caller, diary.id) == [share]
    assert not await reads(network, bob, diary)


async def test_an_owner_cannot_be_invited(network: Network, ada: Member, diary: Diary) -> None:
    with pytest.raises(SelfShare):
        await invited(network, ada, diary, ada)


async def test_nobody_can_be_invited_by_an_unknown_fingerprint(network: Network, ada: Member, diary: Diary) -> None:
    for act in (
        network.services.sharing.share(ada.caller, diary.id, NOBODY, READER),
        network.services.sharing.revoke(ada.caller, diary.id, NOBODY),
    ):
        with pytest.raises(AgentNotFound, match=NOBODY.text):
            await act


async def test_an_anonymous_client_does_not_learn_which_fingerprints_are_known(network: Network, eve: Member) -> None:
    with pytest.raises(SharedDiaryNotFound):
        await network.services.sharing.share(eve.caller, DiaryId(an_id()), NOBODY, READER)


@pytest.mark.parametrize("status", [ShareStatus.PENDING, ShareStatus.ACCEPTED])
async def test_an_open_share_is_not_sent_again(
    network: Network, ada: Member, bob: Member, diary: Diary, status: ShareStatus
) -> None:
    share = await invited(network, ada, diary, bob)
    if status is ShareStatus.ACCEPTED:
        await network.services.sharing.accept(bob.caller, share.id)
    with pytest.raises(ShareExists) as refused:
        await invited(network, ada, diary, bob, WRITER)
    assert refused.value.status is status
    (kept,) = await network.services.sharing.shares(ada.caller, diary.id)
    assert kept.role is READER


@pytest.mark.parametrize("role", ShareRole)
async def test_an_agent_that_declined_is_invited_again_with_the_same_share(
    network: Network, ada: Member, bob: Member, diary: Diary, role: ShareRole
) -> None:
    first = await invited(network, ada, diary, bob)
    await network.services.sharing.decline(bob.caller, first.id)
    network.clock.set(LATER)
    again = await invited(network, ada, diary, bob, role)
    assert (again.id, again.role, again.status) == (first.id, role, ShareStatus.PENDING)
    assert (again.invited_at, again.responded_at) == (NOON, None)
    assert await network.services.sharing.invitations(bob.caller) == [again]


async def test_a_revoked_agent_is_invited_again_and_has_nothing_until_it_accepts(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    await network.entry(ada, diary)
    await network.admit(diary, ada, bob, WRITER)
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    again = await invited(network, ada, diary, bob, READER)
    assert not await reads(network, bob, diary)
    await network.services.sharing.accept(bob.caller, again.id)
    assert await reads(network, bob, diary)
    assert not await writes(network, bob, diary)  # it came back as a reader


async def test_two_invitations_at_once_are_one(network: Network, ada: Member, bob: Member, diary: Diary) -> None:
    answers = await asyncio.gather(*(invited(network, ada, diary, bob) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Share) == 1
    assert [type(answer) for answer in answers].count(ShareExists) == 2


async def test_an_invitation_that_lost_the_race_says_so(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    async def another_is_first() -> None:
        assert await network.storage.work.shares.add(
            Share(id=ShareId(an_id()), diary_id=diary.id, shared_with=bob.agent_id, invited_at=NOON)
        )

    network.calls.before("shares.add", [another_is_first])
    with pytest.raises(ShareExists, match="Share already exists for this diary and agent"):
        await invited(network, ada, diary, bob)


async def test_a_repeated_invitation_that_lost_the_race_says_so(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    first = await invited(network, ada, diary, bob)
    declined = await network.services.sharing.decline(bob.caller, first.id)

    async def another_is_first() -> None:
        assert await network.storage.work.shares.replace(declined.invite_again(READER), declined)

    network.calls.before("shares.replace", [another_is_first])
    with pytest.raises(ShareExists):
        await invited(network, ada, diary, bob, WRITER)


async def test_an_owner_has_so_many_invitations_open_with_an_agent(
    network: Network, ada: Member, bob: Member, eve: Member
) -> None:
    most = InvitationLimits().of_pair
    sent = [await invited(network, ada, await network.diary(ada), bob) for _ in range(most)]
    another = await network.diary(ada)
    with pytest.raises(InvitationLimitReached, match=f"{most} unanswered invitations from you"):
        await invited(network, ada, another, bob)
    await invited(network, ada, another, eve)
    await invited(network, eve, await network.diary(eve), bob)
    await network.services.sharing.accept(bob.caller, sent[0].id)
    await invited(network, ada, another, bob)


async def test_who_was_refused_too_often_invites_again_only_later(
    network: Network, ada: Member, bob: Member, eve: Member
) -> None:
    limits = InvitationLimits()
    for _ in range(limits.refusals):
        # With its diary an invitation goes, but not that it was refused.
        diary = await network.diary(ada)
        share = await invited(network, ada, diary, bob)
        await network.services.sharing.decline(bob.caller, share.id)
        await network.services.diaries.delete(ada.caller, diary.id)
    diary = await network.diary(ada)
    with pytest.raises(InvitationsRefused):
        await invited(network, ada, diary, bob)
    await invited(network, ada, diary, eve)
    await invited(network, eve, await network.diary(eve), bob)
    network.clock.advance(limits.refused_for)
    await invited(network, ada, diary, bob)


async def test_an_acceptance_makes_up_for_refusals(network: Network, ada: Member, bob: Member) -> None:
    kept = await invited(network, ada, await network.diary(ada), bob)
    for answer in ("decline", "decline", "accept", "decline", "decline"):
        share = kept if answer == "accept" else await invited(network, ada, await network.diary(ada), bob)
        await getattr(network.services.sharing, answer)(bob.caller, share.id)
    await invited(network, ada, await network.diary(ada), bob)


# Answering


@pytest.mark.parametrize("role", ShareRole)
async def test_access_holds_as_soon_as_the_invitation_is_accepted(
    network: Network, ada: Member, bob: Member, diary: Diary, role: ShareRole
) -> None:
    await network.entry(ada, diary)
    share = await invited(network, ada, diary, bob, role)
    network.clock.set(LATER)
    accepted = await network.services.sharing.accept(bob.caller, share.id)
    assert (accepted.id, accepted.status, accepted.responded_at) == (share.id, ShareStatus.ACCEPTED, LATER)
    assert await reads(network, bob, diary)
    assert await writes(network, bob, diary) is (role is WRITER)
    assert await network.services.sharing.invitations(bob.caller) == []
    assert await network.services.sharing.shares(ada.caller, diary.id) == [accepted]


async def test_declining_gives_nothing(network: Network, ada: Member, bob: Member, diary: Diary) -> None:
    await network.entry(ada, diary)
    share = await invited(network, ada, diary, bob)
    declined = await network.services.sharing.decline(bob.caller, share.id)
    assert (declined.status, declined.responded_at) == (ShareStatus.DECLINED, NOON)
    assert not await reads(network, bob, diary)
    assert await network.services.sharing.invitations(bob.caller) == []
    assert await network.services.sharing.shares(ada.caller, diary.id) == []


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_only_the_invited_agent_answers_and_others_learn_nothing(
    network: Network, ada: Member, bob: Member, eve: Member, diary: Diary, *, answer: str
) -> None:
    share = await invited(network, ada, diary, bob)
    told = set()
    for member, share_id in ((ada, share.id), (eve, share.id), (bob, ShareId(an_id()))):
        with pytest.raises(InvitationNotFound) as refused:
            await getattr(network.services.sharing, answer)(member.caller, share_id)
        told.add(refused.value.detail)
    assert told == {"Invitation not found"}


@pytest.mark.parametrize("second", ["accept", "decline"])
@pytest.mark.parametrize(("first", "status"), [("accept", "accepted"), ("decline", "declined")])
async def test_an_invitation_is_answered_once(
    network: Network, ada: Member, bob: Member, diary: Diary, *, first: str, status: str, second: str
) -> None:
    share = await invited(network, ada, diary, bob)
    await getattr(network.services.sharing, first)(bob.caller, share.id)
    with pytest.raises(InvitationAnswered, match=f"already been {status}"):
        await getattr(network.services.sharing, second)(bob.caller, share.id)
    assert await writes(network, bob, diary) is False


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_an_answer_that_comes_behind_a_revocation_is_refused(
    network: Network, ada: Member, bob: Member, diary: Diary, answer: str
) -> None:
    share = await invited(network, ada, diary, bob, WRITER)

    async def taken_back() -> None:
        assert await network.storage.work.shares.replace(share.revoke(NOON), share)

    network.calls.before("shares.replace", [taken_back])
    with pytest.raises(InvitationAnswered, match="already been revoked"):
        await getattr(network.services.sharing, answer)(bob.caller, share.id)
    assert not await reads(network, bob, diary)


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_an_answer_is_to_the_invitation_that_was_read(
    network: Network, ada: Member, bob: Member, diary: Diary, answer: str
) -> None:
    read = await invited(network, ada, diary, bob, READER)
    revoked = read.revoke(NOON)
    again = revoked.invite_again(WRITER)

    async def sent_anew() -> None:
        shares = network.storage.work.shares
        assert await shares.replace(revoked, read)
        assert await shares.replace(again, revoked)

    network.calls.before("shares.replace", [sent_anew])
    with pytest.raises(InvitationChanged):
        await getattr(network.services.sharing, answer)(bob.caller, read.id)
    assert not await reads(network, bob, diary)


async def test_nothing_is_accepted_when_the_right_cannot_be_given(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    share = await invited(network, ada, diary, bob)
    network.calls.before("Permissions.grant", [failing(StorageUnavailable())])
    with pytest.raises(StorageUnavailable):
        await network.services.sharing.accept(bob.caller, share.id)
    assert await network.services.sharing.invitations(bob.caller) == [share]
    await network.services.sharing.accept(bob.caller, share.id)
    assert (await network.services.diaries.get(bob.caller, diary.id)) == diary


# Taking back


@pytest.mark.parametrize("role", ShareRole)
async def test_no_access_is_left_as_soon_as_it_is_revoked(
    network: Network, ada: Member, bob: Member, diary: Diary, role: ShareRole
) -> None:
    entry = await network.entry(ada, diary)
    await network.admit(diary, ada, bob, role)
    await network.services.entries.get(bob.caller, diary.id, entry.id)
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    assert not await reads(network, bob, diary)
    assert not await writes(network, bob, diary)
    assert await network.services.sharing.shares(ada.caller, diary.id) == []


async def test_revoking_leaves_what_visibility_gives_and_no_more(network: Network, ada: Member, bob: Member) -> None:
    diary = await network.diary(ada, Visibility.MOLTNET)
    await network.admit(diary, ada, bob, WRITER)
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    assert await network.services.diaries.get(bob.caller, diary.id) == diary
    with pytest.raises(InsufficientPermissions):
        await network.services.entries.create(bob.caller, diary.id, NEW)


async def test_revoking_takes_nothing_from_others(network: Network, ada: Member, bob: Member, eve: Member) -> None:
    diary, other = await network.diary(ada), await network.diary(ada)
    for shared, guest in ((diary, bob), (other, bob), (diary, eve)):
        await network.admit(shared, ada, guest, WRITER)
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    assert await writes(network, bob, other)
    assert await writes(network, eve, diary)
    assert await writes(network, ada, diary)


@pytest.mark.parametrize("answer", [None, "accept", "decline"])
async def test_revoking_works_from_every_status_and_again(
    network: Network, ada: Member, bob: Member, diary: Diary, answer: str | None
) -> None:
    share = await invited(network, ada, diary, bob)
    if answer:
        await getattr(network.services.sharing, answer)(bob.caller, share.id)
    for _ in range(2):
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    with pytest.raises(InvitationAnswered, match="already been revoked"):
        await network.services.sharing.accept(bob.caller, share.id)


async def test_what_was_never_shared_is_not_revoked(network: Network, ada: Member, bob: Member, diary: Diary) -> None:
    with pytest.raises(ShareNotFound):
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)


async def test_an_invitation_that_is_accepted_at_that_moment_is_taken_back_too(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    share = await invited(network, ada, diary, bob, WRITER)

    async def accepted_first() -> None:
        work = network.storage.work
        assert await work.shares.replace(share.accept(NOON), share)
        await work.relations.add(diary.id, WRITER.relation, bob.agent_id)

    network.calls.before("shares.replace", [accepted_first])
    await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
    assert await network.services.sharing.shares(ada.caller, diary.id) == []
    assert not await writes(network, bob, diary)


async def test_shares_go_with_their_diary(network: Network, ada: Member, bob: Member, diary: Diary) -> None:
    share = await invited(network, ada, diary, bob)
    await network.services.diaries.delete(ada.caller, diary.id)
    assert await network.services.sharing.invitations(bob.caller) == []
    with pytest.raises(MoltNetError, match="Invitation not found"):
        await network.services.sharing.accept(bob.caller, share.id)


async def test_shares_and_invitations_stand_in_the_order_they_were_sent(
    network: Network, ada: Member, bob: Member, eve: Member
) -> None:
    first, second = await network.diary(ada), await network.diary(ada)
    sent = []
    for diary, guest in ((first, eve), (first, bob), (second, bob)):
        sent.append(await invited(network, ada, diary, guest))
        network.clock.advance(timedelta(seconds=1))
    assert await network.services.sharing.shares(ada.caller, first.id) == sent[:2]
    assert await network.services.sharing.invitations(bob.caller) == sent[1:]


async def test_an_invitation_says_who_offers_which_diary(
    network: Network, ada: Member, bob: Member, eve: Member
) -> None:
    diaries = {owner.fingerprint: await network.diary(owner) for owner in (ada, eve)}
    for owner in (ada, eve):
        await invited(network, owner, diaries[owner.fingerprint], bob)
    invitations = await network.services.sharing.invitations(bob.caller)
    told = await network.services.sharing.inviters(invitations)
    assert told == {diary.id: owner for owner, diary in diaries.items()}
    await network.services.diaries.delete(eve.caller, diaries[eve.fingerprint].id)
    told = await network.services.sharing.inviters(invitations)  # as they were read before
    assert told == {diaries[ada.fingerprint].id: ada.fingerprint}


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_an_answer_that_comes_behind_the_end_of_the_diary_is_refused(
    network: Network, ada: Member, bob: Member, diary: Diary, answer: str
) -> None:
    share = await invited(network, ada, diary, bob)

    async def deleted() -> None:
        assert await network.storage.work.diaries.remove(diary.id)

    network.calls.after("shares.find", [deleted])
    with pytest.raises(InvitationNotFound):
        await getattr(network.services.sharing, answer)(bob.caller, share.id)
    assert not await reads(network, bob, diary)


async def test_an_answer_finds_no_diary_that_went_between_two_statements(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    share = await invited(network, ada, diary, bob)

    async def deleted() -> None:
        assert await network.storage.work.diaries.remove(diary.id)

    network.calls.after("shares.replace", [deleted])
    with pytest.raises(InvitationNotFound):
        await network.services.sharing.accept(bob.caller, share.id)
    assert not await reads(network, bob, diary)
