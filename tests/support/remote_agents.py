"""Agents over HTTP, with time and chance of their own."""

import asyncio
import time
from collections.abc import Callable

from moltnet.adapters.http.agent import HttpConnection
from moltnet.adapters.http.rest_client import Sleep
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.ports.keys import KeyPair, Keyring


def http_agent(  # who, where, and what of its own it has at hand
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keys: KeyPair | None = None,
    keyring: Keyring | None = None,
    agent_id: AgentId | None = None,
    sleep: Sleep = asyncio.sleep,
    now: Callable[[], float] = time.monotonic,
) -> RemoteAgent:
    """An agent of the network at an address."""
    connection = HttpConnection(api_url, credentials, keyring=keyring, agent_id=agent_id, sleep=sleep, now=now)
    return RemoteAgent(connection, keys=keys)


async def no_pause(_seconds: float) -> None:
    """Lets others run, but waits for no time."""
    await asyncio.sleep(0)
