"""The store beside LangGraph's own: what both are asked, both answer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, PutOp
from langgraph.store.memory import InMemoryStore

from moltnet import Invalid, ShareRole, blocking
from moltnet.integrations import DiaryStore
from moltnet.testing import outage

A, B = ("docs", "a"), ("docs", "b", "c")
ITEMS = [
    (A, "one", {"content": "a plain text"}),
    (A, "two", {"n": 2, "text": "with members", "list": [1, {"deep": None}]}),
    (B, "one", {"n": 3, "content": "two members"}),
    (("other",), "né..key", {"n": 2.5, "quote": '{"a": 1}', "nul": "a\0b", "half": "\ud800"}),
    (("other",), "", {}),
]
FILTERS = [
    {"n": 2},
    {"n": {"$ne": 2}},
    {"list": [1, {"deep": None}]},
    {"absent": None},
    {"content": "a plain text", "n": None},
]


class Clock:
    """The time that TTLs are counted by."""

    at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(me, clock):
    return DiaryStore(me, now=clock)


def seen(items):
    return sorted([item.namespace, item.key, str(item.value)] for item in items)


async def filled(store):
    for namespace, key, value in ITEMS:
        await store.aput(namespace, key, {"first": "version"})
        await store.aput(namespace, key, value)
    return store


async def test_it_answers_as_the_store_of_langgraph_does(store):
    reference = await filled(InMemoryStore())
    await filled(store)
    for namespace, key, value in ITEMS:
        item = await store.aget(namespace, key)
        assert (item.namespace, item.key, item.value) == (namespace, key, value)
        assert item.created_at < item.updated_at
    for prefix in ((), ("docs",), A, B, ("docs", "b"), ("other",), ("nowhere",), ("docs", "z")):
        assert seen(await store.asearch(prefix)) == seen(await reference.asearch(prefix)), prefix
        for each in FILTERS:
            assert seen(await store.asearch(prefix, filter=each)) == seen(await reference.asearch(prefix, filter=each))
    numbers = {"filter": {"n": {"$gt": 2, "$lte": 3}}}
    assert seen(await store.asearch(B, **numbers)) == seen(await reference.asearch(B, **numbers)) != []
    for asked in (
        {},
        {"prefix": ("docs",)},
        {"suffix": ("c",)},
        {"prefix": ("docs", "*", "c")},
        {"prefix": ("*", "a")},
        {"max_depth": 2},
        {"max_depth": 1, "limit": 1, "offset": 1},
        {"prefix": ("docs",), "suffix": ("a",)},
    ):
        assert await store.alist_namespaces(**asked) == await reference.alist_namespaces(**asked), asked


async def test_items_are_deleted_and_come_back_as_new(store):
    await filled(store)
    await store.adelete(A, "one")
    await store.adelete(A, "never there")
    await store.adelete(("nowhere",), "x")
    assert await store.aget(A, "one") is None
    assert (await store.aget(B, "one")).value["n"] == 3
    await store.aput(A, "one", {"content": "again"})
    assert (await store.aget(A, "one")).value == {"content": "again"}


async def test_a_page_of_a_filtered_search_continues_where_the_one_before_ended(store):
    for number in range(7):
        await store.aput(A, str(number), {"n": number})
    pages = [await store.asearch(A, filter={"n": {"$gte": 2}}, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [[item.value["n"] for item in page] for page in pages] == [[6, 5], [4, 3], [2], []]


async def test_a_search_ranks_by_meaning_and_takes_any_query(store):
    await store.aput(A, "bread", {"content": "Ada likes rye bread"})
    await store.aput(A, "rent", {"content": "The rent is due on Monday"})
    first, *_ = await store.asearch(("docs",), query="which bread?")
    assert first.key == "bread"
    assert 0 < first.score <= 1
    assert await store.asearch(A, query="bread " * 500)
    assert await store.asearch(A, query="  ")


async def test_of_several_operations_reads_come_first_and_the_last_write_counts(store):
    await store.aput(A, "x", {"content": "before"})
    answers = await store.abatch(
        [PutOp(A, "x", {"content": "1"}), GetOp(A, "x"), PutOp(A, "x", {"content": "2"}), GetOp((), "x")]
    )
    assert [answer and answer.value for answer in answers] == [None, {"content": "before"}, None, None]
    assert (await store.aget(A, "x")).value == {"content": "2"}


async def test_many_at_once_make_one_diary_and_one_item(store, me):
    await asyncio.gather(*(store.aput(A, "x", {"n": number}) for number in range(5)))
    assert [diary.name for diary in await me.diaries.list()].count("docs") == 1
    (item,) = await store.asearch(A)
    assert item == await store.aget(A, "x")


async def test_an_item_expires_and_reading_renews_it(store, clock, me):
    await store.aput(A, "x", {"content": "soon gone"}, ttl=10)
    await store.aput(A, "y", {"content": "stays"})
    clock.at += timedelta(minutes=9)
    assert await store.aget(A, "x", refresh_ttl=False)
    assert len(await store.asearch(A)) == 2  # which renews it
    clock.at += timedelta(minutes=9)
    assert await store.aget(A, "x")
    clock.at += timedelta(minutes=10)
    assert [item.key for item in await store.asearch(A)] == ["y"]
    assert await store.aget(A, "x") is None
    assert [hit.entry.content for hit in (await me.diary.search()).hits] == ["stays"]


async def test_settings_for_ttls_are_langgraphs(me, clock):
    store = DiaryStore(me, now=clock, ttl={"default_ttl": 10, "refresh_on_read": False})
    await store.aput(A, "x", {"content": "soon gone"})
    await store.aput(A, "y", {"content": "stays"}, ttl=None)
    clock.at += timedelta(minutes=9)
    assert await store.aget(A, "x")
    clock.at += timedelta(minutes=1)
    assert await store.aget(A, "x") is None
    assert await store.aget(A, "y")


async def test_a_diary_that_was_deleted_is_made_again(store, me):
    await store.aput(A, "x", {"content": "1"})
    await me.diaries.delete(next(diary.id for diary in await me.diaries.list() if diary.name == "docs"))
    assert await store.aget(A, "x") is None
    assert await store.asearch(A) == []
    await store.aput(A, "x", {"content": "2"})
    assert (await store.aget(A, "x")).value == {"content": "2"}


async def test_what_cannot_be_stored_is_refused(store):
    for namespace, error in (((), InvalidNamespaceError), (("a.b",), InvalidNamespaceError), (("a",) * 18, ValueError)):
        with pytest.raises(error):
            await store.aput(namespace, "x", {})
    with pytest.raises(Invalid, match="255"):
        await store.aput(A, "x" * 300, {})
    with pytest.raises(Invalid, match="10000"):
        await store.aput(A, "x", {"text": "x" * 10_000})
    with pytest.raises(TypeError):
        await store.aput(A, "x", {"at": datetime(2026, 1, 1, tzinfo=UTC)})
    await store.aput(A, "x", {"n": 1})
    with pytest.raises(ValueError, match=r"\$in"):
        await store.asearch(A, filter={"n": {"$in": [1]}})


async def test_a_shared_diary_is_known_by_each_agents_own_label(moltnet_agent, moltnet_new_agent):
    other = await moltnet_new_agent()
    diary = await moltnet_agent.diaries.create(name="Team")
    share = await moltnet_agent.sharing.share(diary.id, other.keys.public_key.fingerprint, role=ShareRole.WRITER)
    await other.sharing.accept(share.id)
    mine = DiaryStore(moltnet_agent, diaries={"team": diary.id})
    theirs = DiaryStore(other, diaries={"project": diary.id})
    await mine.aput(("team", "facts"), "x", {"content": "shared"})
    await moltnet_agent.diary.create(diary.id, content="written by hand")
    assert (await theirs.aget(("project", "facts"), "x")).value == {"content": "shared"}
    assert {item.value["content"] for item in await theirs.asearch(("project",))} == {"shared", "written by hand"}
    assert await theirs.alist_namespaces() == [("project", "facts")]


def test_without_await():
    with blocking.MoltNet.in_memory() as network:
        store = DiaryStore(network.genesis())
        store.put(A, "x", {"content": "1"})
        assert store.get(A, "x").value == {"content": "1"}
        assert [item.key for item in store.search(("docs",), query="1")] == ["x"]
        assert store.list_namespaces() == [A]
        store.delete(A, "x")
        assert store.get(A, "x") is None


async def test_an_outage_is_raised_and_passes(store, me):
    await store.aput(A, "x", {"content": "1"})
    with outage(me), pytest.raises(Exception, match="cannot be reached"):
        await store.aget(A, "x")
    assert await store.aget(A, "x")
