"""Agents over HTTP, with time and chance of their own."""

import asyncio
import time
from collections.abc import Callable

from moltnet.adapters.http.agent import HttpConnection
from moltnet.adapters.http.rest_client import Sleep
from moltnet.domain.credentials import ClientSecret
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.ports.keys import KeyPair


def http_agent(
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keys: KeyPair | None = None,
    sleep: Sleep = asyncio.sleep,
    now: Callable[[], float] = time.monotonic,
) -> RemoteAgent:
    """An agent of the network at an address."""
    return RemoteAgent(HttpConnection(api_url, credentials, sleep=sleep, now=now), keys=keys)
