"""A server as a process before Ory: the stand-in, or real services, whose hooks call it as deploy/ory says."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from aiohttp import ClientSession

import moltnet
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.entrypoints.library.remote import NotKept
from moltnet.ports.keys import OwnIdentity
from tests.support.commands import run
from tests.support.live_server import LiveServer, serving
from tests.support.ory import named
from tests.support.ory.hydra import TokenHook
from tests.support.ory.server import API_KEY, OryStandIn, an_ory

HOOK_KEY = "ORY_ACTION_API_KEY"


@attrs.frozen(kw_only=True)
class Deployment:
    """The server, the services at their addresses, and its first agent."""

    server: LiveServer
    data: Path
    settings: Mapping[str, str]
    sides: Mapping[tuple[str, str], str]
    stand_in: OryStandIn | None
    founder: RemoteAgent

    async def register(self) -> OwnIdentity:
        """A new agent, vouched for by the first."""
        code = (await self.founder.vouch.issue()).code
        return await moltnet.register(code, api_url=self.server.url, keyring=NotKept(), keys=NaclKeyPair.generate())

    async def agent(self) -> RemoteAgent:
        """A new agent's client."""
        return await self.connect(await self.register())

    async def connect(self, identity: OwnIdentity) -> RemoteAgent:
        """A client of an agent."""
        secret = identity.credentials
        return await moltnet.connect(
            client_id=str(secret.client_id), client_secret=secret.secret, api_url=self.server.url
        )

    async def rotate_keys(self) -> None:
        """A newer key at Hydra, which signs at once."""
        key = {"Authorization": f"Bearer {self.settings['ORY_API_KEY']}"} if "ORY_API_KEY" in self.settings else {}
        async with ClientSession(self.sides["hydra", "admin"], headers=key, raise_for_status=True) as hydra:
            await hydra.post("/admin/keys/hydra.jwt.access-token", json={"alg": "RS256", "use": "sig"})


@asynccontextmanager
async def a_deployment(data: Path, **environment: str) -> AsyncIterator[Deployment]:
    """A server with one agent; it listens where the services' hooks call."""
    async with AsyncExitStack() as stack:
        stand_in, sides, host = None, named.addresses(), named.hooks()
        settings = named.settings() | {"MOLTNET_ALLOWED_HOSTS": host.partition(":")[0]}
        if not named.is_real():
            stand_in = await stack.enter_async_context(an_ory(lambda: datetime.now(UTC), split=True))
            sides, host = stand_in.addresses, "127.0.0.1:0"
            settings |= {f"ORY_{'_'.join(side).upper()}_URL": address for side, address in sides.items()}
            settings |= {"ORY_API_KEY": API_KEY, "MOLTNET_ORY_ISSUER": "https://auth.example"}
        name, _, port = host.partition(":")
        options = ("--host", name, "--port", port)
        server = await stack.enter_async_context(serving(data, *options, **settings, **environment))
        if stand_in is not None:
            stand_in.hook(_hook_at(server.url))
        founded = await run("genesis", "--data", str(data), folder=None, **settings)  # its token needs the hook
        assert founded.status == 0, founded.err
        (founder,) = founded.printed
        agent = await moltnet.connect(
            client_id=founder["clientId"], client_secret=founder["clientSecret"], api_url=server.url
        )
        await stack.enter_async_context(agent)
        yield Deployment(server=server, data=data, settings=settings, sides=sides, stand_in=stand_in, founder=agent)


def _hook_at(url: str) -> TokenHook:
    async def hook(request: Mapping[str, Any]) -> tuple[int, Any]:
        key = {"X-Ory-Api-Key": HOOK_KEY}
        path = "/hooks/hydra/token-exchange"
        async with ClientSession(url) as http, http.post(path, json=request, headers=key) as answer:
            return answer.status, await answer.json()

    return hook
