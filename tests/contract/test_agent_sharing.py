"""Invitations given and received, by the agent's port."""

from uuid import uuid4

import pytest
import pytest_asyncio

from moltnet.domain.diaries import Diary
from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.ids import EntryId, ShareId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.sharing import ShareRole, ShareStatus
from moltnet.entrypoints.library.agent import Agent
from tests.support.worlds import keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGER = Fingerprint("0123-4567-89AB-CDEF")


@pytest_asyncio.fixture(loop_scope="module")
async def diary(ada: Agent) -> Diary:
    return await ada.diaries.create(name="Shared")


@pytest.fixture
def guest(bob: Agent) -> Fingerprint:
    return keys_of(bob).public_key.fingerprint


async def test_an_invitation_is_accepted(ada: Agent, bob: Agent, diary: Diary, guest: Fingerprint) -> None:
    share = await ada.sharing.share(diary.id, guest, role=ShareRole.WRITER)
    assert (share.diary_id, share.role, share.status, share.responded_at) == (
        diary.id,
        ShareRole.WRITER,
        ShareStatus.PENDING,
        None,
    )
    assert share.shared_with == (await bob.agents.whoami()).agent_id
    assert await bob.sharing.invitations() == [share]
    accepted = await bob.sharing.accept(share.id)
    assert (accepted.id, accepted.status) == (share.id, ShareStatus.ACCEPTED)
    assert accepted.responded_at
    assert await bob.sharing.invitations() == []
    assert await ada.sharing.shares(diary.id) == [accepted]
    with pytest.raises(Invalid):
        await bob.sharing.decline(share.id)


async def test_an_invitation_is_declined_and_sent_again(
    ada: Agent, bob: Agent, diary: Diary, guest: Fingerprint
) -> None:
    share = await ada.sharing.share(diary.id, guest)
    assert (await bob.sharing.decline(share.id)).status is ShareStatus.DECLINED
    assert await ada.sharing.shares(diary.id) == []
    again = await ada.sharing.share(diary.id, guest)
    assert (again.id, again.status) == (share.id, ShareStatus.PENDING)


async def test_access_is_gone_once_it_is_revoked(ada: Agent, bob: Agent, diary: Diary, guest: Fingerprint) -> None:
    await bob.sharing.accept((await ada.sharing.share(diary.id, guest)).id)
    await bob.diaries.get(diary.id)
    await ada.sharing.revoke(diary.id, guest)
    await ada.sharing.revoke(diary.id, guest)
    with pytest.raises(NotFound):
        await bob.diaries.get(diary.id)


async def test_the_same_invitation_is_sent_once(ada: Agent, diary: Diary, guest: Fingerprint) -> None:
    share = await ada.sharing.share(diary.id, guest, key="k")
    assert await ada.sharing.share(diary.id, guest, key="k") == share
    with pytest.raises(Conflict):
        await ada.sharing.share(diary.id, guest)
    with pytest.raises(Invalid):
        await ada.sharing.share(diary.id, guest, role=ShareRole.WRITER, key="k")


async def test_only_the_owner_shares_and_only_the_invited_answers(
    ada: Agent, bob: Agent, diary: Diary, guest: Fingerprint
) -> None:
    share = await ada.sharing.share(diary.id, guest)
    for act in (
        lambda: bob.sharing.share(diary.id, keys_of(ada).public_key.fingerprint),
        lambda: bob.sharing.shares(diary.id),
        lambda: bob.sharing.revoke(diary.id, guest),
        lambda: ada.sharing.accept(share.id),
        lambda: ada.sharing.decline(share.id),
        lambda: bob.sharing.accept(ShareId(uuid4())),
        lambda: ada.sharing.share(diary.id, STRANGER),
        lambda: ada.sharing.revoke(diary.id, STRANGER),
        lambda: ada.sharing.revoke(diary.id, keys_of(ada).public_key.fingerprint),
    ):
        with pytest.raises(NotFound):
            await act()
    with pytest.raises(Invalid):
        await ada.sharing.share(diary.id, keys_of(ada).public_key.fingerprint)


async def test_an_entry_is_found_by_its_id_alone_where_one_may_read_it(ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="To be shared")
    entry = await ada.diary.create(diary.id, content="found by its id")
    assert (await found(ada, entry.id)) == entry.id
    assert (await found(bob, entry.id)) is None
    share = await ada.sharing.share(diary.id, (await bob.agents.whoami()).fingerprint)
    await bob.sharing.accept(share.id)
    assert (await found(bob, entry.id)) == entry.id
    assert (await found(ada, EntryId(uuid4()))) is None


async def found(agent: Agent, entry_id: EntryId) -> EntryId | None:
    entry = await agent.diary.find(entry_id)
    return entry.id if entry else None
