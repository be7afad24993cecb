"""A served network whose event loop is watched, and agents of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
import attrs
from aiohttp import web

from moltnet.adapters.memory.storage import MemoryFeedEvents
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.json_text import from_json
from moltnet.entrypoints.rest.options import RestOptions
from tests.support.networks import SETTINGS, services_on
from tests.support.tiny_model import write_tiny_model
from tests.support.watched_loop import WatchedThread

Headers = Mapping[str, str]
NONE: Headers = MappingProxyType({})


@attrs.frozen(kw_only=True)
class WatchedAgent:
    """A signed-in agent."""

    id: str
    fingerprint: str
    public_key: str
    credentials: Mapping[str, str]
    token: str


@attrs.frozen(kw_only=True)
class WatchedReply:
    """An answer."""

    status: int
    body: bytes = attrs.field(repr=lambda body: repr(body[:300]))
    headers: Headers = attrs.field(repr=False)

    @property
    def json(self) -> Any:
        """Its value."""
        return from_json(self.body)


@attrs.frozen(kw_only=True)
class WatchedNetwork:
    """A served network: an agent whose public diary is full, and another one with an entry to be read."""

    thread: WatchedThread
    services: Services
    session: aiohttp.ClientSession

    async def agent(self) -> WatchedAgent:
        """A new one."""
        key = NaclKeyPair.generate()
        made = await self.thread.run(self.services.registration.genesis(key.public_key.text))
        credentials = {"client_id": str(made.credentials.client_id), "client_secret": made.credentials.secret}
        form = {"grant_type": "client_credentials", **credentials}
        async with self.session.post("/oauth2/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        return WatchedAgent(
            id=str(made.agent_id),
            fingerprint=key.public_key.fingerprint.text,
            public_key=key.public_key.text,
            credentials=credentials,
            token=token,
        )

    async def ask(
        self, method: str, path: str, agent: WatchedAgent | None = None, json: object = None, headers: Headers = NONE
    ) -> WatchedReply:
        """One request."""
        shown = {"Authorization": f"Bearer {agent.token}"} if agent else {}
        async with self.session.request(method, path, headers={**headers, **shown}, json=json) as answer:
            return WatchedReply(status=answer.status, body=await answer.read(), headers=answer.headers)

    async def made(self, path: str, agent: WatchedAgent, **members: object) -> str:
        """The id of something new."""
        reply = await self.ask("POST", path, agent, members)
        assert reply.status == 201, reply.body[:300]
        return str(reply.json["id"])


@asynccontextmanager
async def served(conninfo: str, folder: Path, port: int) -> AsyncIterator[Services]:
    """A network on PostgreSQL and a small model, over REST and MCP."""
    write_tiny_model(folder / "model")
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        embedder = OnnxEmbedder.load(folder / "model")
        stack.push_async_callback(embedder.close)
        storage = await stack.enter_async_context(PostgresStorage.open(conninfo, max_connections=8))
        infrastructure = Infrastructure(storage=storage, events=MemoryFeedEvents(), models=Models(embedder))
        services = await stack.enter_async_context(services_on(infrastructure, url))
        options = RestOptions(api_url=url)
        app = create_app(services, options)
        mount_mcp(app, McpOptions(urls=options.urls, session_secret=SETTINGS.mcp_session_secret))
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield services
