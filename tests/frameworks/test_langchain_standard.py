"""LangChain's own standard tests for retrievers and tools."""

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from moltnet import blocking
from moltnet.integrations import DiaryRetriever, langchain_tools


@pytest.fixture(scope="module", autouse=True)
def network():
    """One for all of them."""
    with blocking.MoltNet.in_memory() as network:
        agent = network.genesis()
        diary, *_ = agent.diaries.list()
        for number in range(4):
            agent.diary.create(diary.id, content=f"Ada likes bread number {number}")
        _Agent.agent = agent
        yield


class _Agent:
    agent = None


class TestRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self):
        return DiaryRetriever

    @property
    def retriever_constructor_params(self):
        return {"agent": _Agent.agent}

    @property
    def retriever_query_example(self):
        return "bread"


class _Search:
    @property
    def tool_constructor(self):
        return next(tool for tool in langchain_tools(_Agent.agent) if tool.name == "diary_search")

    @property
    def tool_invoke_params_example(self):
        return {"query": "bread"}


class TestToolDeclared(_Search, ToolsUnitTests):
    pass


class TestToolCalled(_Search, ToolsIntegrationTests):
    pass
