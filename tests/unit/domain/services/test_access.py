"""Who may do what with a diary, asked of every use case that takes one (docs/reference/access.md)."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeAlias

import attrs
import pytest

from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryNotFound, Visibility
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import EntryEdit, EntryNotFound, NewEntry
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.permissions import InsufficientPermissions
from moltnet.domain.search import Filters, Search
from moltnet.domain.services import Services
from moltnet.domain.sharing import SharedDiaryNotFound, ShareRole
from tests.support.builders import an_id
from tests.support.network import Member, Network

PERMISSIONS_LIVE = ("here", "elsewhere")

PRIVATE, MOLTNET, PUBLIC = Visibility
DONE = None
PAGE = Page(10)
Outcome: TypeAlias = type[MoltNetError] | None


class Standing(StrEnum):
    """What a caller is to a diary, the least first."""

    ANONYMOUS = "anonymous"
    STRANGER = "stranger"
    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"


@attrs.frozen(kw_only=True)
class Target:
    """What a use case is asked about: a diary, one of its entries, and an agent it may be shared with."""

    diary_id: DiaryId
    entry_id: EntryId
    agent: Member


UseCase: TypeAlias = "Callable[[Services, Caller, Target], Awaitable[object]]"

READS: dict[str, UseCase] = {
    "get a diary": lambda services, caller, target: services.diaries.get(caller, target.diary_id),
    "list entries": lambda services, caller, target: services.entries.list(caller, target.diary_id, Filters(), PAGE),
    "get an entry": lambda services, caller, target: services.entries.get(caller, target.diary_id, target.entry_id),
    "browse": lambda services, caller, target: services.search.search(caller, Search(diary_id=target.diary_id)),
    "search": lambda services, caller, target: services.search.search(
        caller, Search(diary_id=target.diary_id, query="word")
    ),
    "reflect": lambda services, caller, target: services.search.reflect(caller, target.diary_id, Reflection()),
}
WRITES: dict[str, UseCase] = {
    "create an entry": lambda services, caller, target: services.entries.create(
        caller, target.diary_id, NewEntry(content="more")
    ),
    "update an entry": lambda services, caller, target: services.entries.update(
        caller, target.diary_id, target.entry_id, EntryEdit(content="other")
    ),
    "delete an entry": lambda services, caller, target: services.entries.delete(
        caller, target.diary_id, target.entry_id
    ),
}
MANAGES: dict[str, UseCase] = {
    "update a diary": lambda services, caller, target: services.diaries.update(
        caller, target.diary_id, DiaryEdit(name="other")
    ),
    "delete a diary": lambda services, caller, target: services.diaries.delete(caller, target.diary_id),
}
SHARES: dict[str, UseCase] = {
    "share": lambda services, caller, target: services.sharing.share(
        caller, target.diary_id, target.agent.fingerprint, ShareRole.READER
    ),
    "list shares": lambda services, caller, target: services.sharing.shares(caller, target.diary_id),
    "revoke": lambda services, caller, target: services.sharing.revoke(
        caller, target.diary_id, target.agent.fingerprint
    ),
}
ALL = READS | WRITES | MANAGES | SHARES
KNOWN = [standing for standing in Standing if standing is not Standing.ANONYMOUS]
READABLE_FROM = {PRIVATE: Standing.READER, MOLTNET: Standing.STRANGER, PUBLIC: Standing.ANONYMOUS}


@attrs.frozen(kw_only=True)
class AccessScene:
    """A diary and one caller of each standing."""

    network: Network
    diary: Diary
    owner: Member
    callers: dict[Standing, Caller | Anonymous]

    async def target(self) -> Target:
        """The diary, a fresh entry in it, and an agent that was never invited."""
        entry = await self.network.entry(self.owner, self.diary)
        return Target(diary_id=self.diary.id, entry_id=entry.id, agent=await self.network.member())

    async def outcome(self, standing: Standing, use_case: UseCase, target: Target) -> MoltNetError | None:
        """What the caller of a standing is refused with."""
        caller = self.callers[standing]
        try:
            await use_case(self.network.services, caller, target)  # type: ignore[arg-type]
        except MoltNetError as refused:
            return refused
        return DONE


async def set_up(network: Network, visibility: Visibility) -> AccessScene:
    owner, reader, writer, stranger = [await network.member() for _ in range(4)]
    diary = await network.diary(owner, visibility)
    await network.admit(diary, owner, reader, ShareRole.READER)
    await network.admit(diary, owner, writer, ShareRole.WRITER)
    callers = {
        Standing.ANONYMOUS: ANONYMOUS,
        Standing.STRANGER: stranger.caller,
        Standing.READER: reader.caller,
        Standing.WRITER: writer.caller,
        Standing.OWNER: owner.caller,
    }
    return AccessScene(network=network, diary=diary, owner=owner, callers=callers)


@pytest.fixture(params=Visibility)
async def scene(request: pytest.FixtureRequest, network: Network) -> AccessScene:
    return await set_up(network, request.param)


def may(standing: Standing, least: Standing) -> bool:
    order = list(Standing)
    return order.index(standing) >= order.index(least)


async def outcomes(scene: AccessScene, use_case: UseCase, client_directory: list[Standing]) -> dict[Standing, Outcome]:
    found: dict[Standing, Outcome] = {}
    for standing in client_directory:
        refused = await scene.outcome(standing, use_case, await scene.target())
        found[standing] = type(refused) if refused else DONE
    return found


@pytest.mark.parametrize("name", READS)
async def test_who_may_read(scene: AccessScene, name: str) -> None:
    def expected(standing: Standing) -> Outcome:
        if may(standing, READABLE_FROM[scene.diary.visibility]):
            return DONE
        if standing is Standing.ANONYMOUS:
            return Unauthenticated
        return EntryNotFound if name == "get an entry" else DiaryNotFound

    assert await outcomes(scene, READS[name], list(Standing)) == {each: expected(each) for each in Standing}


@pytest.mark.parametrize(
    ("name", "least"), [*((name, Standing.WRITER) for name in WRITES), *((name, Standing.OWNER) for name in MANAGES)]
)
async def test_who_may_change(scene: AccessScene, name: str, least: Standing) -> None:
    def expected(standing: Standing) -> Outcome:
        if may(standing, least):
            return DONE
        readable = may(standing, READABLE_FROM[scene.diary.visibility])
        return InsufficientPermissions if readable else DiaryNotFound

    assert await outcomes(scene, ALL[name], KNOWN) == {each: expected(each) for each in KNOWN}


@pytest.mark.parametrize("name", ["share", "list shares"])
async def test_only_the_owner_shares_and_nobody_else_learns_of_it(scene: AccessScene, name: str) -> None:
    expected = dict.fromkeys(KNOWN, SharedDiaryNotFound) | {Standing.OWNER: DONE}
    assert await outcomes(scene, SHARES[name], KNOWN) == expected


async def test_only_the_owner_revokes(scene: AccessScene) -> None:
    reader = scene.callers[Standing.READER]
    guest = await scene.network.member()
    await scene.network.admit(scene.diary, scene.owner, guest)
    target = attrs.evolve(await scene.target(), agent=guest)
    refused = [await scene.outcome(standing, SHARES["revoke"], target) for standing in KNOWN]
    assert [type(each) for each in refused] == [SharedDiaryNotFound] * 3 + [type(None)]
    assert await scene.network.services.diaries.get(reader, scene.diary.id)


# A stranger learns nothing (docs/reference/access.md, "Existence")


def asked_about(network: Network) -> list[str]:
    """What the stores were asked since the last time this was asked."""
    log = list(network.calls.log)
    network.calls.log.clear()
    return log


@pytest.mark.parametrize(
    ("name", "standing"),
    [*((name, Standing.STRANGER) for name in ALL), *((name, Standing.ANONYMOUS) for name in READS)],
)
async def test_a_hidden_diary_answers_as_a_missing_one(network: Network, name: str, standing: Standing) -> None:
    scene = await set_up(network, PRIVATE)
    hidden = await scene.target()
    missing = attrs.evolve(hidden, diary_id=DiaryId(an_id()), entry_id=EntryId(an_id()))
    asked_about(network)
    answers, asked = [], []
    for target in (hidden, missing):
        answers.append(await scene.outcome(standing, ALL[name], target))
        asked.append(asked_about(network))
    told, expected = answers
    assert told is not None
    assert expected is not None
    assert (type(told), told.detail) == (type(expected), expected.detail)
    assert asked[0] == asked[1]  # so that the time tells nothing either


@pytest.mark.parametrize("name", ["share", "list shares", "revoke"])
@pytest.mark.parametrize("standing", [Standing.READER, Standing.WRITER])
async def test_sharing_hides_a_diary_even_from_its_guests(network: Network, name: str, standing: Standing) -> None:
    scene = await set_up(network, PUBLIC)
    foreign = await scene.target()
    missing = attrs.evolve(foreign, diary_id=DiaryId(an_id()))
    told, expected = [await scene.outcome(standing, SHARES[name], target) for target in (foreign, missing)]
    assert told is not None
    assert expected is not None
    assert (type(told), told.detail) == (type(expected), expected.detail)


async def test_an_entry_of_another_diary_gets_the_same_answer_as_a_missing_and_a_hidden_one(network: Network) -> None:
    scene, other = await set_up(network, PUBLIC), await set_up(network, PRIVATE)
    here, there = await scene.target(), await other.target()
    told, asked = set(), set()
    for diary_id, entry_id in (
        (here.diary_id, there.entry_id),
        (here.diary_id, EntryId(an_id())),
        (there.diary_id, there.entry_id),
        (there.diary_id, here.entry_id),
        (there.diary_id, EntryId(an_id())),
    ):
        target = attrs.evolve(here, diary_id=diary_id, entry_id=entry_id)
        asked_about(network)
        refused = await scene.outcome(Standing.STRANGER, READS["get an entry"], target)
        assert refused is not None
        told.add((type(refused), refused.detail))
        asked.add(tuple(asked_about(network)))
    assert told == {(EntryNotFound, "Diary entry not found")}
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["update an entry", "delete an entry"])
async def test_an_entry_is_changed_in_its_own_diary_only(network: Network, name: str) -> None:
    mine, other = await set_up(network, PRIVATE), await set_up(network, PRIVATE)
    await network.admit(other.diary, other.owner, mine.owner, ShareRole.WRITER)
    foreign = attrs.evolve(await other.target(), diary_id=mine.diary.id)
    refused = await mine.outcome(Standing.OWNER, WRITES[name], foreign)
    assert isinstance(refused, EntryNotFound)
    assert refused.detail == "Entry not found"


@pytest.mark.parametrize("name", ["update an entry", "delete an entry"])
async def test_a_reader_may_not_change_whether_the_entry_exists_or_not(network: Network, name: str) -> None:
    scene = await set_up(network, PRIVATE)
    existing = await scene.target()
    for target in (existing, attrs.evolve(existing, entry_id=EntryId(an_id()))):
        refused = await scene.outcome(Standing.READER, WRITES[name], target)
        assert isinstance(refused, InsufficientPermissions)


async def test_the_refusal_to_write_says_so(network: Network) -> None:
    scene = await set_up(network, PUBLIC)
    refused = await scene.outcome(Standing.READER, WRITES["create an entry"], await scene.target())
    assert refused is not None
    assert refused.detail == "You do not have permission to write to this diary"
