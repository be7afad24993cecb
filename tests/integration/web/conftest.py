"""A server with pages over a network in memory, and what a browser asks with."""

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.web.mount import mount_web
from moltnet.entrypoints.web.options import WebOptions
from tests.support.networks import in_memory, services_on

URL = "http://net.test"
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@attrs.frozen(kw_only=True)
class Pages:
    """A server with pages, and the use cases behind it."""

    http: TestClient[Any, Any]
    services: Services

    async def get(self, path: str, status: int = 200) -> str:
        """The text of a page, as a browser gets it."""
        async with self.http.get(path, headers=HTML) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    """A server that is empty but for what the test puts there."""
    async with services_on(in_memory(), URL) as services:
        app = create_app(services, RestOptions(api_url=URL))
        mount_web(app, WebOptions(urls=NetworkUrls(api_url=URL)))
        async with TestClient(TestServer(app)) as http:
            yield Pages(http=http, services=services)
