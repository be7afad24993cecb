"""LangChain: a retriever over diaries, and an agent's tools."""

from collections.abc import Iterable
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import ConfigDict, PrivateAttr

from moltnet.domain.search import Hit
from moltnet.entrypoints.integrations.loops import AnyAgent, LoopBound
from moltnet.entrypoints.integrations.recall import recalled
from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools

RESULTS = 5


class DiaryRetriever(BaseRetriever):
    """Documents from an agent's diaries, or from one of them, the best first; none while the network is away.

    Attributes:
        agent: of `moltnet`, or of `moltnet.blocking` for `invoke`.
        diary: a diary's id, the name of one's own or `default`; None searches all, shared ones included.
        k: how many documents at most, 1 to 100.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    agent: Any
    diary: str | None = None
    k: int = RESULTS
    _bound: LoopBound = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Notes which event loop the agent belongs to."""
        super().model_post_init(context)
        self._bound = LoopBound.of(self.agent)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  # LangChain's
        **options: Any,
    ) -> list[Document]:
        return self._bound.result(self._documents(query, options.get("k", self.k)))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002  # LangChain's
        **options: Any,
    ) -> list[Document]:
        return await self._bound.awaited(self._documents(query, options.get("k", self.k)))

    async def _documents(self, query: str, k: int) -> list[Document]:
        return [_document(hit) for hit in await recalled(self._bound.agent, query, diary=self.diary, limit=k)]


def langchain_tools(agent: AnyAgent, names: Iterable[str] = MEMORY_TOOLS) -> list[BaseTool]:
    """An agent's tools; with an agent of `moltnet.blocking` they can be invoked without `await`, too."""
    return [_tool(each) for each in agent_tools(agent, names)]


def _tool(tool: AgentTool) -> BaseTool:
    async def call(**arguments: Any) -> str:
        return await tool.call(arguments)

    def call_and_wait(**arguments: Any) -> str:
        return tool.call_and_wait(arguments)

    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.parameters,
        coroutine=call,
        func=call_and_wait,
    )


def _document(hit: Hit) -> Document:
    entry = hit.entry
    metadata = {
        "diary_id": str(entry.diary_id),
        "title": entry.title,
        "tags": list(entry.tags or ()),
        "entry_type": str(entry.entry_type),
        "importance": entry.importance,
        "happened_at": entry.happened_at.isoformat(),
        "author": entry.author.fingerprint.text if entry.author else None,
        "score": hit.score,
    }
    return Document(id=str(entry.id), page_content=entry.content, metadata=metadata)
