"""Every example, run with its framework, and what happens to it while the network is away."""

import inspect

import pytest

from examples import (
    agent_framework_context,
    anthropic_memory,
    google_adk_memory,
    langchain_retriever,
    langgraph_store,
    openai_agents_session,
    pydantic_ai_tools,
)
from moltnet import NetworkError
from moltnet.testing import outage
from tests.frameworks.scripts import (
    Script,
    adk_model,
    agent_framework_client,
    anthropic_client,
    langchain_model,
    openai_model,
    pydantic_ai_model,
)

BREAD = "Ada likes rye bread"
REMEMBER = ("diary_create", {"diary_ref": "default", "content": BREAD})
SEARCH = ("diary_search", {"query": "bread"})


async def contents(me):
    return [hit.entry.content for hit in (await me.diary.search()).hits]


async def test_langgraph_finds_what_an_earlier_run_stored(me):
    script = Script(["Noted.", "Rye."])
    assert await langgraph_store.chat(me, langchain_model(script), "I like rye bread") == "Noted."
    assert await langgraph_store.chat(me, langchain_model(script), "Which bread do I like?") == "Rye."
    assert "What you know of Ada: I like rye bread" in script.seen[1]


async def test_langgraph_distinguishes_an_outage_from_an_empty_store(me):
    with outage(me), pytest.raises(NetworkError):
        await langgraph_store.chat(me, langchain_model(Script(["never said"])), "Which bread do I like?")


async def test_langchain_answers_from_the_diary_and_without_it(me):
    diary, *_ = await me.diaries.list()
    await me.diary.create(diary.id, content=BREAD)
    script = Script(["Rye.", "I do not know."])
    assert await langchain_retriever.ask(me, langchain_model(script), "Which bread does Ada like?") == "Rye."
    assert BREAD in script.seen[0]
    with outage(me):
        answer = await langchain_retriever.ask(me, langchain_model(script), "Which bread does Ada like?")
    assert answer == "I do not know."


async def test_openai_agents_continue_a_session_and_use_tools(me):
    script = Script([REMEMBER, "Noted.", SEARCH, "Rye."])
    assert await openai_agents_session.talk(me, openai_model(script), "Ada likes rye bread") == "Noted."
    assert await openai_agents_session.talk(me, openai_model(script), "Which bread?") == "Rye."
    assert "Memory saved" in script.seen[1]
    assert "Noted." in script.seen[2]
    assert "confident" in script.seen[3]


async def test_openai_agents_go_on_while_the_network_is_away(me):
    script = Script([SEARCH, "I cannot look it up now."])
    with outage(me):
        answer = await openai_agents_session.talk(me, openai_model(script), "Which bread?")
    assert answer == "I cannot look it up now."
    assert "UPSTREAM_ERROR" in script.seen[1]


async def test_pydantic_ai_uses_tools_and_goes_on_without(me):
    script = Script([REMEMBER, SEARCH, "Rye.", SEARCH, "I cannot look it up now."])
    assert await pydantic_ai_tools.ask(me, pydantic_ai_model(script), "Which bread?") == "Rye."
    assert BREAD in script.seen[2]
    with outage(me):
        answer = await pydantic_ai_tools.ask(me, pydantic_ai_model(script), "Which bread?")
    assert answer == "I cannot look it up now."
    assert "UPSTREAM_ERROR" in script.seen[4]


async def test_google_adk_remembers_a_session_and_goes_on_without(me):
    load = ("load_memory", {"query": "nuts"})
    script = Script(["Noted.", load, "Nuts.", load, "I cannot look it up now."])
    assert await google_adk_memory.talk(me, adk_model(script), "I am allergic to nuts") == "Noted."
    assert await google_adk_memory.talk(me, adk_model(script), "What must I avoid?") == "Nuts."
    assert "I am allergic to nuts" in script.seen[2]
    with outage(me):
        assert await google_adk_memory.talk(me, adk_model(script), "And now?") == "I cannot look it up now."
    assert "I am allergic to nuts" not in script.seen[4]


async def test_agent_framework_is_shown_memories_and_goes_on_without(me):
    script = Script(["Noted.", SEARCH, "Rye.", "I do not know."])
    assert await agent_framework_context.ask(me, agent_framework_client(script), "Ada likes rye bread") == "Noted."
    assert await agent_framework_context.ask(me, agent_framework_client(script), "Which bread?") == "Rye."
    assert "From your memory" in script.seen[1]
    assert "user: Ada likes rye bread" in script.seen[1]
    with outage(me):
        assert await agent_framework_context.ask(me, agent_framework_client(script), "Which?") == "I do not know."
    assert "From your memory" not in script.seen[3]


async def test_anthropic_reads_and_writes_its_files_and_goes_on_without(me):
    create = {"command": "create", "path": "/memories/ada.md", "file_text": BREAD}
    view = {"command": "view", "path": "/memories/ada.md"}
    script = Script([("memory", create), ("memory", view), "Rye.", ("memory", view), "I cannot look it up now."])
    assert await anthropic_memory.ask(me, anthropic_client(script), "scripted", "Which bread?") == "Rye."
    assert BREAD in script.seen[2].split("tool_result")[-1]
    assert await contents(me) == [BREAD]
    with outage(me):
        answer = await anthropic_memory.ask(me, anthropic_client(script), "scripted", "Which bread?")
    assert answer == "I cannot look it up now."
    assert "The network cannot be reached" in script.seen[4]


def test_an_example_fits_a_screen():
    modules = [
        agent_framework_context,
        anthropic_memory,
        google_adk_memory,
        langchain_retriever,
        langgraph_store,
        openai_agents_session,
        pydantic_ai_tools,
    ]
    for module in modules:
        assert len(inspect.getsource(module).splitlines()) <= 40, module.__name__
