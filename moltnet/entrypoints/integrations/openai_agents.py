"""OpenAI Agents SDK: a session whose conversation lies in a diary, and an agent's tools."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from agents import FunctionTool, Tool, TResponseInputItem
from agents.memory import SessionABC, SessionSettings
from agents.tool_context import ToolContext

from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.recall import unless_unavailable
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools
from moltnet.entrypoints.integrations.transcripts import NewItem, Transcript
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.diaries import DEFAULT, diary_id


class DiarySession(SessionABC):
    """A conversation that outlives its process, and can be searched.

    While the network is away a run goes on with what this object has seen since; items wait here, and are stored with
    the next ones. An item is stored once, however often that is tried.
    """

    def __init__(
        self, session_id: str, agent: AnyAgent, *, diary: str = DEFAULT, session_settings: SessionSettings | None = None
    ) -> None:
        """The session of this id in a diary: its id, the name of one of the agent's own, or `default`."""
        self.session_id = session_id
        self.session_settings = session_settings
        self._bound = LoopBound.of(agent)
        self._diary = diary
        self._unsaved: list[NewItem] = []
        self._one_by_one = asyncio.Lock()

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The last items, the oldest of them first; without a limit, that of the settings or all."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        async with self._one_by_one:
            stored: list[Any] = await unless_unavailable(self._on_loop(_read, limit), [], "Reading the session")
            items = [*stored, *(item.value for item in self._unsaved)]
            return items if limit is None else items[max(len(items) - limit, 0) :]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Stores items in their order, after those that could not be stored before."""
        async with self._one_by_one:
            self._unsaved += [NewItem(dict(item)) for item in items]
            await unless_unavailable(self._on_loop(_add, self._unsaved), None, "Storing the session")

    async def pop_item(self) -> TResponseInputItem | None:
        """Removes the last item and returns it."""
        async with self._one_by_one:
            popped: Any = self._unsaved.pop().value if self._unsaved else await self._on_loop(_pop, None)
            return popped if popped is None else dict(popped)  # type: ignore[return-value]  # what was added

    async def clear_session(self) -> None:
        """Removes all items."""
        async with self._one_by_one:
            self._unsaved.clear()
            await self._on_loop(_clear, None)

    async def _on_loop(self, do: Any, argument: Any) -> Any:
        async def run(agent: Agent) -> Any:
            return await do(Transcript(agent, await diary_id(agent, self._diary), self.session_id), argument)

        return await self._bound.awaited(run(self._bound.agent))


def openai_tools(agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS) -> list[Tool]:
    """An agent's tools."""
    return [_tool(each) for each in agent_tools(agent, names)]


def _tool(tool: AgentTool) -> FunctionTool:
    async def invoke(_: ToolContext[Any], arguments: str) -> str:
        read = json.loads(arguments or "{}")
        return await tool.call(read if isinstance(read, dict) else {})

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.parameters,
        on_invoke_tool=invoke,
        strict_json_schema=False,  # which would make every argument required
    )


async def _read(transcript: Transcript, limit: int | None) -> list[Any]:
    return await transcript.read(limit)


async def _add(transcript: Transcript, items: list[NewItem]) -> None:
    while items:
        await transcript.add(items[0])
        items.pop(0)


async def _pop(transcript: Transcript, _: None) -> Any:
    return await transcript.pop()


async def _clear(transcript: Transcript, _: None) -> None:
    await transcript.clear()
