"""Tests with the real frameworks, in an environment that has them: `make test-integrations`.

Elsewhere none of them is collected.
"""

import os
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from moltnet.entrypoints.container.remote import key_pair_of
from moltnet.entrypoints.library.agent import LocalAgent, RemoteAgent
from moltnet.entrypoints.library.network import MoltNet
from tests.support.networks import in_memory
from tests.support.remote_agents import http_agent
from tests.support.worlds import Served, served

# None of them sends anything about what it does here.
os.environ |= {"OPENAI_AGENTS_DISABLE_TRACING": "1", "LANGSMITH_TRACING": "false"}
collect_ignore_glob = [] if find_spec("langgraph") else ["test_*.py"]


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    """A network in memory behind a real socket."""
    async with served(in_memory()) as network:
        yield network


@pytest.fixture(params=["library", "http"])
async def me(request: pytest.FixtureRequest) -> AsyncIterator[LocalAgent | RemoteAgent]:
    """An agent of a network in this process, and one over HTTP."""
    if request.param == "library":
        async with MoltNet.in_memory() as network:
            yield await network.genesis()
        return
    async with served(in_memory()) as server, await over_http(server) as agent:
        yield agent


async def over_http(server: Served) -> RemoteAgent:
    """A new agent of a served network, which speaks REST."""
    identity = (await server.network.genesis()).identity
    assert identity
    return http_agent(server.url, identity.credentials, keys=key_pair_of(identity.private_key))
