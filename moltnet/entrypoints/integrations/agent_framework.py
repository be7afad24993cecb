"""Microsoft Agent Framework: a context provider over a diary, and an agent's tools."""

from collections.abc import Iterable, Sequence
from typing import Any

from agent_framework import (
    AgentSession,
    ContextProvider,
    FunctionTool,
    Message,
    SessionContext,
    SupportsAgentRun,
)

from moltnet.domain.entries import EntryType
from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.named_entries import pieces
from moltnet.entrypoints.integrations.recall import context_of, recalled, unless_unavailable
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools
from moltnet.entrypoints.library.diaries import DEFAULT, diary_id

SOURCE_ID = "moltnet"
RESULTS = 5
_IMPORTANCE = 3
_TAGS = ("conversation",)


class DiaryContextProvider(ContextProvider):
    """Shows the model what the diary says about the user's question, and stores what was said in the end.

    While the network is away the agent answers without memories, and the turn is not stored, which is logged.
    """

    def __init__(
        self, agent: AnyAgent, *, diary: str = DEFAULT, results: int = RESULTS, source_id: str = SOURCE_ID
    ) -> None:
        """A provider over a diary: its id, the name of one of the agent's own, or `default`."""
        super().__init__(source_id)
        self._bound = LoopBound.of(agent)
        self._diary = diary
        self._results = results

    async def before_run(
        self,
        *,
        agent: SupportsAgentRun,  # noqa: ARG002  # the framework's
        session: AgentSession,  # noqa: ARG002
        context: SessionContext,
        state: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Adds the nearest memories to the context, as a message of the user's."""
        query = _said(context.input_messages)
        hits = await self._bound.awaited(recalled(self._bound.agent, query, diary=self._diary, limit=self._results))
        if hits:
            context.extend_messages(self, [Message("user", [context_of(hits)])])

    async def after_run(
        self,
        *,
        agent: SupportsAgentRun,  # noqa: ARG002  # the framework's
        session: AgentSession,  # noqa: ARG002
        context: SessionContext,
        state: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Stores question and answer as one memory of what happened."""
        answer = context.response.messages if context.response else []
        said = _said([*context.input_messages, *answer])
        await unless_unavailable(self._bound.awaited(self._store(said)), None, "Storing the conversation")

    async def _store(self, said: str) -> None:
        entries = self._bound.agent.diary
        diary = await diary_id(self._bound.agent, self._diary)
        for piece in pieces(said):
            await entries.create(
                diary, content=piece, tags=_TAGS, importance=_IMPORTANCE, entry_type=EntryType.EPISODIC
            )


def agent_framework_tools(agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS) -> list[FunctionTool]:
    """An agent's tools."""
    return [_tool(each) for each in agent_tools(agent, names)]


def _tool(tool: AgentTool) -> FunctionTool:
    async def call(**arguments: Any) -> str:
        return await tool.call(arguments)

    return FunctionTool(name=tool.name, description=tool.description, func=call, input_model=tool.parameters)


def _said(messages: Sequence[Message]) -> str:
    return "\n".join(f"{message.role}: {message.text}" for message in messages if message.text.strip())
