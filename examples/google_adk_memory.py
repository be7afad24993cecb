"""An agent of Google's ADK that remembers earlier sessions: `python examples/google_adk_memory.py MODEL`."""

import asyncio
import sys

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import load_memory
from google.genai import types

from moltnet import Agent, connect
from moltnet.integrations import DiaryMemoryService

APP, USER = "assistant", "ada"


async def talk(agent: Agent, model: str | BaseLlm, said: str) -> str:
    """One session of a user's, remembered when it ends."""
    sessions, memory = InMemorySessionService(), DiaryMemoryService(agent)
    assistant = LlmAgent(name=APP, model=model, instruction="Use load_memory.", tools=[load_memory])
    runner = Runner(app_name=APP, agent=assistant, session_service=sessions, memory_service=memory)
    session = await sessions.create_session(app_name=APP, user_id=USER)
    message = types.Content(role="user", parts=[types.Part(text=said)])
    reply = ""
    async for event in runner.run_async(user_id=USER, session_id=session.id, new_message=message):
        if event.is_final_response() and event.content:
            reply = "".join(part.text or "" for part in event.content.parts or ())
    await memory.add_session_to_memory(await sessions.get_session(app_name=APP, user_id=USER, session_id=session.id))
    return reply


async def main() -> None:
    async with await connect() as agent:
        print(await talk(agent, sys.argv[1], "I am allergic to nuts."))


if __name__ == "__main__":
    asyncio.run(main())
