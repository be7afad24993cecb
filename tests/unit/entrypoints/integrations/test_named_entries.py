"""Entries with names: one for each, whoever writes at the same time."""

import asyncio

import pytest

from moltnet import Conflict, Invalid
from moltnet.entrypoints.integrations.named_entries import NamedEntries, tag_of


@pytest.fixture
async def entries(moltnet_agent):
    diary, *_ = await moltnet_agent.diaries.list()
    return NamedEntries(moltnet_agent, diary.id, "file")


async def test_a_name_has_the_content_that_was_put_last(entries):
    first = await entries.put("a", "1")
    second = await entries.put("a", "2", ["x"])
    assert (second.id, second.content) == (first.id, "2")
    assert set(second.tags) == {"file", tag_of("key", "a"), "x"}
    assert await entries.find("a") == second
    assert await entries.find("A") is None


async def test_of_several_first_writes_at_once_one_entry_is_left(entries):
    await asyncio.gather(*(entries.put("a", str(number)) for number in range(5)))
    (left,) = [entry async for entry in entries.all()]
    assert await entries.find("a") == left
    added = await asyncio.gather(*(entries.add("b", str(number)) for number in range(5)))
    (first,) = filter(None, added)
    assert await entries.find("b") == first


async def test_a_removed_name_is_gone(entries):
    await entries.put("a", "1")
    assert await entries.remove("a")
    assert await entries.find("a") is None
    assert not await entries.remove("a")


async def test_a_revision_is_of_what_was_read(entries):
    read = await entries.put("a", "1")
    await entries.put("a", "2")
    with pytest.raises(Conflict):
        await entries.revise(read, content="3")
    renamed = await entries.revise(await entries.find("a"), name="b")
    assert await entries.find("b") == renamed
    assert await entries.find("a") is None


async def test_a_name_that_no_title_holds_is_refused(entries):
    for name in ("", "x" * 256, "a\0b", "\ud800"):
        with pytest.raises(Invalid):
            await entries.put(name, "1")


async def test_a_name_is_exactly_itself(entries):
    names = [" a ", "a", "e\u0301", "é", "a..b", "/x/y", "名前", "x" * 255, f"{'x' * 254}!"]
    for name in names:
        await entries.put(name, f"of {name}")
    assert [(await entries.find(name)).content for name in names] == [f"of {name}" for name in names]


async def test_entries_without_the_mark_are_nobodys(entries, moltnet_agent):
    diary, *_ = await moltnet_agent.diaries.list()
    await moltnet_agent.diary.create(diary.id, title="a", content="1")
    assert await entries.find("a") is None


async def test_more_than_a_page_is_read_to_its_end(entries):
    for number in range(101):
        await entries.put(str(number), "1")
    assert len({entry.title async for entry in entries.all()}) == 101
