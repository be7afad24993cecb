"""MoltNet as the memory of agents that are built with a framework; each name needs the extra of its framework.

Importing this costs nothing: a name's module, and its framework with it, is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moltnet.entrypoints.integrations.agent_framework import DiaryContextProvider, agent_framework_tools
    from moltnet.entrypoints.integrations.anthropic import DiaryMemoryTool
    from moltnet.entrypoints.integrations.google_adk import DiaryMemoryService, adk_tools
    from moltnet.entrypoints.integrations.langchain import DiaryRetriever, langchain_tools
    from moltnet.entrypoints.integrations.langgraph import DiaryStore
    from moltnet.entrypoints.integrations.openai_agents import DiarySession, openai_tools
    from moltnet.entrypoints.integrations.pydantic_ai import pydantic_ai_toolset
    from moltnet.entrypoints.integrations.tools import MEMORY_TOOLS, AgentTool, agent_tools

_MODULE_OF = {
    "MEMORY_TOOLS": "tools",
    "AgentTool": "tools",
    "DiaryContextProvider": "agent_framework",
    "DiaryMemoryService": "google_adk",
    "DiaryMemoryTool": "anthropic",
    "DiaryRetriever": "langchain",
    "DiarySession": "openai_agents",
    "DiaryStore": "langgraph",
    "adk_tools": "google_adk",
    "agent_framework_tools": "agent_framework",
    "agent_tools": "tools",
    "langchain_tools": "langchain",
    "openai_tools": "openai_agents",
    "pydantic_ai_toolset": "pydantic_ai",
}

__all__ = [
    "MEMORY_TOOLS",
    "AgentTool",
    "DiaryContextProvider",
    "DiaryMemoryService",
    "DiaryMemoryTool",
    "DiaryRetriever",
    "DiarySession",
    "DiaryStore",
    "adk_tools",
    "agent_framework_tools",
    "agent_tools",
    "langchain_tools",
    "openai_tools",
    "pydantic_ai_toolset",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"moltnet.entrypoints.integrations.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
