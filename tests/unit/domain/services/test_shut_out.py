"""A reader that is shut out in the middle of a look sees nothing that was written afterwards."""

from collections.abc import Awaitable, Callable

import pytest

from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryNotFound, Visibility
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import Entry, EntryEdit
from moltnet.domain.errors import NotFound
from moltnet.domain.permissions import InsufficientPermissions
from moltnet.domain.search import Filters, Search
from moltnet.domain.sharing import ShareRole
from tests.support.interruptions import passing
from tests.support.network import Member, Network

PERMISSIONS_LIVE = ("here", "elsewhere")
WITH_REPLICA = True

# The ways to look, and the statements right before which the looker is shut out.
LOOKS = {
    "get": ["entries.find_with_relations"],
    "list": ["entries.newest"],
    "reflect": ["entries.latest"],
    "search list": ["entries.latest"],
    "search diary list": ["entries.latest"],
    "search query": ["snapshot", "candidates.best"],
    "search diary query": ["snapshot", "candidates.best"],
    "search diary query explained": ["candidates.best", "candidates.matched_runs", "candidates.nearest_passages"],
    "search diary exclusion": ["entries.latest"],
}


@pytest.fixture(params=["share", "visibility"])
async def scene(request: pytest.FixtureRequest, network: Network, ada: Member, bob: Member) -> tuple[Diary, Entry]:
    """A diary of Ada's that Bob may read, and its entry."""
    is_open = request.param == "visibility"
    diary = await network.diary(ada, Visibility.MOLTNET if is_open else Visibility.PRIVATE)
    if not is_open:
        await network.admit(diary, ada, bob)
    return diary, await network.entry(ada, diary, "What happened")


def texts_seen(network: Network, reader: Member, diary: Diary, entry: Entry, look: str) -> Awaitable[list[str]]:
    services, caller = network.services, reader.caller

    async def see() -> list[str]:
        if look == "get":
            return [(await services.entries.get(caller, diary.id, entry.id)).content]
        if look == "list":
            return [each.content for each in (await services.entries.list(caller, diary.id, Filters(), Page(9)))[0]]
        if look == "reflect":
            return [each.content for each in (await services.search.reflect(caller, diary.id, Reflection())).entries]
        search = Search(
            query="happened" if "query" in look else "-fog" if "exclusion" in look else None,
            explain="explained" in look,
            diary_id=diary.id if "diary" in look else None,
            include_shared=True,
        )
        return [hit.entry.content for hit in (await services.search.search(caller, search)).hits]

    return see()


def shutting_out(network: Network, owner: Member, guest: Member, diary: Diary, entry: Entry) -> Callable[[], Awaitable]:
    async def shut_out_and_write() -> None:
        closed, secret = DiaryEdit(visibility=Visibility.PRIVATE), EntryEdit(content="What secretly happened")
        await network.services.diaries.update(owner.caller, diary.id, closed)
        if await network.services.sharing.shares(owner.caller, diary.id):
            await network.services.sharing.revoke(owner.caller, diary.id, guest.fingerprint)
        await network.services.entries.update(owner.caller, diary.id, entry.id, secret)

    return shut_out_and_write


@pytest.mark.parametrize("moment", [f"{look} / {each}" for look, statements in LOOKS.items() for each in statements])
async def test_what_is_written_after_shutting_out_is_not_seen(
    network: Network, ada: Member, bob: Member, scene: tuple[Diary, Entry], moment: str
) -> None:
    (diary, entry), (look, statement) = scene, moment.split(" / ")
    network.calls.before(statement, [shutting_out(network, ada, bob, diary, entry)])
    try:
        seen = await texts_seen(network, bob, diary, entry, look)
    except NotFound:
        seen = []
    assert "What secretly happened" not in seen


# Where permissions live elsewhere: the question that is answered right before the shutting out, and which time.
ANSWERS = {
    "get": ("permitted", 0),
    "list": ("permitted", 0),
    "reflect": ("permitted", 0),
    "search list": ("list", 0),
    "search diary list": ("permitted", 0),
    "search query": ("list", 0),
    "search diary query": ("permitted", 1),
}


@pytest.mark.parametrize("look", ANSWERS)
async def test_an_answer_from_elsewhere_does_not_outlive_what_it_rests_on(
    network: Network, ada: Member, bob: Member, scene: tuple[Diary, Entry], look: str
) -> None:
    (diary, entry), (question, earlier) = scene, ANSWERS[look]
    call = f"RelationStore.{question}"
    network.calls.after(call, [*[passing] * earlier, shutting_out(network, ada, bob, diary, entry)])
    try:
        seen = await texts_seen(network, bob, diary, entry, look)
    except NotFound:
        seen = []
    assert "What secretly happened" not in seen
    stored = await network.stored(entry)
    assert stored is not None
    assert (stored.content == "What secretly happened") == (call in network.calls.log)


@pytest.mark.parametrize("look", LOOKS)
async def test_every_look_sees_what_it_may(
    network: Network, ada: Member, bob: Member, scene: tuple[Diary, Entry], look: str
) -> None:
    diary, entry = scene
    seen = await texts_seen(network, bob, diary, entry, look)
    related = await network.services.sharing.shares(ada.caller, diary.id)
    assert seen == (["What happened"] if related or "diary" in look or "search" not in look else [])


@pytest.mark.parametrize("tags", [(), ("none",)])
@pytest.mark.parametrize("statement", ["candidates.best", "candidates.matched_runs"])
async def test_what_was_left_out_and_confidence_do_not_change_with_what_is_written_afterwards(
    network: Network, ada: Member, bob: Member, scene: tuple[Diary, Entry], *, statement: str, tags: tuple[str, ...]
) -> None:
    diary, entry = scene
    search = Search(query="What secretly happened", explain=True, tags=tags, include_shared=True)

    async def answered() -> tuple[object, ...]:
        result = await network.services.search.search(bob.caller, search)
        hits = [(hit.entry.content, hit.score, hit.explanation) for hit in result.hits]
        return hits, result.total, result.confident, result.left_out

    before = await answered()
    if await network.services.sharing.shares(ada.caller, diary.id):
        assert any(before)
    network.calls.before(statement, [shutting_out(network, ada, bob, diary, entry)])
    assert await answered() == before
    assert await answered() == ([], 0, False, ())


WRITES: dict[str, Callable[[Network, Member, Diary, Entry], Awaitable[object]]] = {
    "create": lambda network, writer, diary, _: network.entry(writer, diary),
    "update": lambda network, writer, diary, entry: network.services.entries.update(
        writer.caller, diary.id, entry.id, EntryEdit(content="other")
    ),
    "delete": lambda network, writer, diary, entry: network.services.entries.delete(writer.caller, diary.id, entry.id),
}


@pytest.mark.parametrize("again", [None, ShareRole.READER])
@pytest.mark.parametrize("act", WRITES)
async def test_a_writer_that_is_shut_out_before_it_writes_writes_nothing(
    network: Network, ada: Member, bob: Member, act: str, again: ShareRole | None
) -> None:
    diary = await network.diary(ada)
    entry = await network.entry(ada, diary)
    await network.admit(diary, ada, bob, ShareRole.WRITER)

    async def shut_out() -> None:
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
        if again:
            await network.admit(diary, ada, bob, again)

    network.calls.before("transaction", [shut_out])
    with pytest.raises(InsufficientPermissions if again else DiaryNotFound):
        await WRITES[act](network, bob, diary, entry)
    entries, _ = await network.services.entries.list(ada.caller, diary.id, Filters(), Page(9))
    assert [(each.id, each.content) for each in entries] == [(entry.id, entry.content)]


@pytest.mark.parametrize("act", WRITES)
async def test_a_writer_that_is_let_in_before_it_writes_is_asked_about_again(
    network: Network, ada: Member, bob: Member, act: str
) -> None:
    diary = await network.diary(ada)
    entry = await network.entry(ada, diary)
    await network.admit(diary, ada, bob, ShareRole.WRITER)

    async def out_and_in() -> None:
        await network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)
        await network.admit(diary, ada, bob, ShareRole.WRITER)

    network.calls.before("transaction", [out_and_in])
    await WRITES[act](network, bob, diary, entry)
