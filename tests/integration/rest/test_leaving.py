"""Clients that leave while their text waits for the embedding model."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from threading import Event

import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.embedding import MemoryEmbedder, _vector
from moltnet.adapters.onnx.scheduling import Scheduler
from moltnet.domain.indexing import Vector
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import SERVICES
from tests.integration.rest.conftest import RestNetwork
from tests.integration.rest.members import RestMember
from tests.support.live_server import until
from tests.support.networks import in_memory, services_on

TIMEOUT_S = 30


class SlowEmbedder(MemoryEmbedder):
    """One thread, which stays with the first text until it is let go on."""

    def __init__(self) -> None:
        self.go_on, self.begun = Event(), Event()
        self.computed: list[str] = []
        self.scheduler = Scheduler(self._compute, threads=1)

    def _compute(self, text: str) -> Vector:
        self.computed.append(text)
        self.begun.set()
        assert self.go_on.wait(TIMEOUT_S)
        return _vector(text)

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        return await self.scheduler.passages(texts, asker)


@pytest.fixture
async def embedder() -> AsyncIterator[SlowEmbedder]:
    slow = SlowEmbedder()
    yield slow
    slow.go_on.set()
    await slow.scheduler.close()


@pytest.fixture
async def server(embedder: SlowEmbedder) -> AsyncIterator[TestServer]:
    async with services_on(in_memory(embedder)) as services, TestServer(create_app(services)) as server:
        server.runner.server.handler_cancellation = False  # as where the network is served; the test server differs
        yield server


@pytest.fixture
async def ada(server: TestServer) -> AsyncIterator[RestMember]:
    async with TestClient(server) as http:
        network = RestNetwork(http=http, services=server.app[SERVICES])
        yield await network.member()


async def test_text_of_a_client_that_has_left_is_neither_embedded_nor_stored(server, ada, embedder):
    diary = await ada.diary()
    path = f"/diaries/{diary}/entries"
    first = asyncio.create_task(ada.ask("POST", path, {"content": "first"}))
    await until(embedder.begun.is_set)
    writer = await sent(server, path, ada.token, {"content": "left behind"})
    waiting = embedder.scheduler._passages._waiting
    await until(lambda: waiting.total() == 1)
    (calls,) = embedder.scheduler._passages._calls.values()
    writer.close()
    await until(lambda: not calls[0].is_awaited())
    embedder.go_on.set()

    assert (await first).status == 201
    assert (await ada.ask("POST", path, {"content": "last"})).status == 201
    assert embedder.computed == ["first", "last"]
    listed = (await ada.ask("GET", path)).json["items"]
    assert [entry["content"] for entry in listed] == ["last", "first"]


async def sent(server: TestServer, path: str, token: str, body: dict[str, str]) -> asyncio.StreamWriter:
    """A request on a connection of its own, whose answer nobody reads."""
    _, writer = await asyncio.open_connection(server.host, server.port)
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {server.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    return writer
