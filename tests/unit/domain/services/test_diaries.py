"""Opening, listing, changing and deleting whole diaries."""

from datetime import timedelta
from functools import partial

import attrs
import pytest

from moltnet.domain.diaries import (
    NAME_MAX,
    Diary,
    DiaryEdit,
    DiaryLimitReached,
    DiaryNotFound,
    MalformedDiaryName,
    Visibility,
)
from moltnet.domain.entries import EntryEdit
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.ids import Expected, StaleVersion, version_of
from moltnet.domain.search import Search
from moltnet.domain.services import diaries as service
from moltnet.domain.sharing import ShareRole
from tests.support.builders import NOON
from tests.support.interruptions import failing
from tests.support.network import Member, Network

PERMISSIONS_LIVE = ("here", "elsewhere")

SECOND = timedelta(seconds=1)


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    """A private diary of Ada's."""
    return await network.diary(ada)


async def test_a_new_diary_is_private_and_its_makers(network: Network, ada: Member) -> None:
    diary = await network.services.diaries.create(ada.caller, name="Notes")
    assert (diary.name, diary.visibility, diary.owner_id, diary.signed) == (
        "Notes",
        Visibility.PRIVATE,
        ada.agent_id,
        False,
    )
    assert (diary.created_at, diary.updated_at) == (NOON, NOON)
    assert await network.services.diaries.get(ada.caller, diary.id) == diary


async def test_a_diary_that_cannot_be_is_refused(network: Network, ada: Member) -> None:
    for name in ("", "n" * (NAME_MAX + 1)):
        with pytest.raises(MalformedDiaryName):
            await network.services.diaries.create(ada.caller, name=name)
    assert await network.services.diaries.mine(ada.caller) == []


async def test_no_diary_is_left_without_its_owner(network: Network, ada: Member) -> None:
    network.calls.before("Permissions.grant", [failing(StorageUnavailable())])
    with pytest.raises(StorageUnavailable):
        await network.diary(ada)
    assert await network.services.diaries.mine(ada.caller) == []


async def test_mine_are_my_own_newest_first(network: Network, ada: Member, bob: Member) -> None:
    mine = []
    for _ in range(3):
        mine.append(await network.diary(ada))
        network.clock.advance(SECOND)
    await network.admit(await network.diary(bob), bob, ada, ShareRole.WRITER)
    await network.diary(bob, Visibility.PUBLIC)
    assert await network.services.diaries.mine(ada.caller) == mine[::-1]


async def test_an_agent_owns_so_many_diaries_and_no_more(network: Network, ada: Member, bob: Member) -> None:
    service = attrs.evolve(network.services.diaries, diaries_max=2)
    first = await service.create(ada.caller, name="One")
    await service.create(ada.caller, name="Two")
    with pytest.raises(DiaryLimitReached, match="You have 2 diaries"):
        await service.create(ada.caller, name="Three")
    await service.create(bob.caller, name="One")
    await service.delete(ada.caller, first.id)
    await service.create(ada.caller, name="Three")
    assert [diary.name for diary in await service.mine(ada.caller)] == ["Three", "Two"]


# Changing


@pytest.mark.parametrize(
    ("edit", "name", "visibility"),
    [
        (DiaryEdit(name="Other"), "Other", Visibility.PRIVATE),
        (DiaryEdit(visibility=Visibility.PUBLIC), "A diary", Visibility.PUBLIC),
        (DiaryEdit(), "A diary", Visibility.PRIVATE),
    ],
)
async def test_an_edit_changes_what_it_names(
    network: Network, ada: Member, diary: Diary, *, edit: DiaryEdit, name: str, visibility: Visibility
) -> None:
    network.clock.advance(SECOND)
    edited = await network.services.diaries.update(ada.caller, diary.id, edit)
    assert edited == attrs.evolve(diary, name=name, visibility=visibility, updated_at=NOON + SECOND)
    assert await network.services.diaries.get(ada.caller, diary.id) == edited


async def test_a_diary_is_open_or_closed_from_that_moment_on(
    network: Network, ada: Member, eve: Member, diary: Diary
) -> None:
    for visibility, readable in ((Visibility.MOLTNET, True), (Visibility.PRIVATE, False), (Visibility.PUBLIC, True)):
        await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(visibility=visibility))
        try:
            await network.services.diaries.get(eve.caller, diary.id)
            found = True
        except DiaryNotFound:
            found = False
        assert found is readable


async def test_a_malformed_name_changes_nothing(network: Network, ada: Member, diary: Diary) -> None:
    with pytest.raises(MalformedDiaryName):
        await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(name=""))
    assert await network.services.diaries.get(ada.caller, diary.id) == diary


async def test_edits_that_meet_are_merged(network: Network, ada: Member, diary: Diary) -> None:
    async def another_is_first() -> None:
        opened = DiaryEdit(visibility=Visibility.PUBLIC).applied_to(diary, NOON + SECOND)
        assert await network.storage.work.diaries.replace(opened, diary.updated_at)

    network.calls.before("diaries.replace", [another_is_first])
    edited = await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(name="Other"))
    assert (edited.name, edited.visibility) == ("Other", Visibility.PUBLIC)
    assert await network.services.diaries.get(ada.caller, diary.id) == edited


async def test_a_diary_that_goes_meanwhile_is_not_there(network: Network, ada: Member, diary: Diary) -> None:
    async def another_deletes_it() -> None:
        assert await network.storage.work.diaries.remove(diary.id, None)

    network.calls.before("diaries.replace", [another_deletes_it])
    with pytest.raises(DiaryNotFound, match="Diary not found"):
        await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(name="Other"))
    network.calls.before("diaries.remove", [another_deletes_it])
    with pytest.raises(DiaryNotFound, match="Diary not found"):
        await network.services.diaries.delete(ada.caller, diary.id)


# Versions


async def test_only_the_version_that_was_read_is_changed(network: Network, ada: Member, diary: Diary) -> None:
    read = Expected({version_of(diary)})
    edited = await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(name="first"), read)
    with pytest.raises(StaleVersion):
        await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(name="second"), read)
    with pytest.raises(StaleVersion):
        await network.services.diaries.delete(ada.caller, diary.id, read)
    assert await network.services.diaries.mine(ada.caller) == [edited]
    await network.services.diaries.delete(ada.caller, diary.id, Expected({version_of(edited)}))
    assert await network.services.diaries.mine(ada.caller) == []


@pytest.mark.parametrize("statement", ["diaries.replace", "diaries.remove"])
async def test_a_version_that_ends_at_that_moment_is_missed(
    network: Network, ada: Member, diary: Diary, statement: str
) -> None:
    async def another_is_first() -> None:
        other = DiaryEdit(name="first").applied_to(diary, NOON + SECOND)
        assert await network.storage.work.diaries.replace(other, diary.updated_at)

    diaries, read = network.services.diaries, Expected({version_of(diary)})
    acts = {
        "diaries.replace": partial(diaries.update, ada.caller, diary.id, DiaryEdit(name="second"), read),
        "diaries.remove": partial(diaries.delete, ada.caller, diary.id, read),
    }
    network.calls.before(statement, [another_is_first])
    with pytest.raises(StaleVersion):
        await acts[statement]()


async def test_any_caller_that_may_not_see_a_diary_learns_nothing_of_its_versions(
    network: Network, eve: Member, diary: Diary
) -> None:
    for expected in (Expected({version_of(diary)}), Expected({"none"})):
        with pytest.raises(DiaryNotFound):
            await network.services.diaries.update(eve.caller, diary.id, DiaryEdit(name="x"), expected)
        with pytest.raises(DiaryNotFound):
            await network.services.diaries.delete(eve.caller, diary.id, expected)


# Deleting


async def test_a_deleted_diary_is_gone_with_all_that_was_in_it(
    network: Network, ada: Member, bob: Member, diary: Diary
) -> None:
    entry = await network.entry(ada, diary)
    await network.admit(diary, ada, bob, ShareRole.WRITER)
    await network.services.diaries.delete(ada.caller, diary.id)
    for member in (ada, bob):
        with pytest.raises(DiaryNotFound):
            await network.services.diaries.get(member.caller, diary.id)
        with pytest.raises(DiaryNotFound):
            await network.services.entries.update(member.caller, diary.id, entry.id, EntryEdit(title="x"))
        assert (await network.services.search.search(member.caller, Search(query="happened"))).hits == ()
    async with network.storage.snapshot() as work:
        assert await work.relations.diaries_of(bob.agent_id) == {}


async def test_other_diaries_stay(network: Network, ada: Member, diary: Diary) -> None:
    other = await network.diary(ada)
    entry = await network.entry(ada, other)
    await network.services.diaries.delete(ada.caller, diary.id)
    assert await network.services.diaries.mine(ada.caller) == [other]
    assert await network.stored(entry) == entry
    assert await network.entry(ada, other)


# Diaries of others


async def test_shared_diaries_are_those_of_others_that_were_accepted_newest_first(
    network: Network, ada: Member, bob: Member, eve: Member
) -> None:
    shared = []
    for role in (ShareRole.READER, ShareRole.WRITER):
        network.clock.advance(SECOND)
        shared.append(await network.diary(ada))
        await network.admit(shared[-1], ada, bob, role)
    for other in (await network.diary(bob), await network.diary(ada, Visibility.PUBLIC)):
        assert other not in await network.services.diaries.shared_with(bob.caller)
    offered = await network.diary(ada)
    await network.services.sharing.share(ada.caller, offered.id, bob.fingerprint, ShareRole.READER)
    assert await network.services.diaries.shared_with(bob.caller) == [shared[1], shared[0]]
    assert await network.services.diaries.shared_with(eve.caller) == []
    await network.services.diaries.delete(ada.caller, shared[1].id)
    assert await network.services.diaries.shared_with(bob.caller) == [shared[0]]


async def test_no_more_shared_diaries_are_listed_than_a_list_shows(
    network: Network, ada: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LIST_MAX", 1)
    for _ in range(2):
        network.clock.advance(SECOND)
        newest = await network.diary(ada)
        await network.admit(newest, ada, bob)
    assert await network.services.diaries.shared_with(bob.caller) == [newest]
