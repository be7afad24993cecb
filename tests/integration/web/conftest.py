"""A server with pages over a network in memory, and what a browser asks with."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.domain.caller import Limits
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.web.mount import mount_web
from moltnet.entrypoints.web.routing import WebOptions
from tests.support.networks import SETTINGS, UNTHROTTLED, in_memory, services_on
from tests.support.web_story import Story, told_in

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@attrs.frozen(kw_only=True)
class Pages:
    """A server with pages, and the network behind it."""

    http: TestClient[Any, Any]
    services: Services
    url: str

    @property
    def network(self) -> MoltNet:
        """The network, to let agents in."""
        return MoltNet(self.services, NetworkUrls(api_url=self.url))

    async def get(self, path: str, status: int = 200) -> str:
        """The text of a page, as a browser gets it."""
        async with self.http.get(path, headers=HTML) as answer:
            assert answer.status == status, (path, await answer.text())
            return await answer.text()

    async def post(self, path: str, **fields: str) -> str:
        """The page that answers a form, as a browser sends it."""
        headers = {**HTML, "Origin": self.url}
        lines = {name: value.replace("\n", "\r\n") for name, value in fields.items()}
        async with self.http.post(path, data=lines, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()


@asynccontextmanager
async def served(limits: Limits = UNTHROTTLED) -> AsyncIterator[Pages]:
    """A server that is empty but for what the test puts there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = attrs.evolve(SETTINGS, rate_limits=limits)
        async with services_on(in_memory(), url, settings) as services:
            app = create_app(services, RestOptions(api_url=url, cors_origins=frozenset({url})))
            mount_web(app, WebOptions(urls=NetworkUrls(api_url=url)))
            server = TestServer(app, socket_factory=lambda *_: listening)
            async with TestClient(server) as http:
                yield Pages(http=http, services=services, url=url)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    """A server without any limits on requests."""
    async with served() as pages:
        yield pages


@pytest.fixture
async def story(pages: Pages) -> Story:
    """What there is to look at."""
    return await told_in(pages.network)
