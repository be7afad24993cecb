"""Searches and the feed where a replica is asked: what it says is only where to look."""

from collections.abc import AsyncIterator

import pytest

from moltnet.domain.caller import ANONYMOUS
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryNotFound, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.feed import FeedSearch, Selection
from moltnet.domain.search import Search
from tests.support.interruptions import failing
from tests.support.network import Member, Network, a_network

READ = "Replicas.read"
RANKED = "candidates.best"


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with a_network(with_replica=True) as network:
        yield network


@pytest.fixture(params=[Visibility.PRIVATE, Visibility.PUBLIC])
async def diary(request: pytest.FixtureRequest, network: Network, ada: Member) -> Diary:
    return await network.diary(ada, request.param)


@pytest.fixture
async def entry(network: Network, ada: Member, diary: Diary) -> Entry:
    return await network.entry(ada, diary, "What happened")


async def found(network: Network, member: Member, diary: Diary | None = None, *, explain: bool = False) -> list[Entry]:
    search = Search(query="happened", diary_id=diary and diary.id, include_shared=True, explain=explain)
    return [hit.entry for hit in (await network.services.search.search(member.caller, search)).hits]


async def test_replica_ranks_and_nothing_else_does(network: Network, ada: Member, diary: Diary, entry: Entry) -> None:
    for within in (diary, None):
        network.calls.log.clear()
        assert [each.id for each in await found(network, ada, within)] == [entry.id]
        assert network.calls.log.count(RANKED) == network.calls.log.count(READ) == 1


async def test_why_is_not_asked_of_a_replica(network: Network, ada: Member, diary: Diary, entry: Entry) -> None:
    assert [each.id for each in await found(network, ada, diary, explain=True)] == [entry.id]
    assert READ not in network.calls.log


async def test_without_a_replica_that_answers_the_storage_ranks(
    network: Network, ada: Member, diary: Diary, entry: Entry
) -> None:
    network.calls.before(RANKED, [failing(StorageUnavailable())])
    assert [each.id for each in await found(network, ada, diary)] == [entry.id]
    assert network.calls.log.count(RANKED) == 2


async def test_what_was_removed_after_the_ranking_is_not_shown(
    network: Network, ada: Member, diary: Diary, entry: Entry
) -> None:
    network.calls.after(READ, [lambda: network.services.entries.delete(ada.caller, diary.id, entry.id)])
    assert await found(network, ada, diary) == []


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_who_was_shut_out_meanwhile_sees_nothing(
    network: Network, ada: Member, bob: Member, *, moment: str
) -> None:
    diary = await network.diary(ada)
    await network.admit(diary, ada, bob)
    await network.entry(ada, diary, "What happened")
    assert len(await found(network, bob)) == 1
    getattr(network.calls, moment)(
        READ, [lambda: network.services.sharing.revoke(ada.caller, diary.id, bob.fingerprint)]
    )
    assert await found(network, bob) == []
    with pytest.raises(DiaryNotFound):
        await found(network, bob, diary)


async def test_feed_is_the_replicas_and_its_search_shows_nothing_that_is_not_public_any_more(
    network: Network, ada: Member
) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    await network.entry(ada, diary, "What happened")
    feed = network.services.feed
    assert len((await feed.page(None, Selection(), 9)).items) == 1
    assert len(await feed.search(FeedSearch(query="happened"), ANONYMOUS)) == 1
    assert network.calls.log.count(READ) == 2
    private = DiaryEdit(visibility=Visibility.PRIVATE)
    network.calls.after(READ, [lambda: network.services.diaries.update(ada.caller, diary.id, private)])
    assert await feed.search(FeedSearch(query="happened"), ANONYMOUS) == []


async def test_feed_without_a_replica_that_answers_is_the_storages(network: Network, ada: Member) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    await network.entry(ada, diary, "What happened")
    feed = network.services.feed
    network.calls.before("entries.public_page", [failing(StorageUnavailable())])
    network.calls.before("candidates.best_public", [failing(StorageUnavailable())])
    assert len((await feed.page(None, Selection(), 9)).items) == 1
    assert len(await feed.search(FeedSearch(query="happened"), ANONYMOUS)) == 1
