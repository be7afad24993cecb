"""Google's Agent Development Kit: a memory service over a diary, and an agent's tools."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
from google.adk.events import Event
from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions import Session
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from moltnet.domain.entries import TITLE_MAX, EntryType, NewEntry
from moltnet.domain.errors import NotFound
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.domain.search import Hit
from moltnet.domain.text import IfDuplicate
from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.named_entries import pieces, tag_of
from moltnet.entrypoints.integrations.recall import recalled, unless_unavailable
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools
from moltnet.entrypoints.library.diaries import DEFAULT, diary_id

RESULTS = 10
_IMPORTANCE = 3
_BY = " in "


class DiaryMemoryService(BaseMemoryService):
    """Events of sessions as entries of one diary, each user's apart from the others' by a tag.

    What is added a second time is not stored again. While the network is away nothing is found and nothing is stored,
    which is logged: the session still has its events, to be added later.
    """

    def __init__(self, agent: AnyAgent, *, diary: str = DEFAULT, results: int = RESULTS) -> None:
        """A service over a diary: its id, the name of one of the agent's own, or `default`."""
        self._bound = LoopBound.of(agent)
        self._diary = diary
        self._results = results

    async def add_session_to_memory(self, session: Session) -> None:
        """Stores what was said in a session."""
        await self.add_events_to_memory(
            app_name=session.app_name, user_id=session.user_id, events=session.events, session_id=session.id
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,  # noqa: ARG002  # ADK's
    ) -> None:
        """Stores what was said in some events; what has no text is passed over."""
        said = [
            _entry(text, f"{event.author}{_BY}{app_name}/{user_id}/{session_id or ''}", event.timestamp)
            for event in events
            for text in pieces(_text(event.content))
        ]
        await self._store(said, app_name, user_id)

    async def add_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        memories: Sequence[MemoryEntry],
        custom_metadata: Mapping[str, object] | None = None,  # noqa: ARG002  # ADK's
    ) -> None:
        """Stores memories as facts."""
        facts = [
            NewEntry(content=text, title=memory.author) for memory in memories for text in pieces(_text(memory.content))
        ]
        await self._store(facts, app_name, user_id)

    async def search_memory(self, *, app_name: str, user_id: str, query: str) -> SearchMemoryResponse:
        """A user's memories that are nearest to a query, the best first."""
        hits = await self._bound.awaited(
            recalled(
                self._bound.agent,
                query,
                diary=self._diary,
                limit=self._results,
                tags=[_user_tag(app_name, user_id)],
            )
        )
        return SearchMemoryResponse(memories=[_memory(hit) for hit in hits])

    async def delete_memory(self, *, app_name: str, user_id: str, memory_id: str | None = None) -> None:
        """Deletes a memory of a user's, by the id that a search told; another user's stays."""
        entry_id = parse_uuid(memory_id or "")
        if entry_id is not None:
            await self._bound.awaited(self._delete(EntryId(entry_id), _user_tag(app_name, user_id)))

    async def _store(self, new: list[NewEntry], app_name: str, user_id: str) -> None:
        async def store() -> None:
            agent = self._bound.agent
            diary = await diary_id(agent, self._diary)
            for each in new:
                await agent.diary.keep(diary, attrs.evolve(each, tags=(_user_tag(app_name, user_id),)))

        await unless_unavailable(self._bound.awaited(store()), None, "Storing memories")

    async def _delete(self, entry_id: EntryId, tag: str) -> None:
        agent = self._bound.agent
        diary = await diary_id(agent, self._diary)
        try:
            entry = await agent.diary.get(diary, entry_id)
            if tag in (entry.tags or ()):
                await agent.diary.delete(diary, entry_id)
        except NotFound:
            return


class AdkTool(BaseTool):
    """One tool of one agent."""

    def __init__(self, tool: AgentTool) -> None:
        super().__init__(name=tool.name, description=tool.description)
        self._tool = tool

    def _get_declaration(self) -> types.FunctionDeclaration:
        return types.FunctionDeclaration(
            name=self.name, description=self.description, parameters_json_schema=self._tool.parameters
        )

    async def run_async(self, *, args: dict[str, Any], tool_context: ToolContext) -> Any:  # noqa: ARG002  # ADK's
        """The JSON text that a model is answered."""
        return await self._tool.call(args)


def adk_tools(agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS) -> list[BaseTool]:
    """An agent's tools."""
    return [AdkTool(each) for each in agent_tools(agent, names)]


def _entry(text: str, title: str, timestamp: float) -> NewEntry:
    # The title tells users and sessions apart: the same words at the same moment are not a repetition then.
    at = datetime.fromtimestamp(timestamp, UTC)
    return NewEntry(
        content=text,
        title=title[:TITLE_MAX],
        importance=_IMPORTANCE,
        entry_type=EntryType.EPISODIC,
        occurred_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        if_duplicate=IfDuplicate.RETURN,
    )


def _text(content: types.Content | None) -> str:
    return " ".join(part.text for part in (content and content.parts) or () if part.text).strip()


def _memory(hit: Hit) -> MemoryEntry:
    entry = hit.entry
    return MemoryEntry(
        id=str(entry.id),
        content=types.Content(role="user", parts=[types.Part(text=entry.content)]),
        author=(entry.title or "").partition(_BY)[0] or None,
        timestamp=entry.happened_at.isoformat(),
    )


def _user_tag(app_name: str, user_id: str) -> str:
    return tag_of("adk-user", f"{app_name}\n{user_id}")
