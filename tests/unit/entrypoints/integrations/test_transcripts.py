"""Conversations in a diary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet import NetworkError
from moltnet.entrypoints.integrations.stored_items import json_text
from moltnet.entrypoints.integrations.transcripts import NewItem, Transcript
from moltnet.testing import outage


@pytest.fixture
async def conversation(moltnet_agent):
    diary, *_ = await moltnet_agent.diaries.list()
    return lambda name="one": Transcript(moltnet_agent, diary.id, name)


async def test_items_come_back_in_their_order(conversation):
    for number in range(5):
        await conversation().add(NewItem({"number": number}))
    await conversation("another").add(NewItem({"number": 99}))
    assert await conversation().read() == [{"number": number} for number in range(5)]
    assert await conversation().read(2) == [{"number": 3}, {"number": 4}]
    assert await conversation().read(0) == []


async def test_items_of_any_text_and_length_come_back_exactly(conversation):
    texts = ["x" * 25_000, " " * 9_990 + "\n  ", "nul \0 and half \ud800 a pair", "{", "日本語"]
    items = [{"text": text} for text in texts]
    for item in items:
        await conversation().add(NewItem(item))
    assert await conversation().read() == items
    assert [await conversation().pop() for _ in range(6)] == [*items[::-1], None]


async def test_an_item_that_is_sent_twice_is_stored_once(conversation):
    item = NewItem({"text": "once"})
    await conversation().add(item)
    await conversation().add(item)
    assert await conversation().read() == [{"text": "once"}]


async def test_an_item_that_was_stored_in_part_does_not_count(conversation, moltnet_agent):
    item = NewItem({"text": "x" * 15_000})
    await conversation().add(item)
    await conversation().add(NewItem({"text": "y"}))
    entries, _ = await moltnet_agent.diary.list((await moltnet_agent.diaries.list())[0].id)
    await moltnet_agent.diary.delete(entries[1].diary_id, entries[1].id)
    assert await conversation().read() == [{"text": "y"}]


async def test_clearing_leaves_other_conversations(conversation):
    await conversation().add(NewItem({"text": "mine"}))
    await conversation("another").add(NewItem({"text": "theirs"}))
    await conversation().clear()
    assert await conversation().read() == []
    assert await conversation("another").read() == [{"text": "theirs"}]


async def test_an_outage_is_raised(conversation, moltnet_agent):
    with outage(moltnet_agent), pytest.raises(NetworkError):
        await conversation().add(NewItem({}))


@given(st.dictionaries(st.text(), st.text() | st.none() | st.integers()))
def test_json_is_storable_whatever_it_holds(value):
    text = json_text(value)
    assert "\0" not in text
    text.encode()
