"""What the examples do not show: sessions and memory services with all their methods."""

import asyncio

import pytest
from agents import Agent as OpenAIAgent
from agents import Runner
from agents.memory import SessionSettings
from google.adk.events import Event
from google.adk.memory.memory_entry import MemoryEntry
from google.genai import types
from pydantic_ai import Agent as PydanticAgent

from moltnet import NetworkError, ShareRole
from moltnet.integrations import (
    DiaryMemoryService,
    DiarySession,
    DiaryStore,
    openai_tools,
    pydantic_ai_toolset,
)
from moltnet.testing import outage
from tests.frameworks.scripts import Script, openai_model, pydantic_ai_model

WHO = {"app_name": "assistant", "user_id": "ada"}
OTHER = {"app_name": "assistant", "user_id": "bob"}


def said(text, at=1_760_000_000.5, author="user"):
    content = types.Content(role="user", parts=[types.Part(text=text)])
    return Event(author=author, content=content, timestamp=at, invocation_id="1")


async def found(service, who, query):
    return (await service.search_memory(**who, query=query)).memories


async def test_a_session_keeps_its_items_over_processes_and_apart_from_others(me):
    items = [{"role": "user", "content": str(number)} for number in range(5)]
    await DiarySession("one", me).add_items(items)
    await DiarySession("two", me).add_items([{"role": "user", "content": "other"}])
    session = DiarySession("one", me)
    assert await session.get_items() == items
    assert await session.get_items(2) == items[3:]
    assert await DiarySession("one", me, session_settings=SessionSettings(limit=1)).get_items() == items[4:]
    assert await session.pop_item() == items[4]
    await session.clear_session()
    assert await session.get_items() == []
    assert await session.pop_item() is None
    assert len(await DiarySession("two", me).get_items()) == 1


async def test_a_session_stores_after_an_outage_what_it_could_not_store_in_it(me):
    session = DiarySession("one", me)
    first, second, third = [{"role": "user", "content": text} for text in ("first", "second", "third")]
    await session.add_items([first])
    with outage(me):
        await session.add_items([second])
        assert await session.get_items() == [second]
        assert await session.get_items(0) == []
    await session.add_items([third])
    assert await DiarySession("one", me).get_items() == [first, second, third]
    with outage(me):
        await session.add_items([first])
        assert await session.pop_item() == first
        with pytest.raises(NetworkError):
            await session.pop_item()


async def test_turns_at_once_lose_nothing(me):
    session = DiarySession("one", me)
    await asyncio.gather(*(session.add_items([{"role": "user", "content": str(number)}]) for number in range(4)))
    assert {item["content"] for item in await session.get_items()} == {"0", "1", "2", "3"}


async def test_what_is_added_to_memory_again_is_not_stored_again(me):
    service = DiaryMemoryService(me)
    events = [said("I am allergic to nuts"), said("x" * 12_000), said("  "), Event(author="user", invocation_id="1")]
    for _ in range(2):
        await service.add_events_to_memory(**WHO, events=events, session_id="s")
    memories = await found(service, WHO, "nuts")
    assert len(memories) == 3
    assert (memories[0].author, memories[0].timestamp[:19]) == ("user", "2025-10-09T08:53:20")
    assert memories[0].content.parts[0].text == "I am allergic to nuts"


async def test_each_user_has_memories_of_their_own(me):
    service = DiaryMemoryService(me)
    fact = MemoryEntry(content=types.Content(parts=[types.Part(text="Likes tea")]), author="assistant")
    await service.add_memory(**WHO, memories=[fact])
    await service.add_memory(**OTHER, memories=[fact])
    for who in (WHO, OTHER):
        await service.add_events_to_memory(**who, events=[said("Hello")], session_id="s")
    (mine, theirs) = [(await found(service, who, "tea"))[0] for who in (WHO, OTHER)]
    assert mine.id != theirs.id
    await service.delete_memory(**OTHER, memory_id=mine.id)
    await service.delete_memory(**OTHER, memory_id="no id")
    assert mine.id in {memory.id for memory in await found(service, WHO, "tea")}
    await service.delete_memory(**WHO, memory_id=mine.id)
    assert mine.id not in {memory.id for memory in await found(service, WHO, "tea")}
    assert len(await found(service, OTHER, "tea")) == 2


async def test_a_memory_service_goes_on_while_the_network_is_away(me, caplog):
    service = DiaryMemoryService(me)
    with outage(me):
        await service.add_events_to_memory(**WHO, events=[said("Hello")])
        assert await found(service, WHO, "Hello") == []
    assert "Storing memories failed, and the agent goes on without" in caplog.text
    await service.add_events_to_memory(**WHO, events=[said("Hello")])
    assert len(await found(service, WHO, "Hello")) == 1


async def test_agents_of_two_frameworks_share_a_diary(moltnet_agent, moltnet_new_agent):
    """One writes with the OpenAI Agents SDK, the other reads with Pydantic AI, and LangGraph finds it as well."""
    reader = await moltnet_new_agent()
    diary = await moltnet_agent.diaries.create(name="Team")
    share = await moltnet_agent.sharing.share(diary.id, reader.keys.public_key.fingerprint, role=ShareRole.READER)
    await reader.sharing.accept(share.id)
    write = ("diary_create", {"diary_ref": "Team", "content": "The release is on Thursday"})
    writing = Script([write, "Noted."])
    model = openai_model(writing)
    writer = OpenAIAgent(name="Writer", model=model, tools=openai_tools(moltnet_agent))
    await Runner.run(writer, "Remember the release")

    reading = Script([("diary_search", {"query": "When is the release?"}), "On Thursday."])
    asked = PydanticAgent(pydantic_ai_model(reading), toolsets=[pydantic_ai_toolset(reader)])
    assert (await asked.run("When is the release?")).output == "On Thursday."
    assert "The release is on Thursday" in reading.seen[1]
    assert moltnet_agent.keys.public_key.fingerprint.text in reading.seen[1]

    (item,) = await DiaryStore(reader, diaries={"team": diary.id}).asearch(("team",), query="release")
    assert item.value == {"content": "The release is on Thursday"}
