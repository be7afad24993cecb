"""Real services behind a proxy that lets calls fail as the stand-in does, and notices what is made through it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import attrs
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.support.ory.faults import Faults
from tests.support.ory.hydra import TokenHook
from tests.support.ory.keto import Tuple, _parsed
from tests.support.ory.server import an_app, named_routes

HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "content-encoding", "keep-alive"})


@attrs.define
class HookServer:
    """Where real services call the token hook: `answer` tells what becomes of it, no claims while there is none."""

    answer: TokenHook | None = None

    async def token_exchange(self, request: web.Request) -> web.Response:
        """What the hook tells Hydra."""
        if self.answer is None:
            return web.Response(status=204)
        status, told = await self.answer(await request.json())
        return web.json_response(told, status=status)


@asynccontextmanager
async def a_hook_server(address: str) -> AsyncIterator[HookServer]:
    """Listens at `host:port` until the context is left."""
    hooks, app = HookServer(), web.Application()
    app.router.add_post("/hooks/hydra/token-exchange", hooks.token_exchange)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        host, _, port = address.rpartition(":")
        await web.TCPSite(runner, host, int(port), reuse_address=True).start()
        yield hooks
    finally:
        await runner.cleanup()


@attrs.define
class OryProxy:
    """What a test sees of real services: what the stand-in shows, of all that came through here.

    Hydra's hook must be set up to call here.
    """

    faults: Faults
    http: ClientSession
    hooks: HookServer
    real: Mapping[tuple[str, str], str]
    addresses: dict[tuple[str, str], str] = attrs.field(factory=dict)
    passwords: list[str] = attrs.field(factory=list)
    _identities: dict[str, None] = attrs.field(factory=dict)
    _clients: dict[str, None] = attrs.field(factory=dict)
    _things: dict[tuple[str, str], None] = attrs.field(factory=dict)

    async def identities(self) -> dict[str, dict[str, Any]]:
        """The identities that were made and are still there."""
        return await self._present("kratos", "/admin/identities/", self._identities)

    async def clients(self) -> dict[str, dict[str, Any]]:
        """The clients that were made and are still there."""
        return await self._present("hydra", "/admin/clients/", self._clients)

    async def tuples(self) -> list[Tuple]:
        """The relations of every thing that got one."""
        found: list[Tuple] = []
        for namespace, thing in self._things:
            query = f"?page_size=1000&namespace={namespace}&object={thing}"
            async with self.http.get(self.real["keto", "public"] + "/relation-tuples" + query) as answer:
                told = (await answer.json())["relation_tuples"]
            found += [each for each in map(_parsed, told) if each is not None]
        return found

    async def clear(self) -> None:
        """Removes what was made."""
        for identity in self._identities:
            await self.http.delete(f"{self.real['kratos', 'admin']}/admin/identities/{identity}")
        for client in self._clients:
            await self.http.delete(f"{self.real['hydra', 'admin']}/admin/clients/{client}")
        for namespace, thing in self._things:
            query = f"?namespace={namespace}&object={thing}"
            await self.http.delete(f"{self.real['keto', 'admin']}/admin/relation-tuples{query}")

    def hook(self, answer: TokenHook | None) -> None:
        """Lets this answer what a token says of its agent."""
        self.hooks.answer = answer

    @asynccontextmanager
    async def lasting(self, client_id: str, lifetime: timedelta) -> AsyncIterator[None]:
        """Lets a client's tokens last so long while in the context."""
        url, path = (
            f"{self.real['hydra', 'admin']}/admin/clients/{client_id}",
            "/client_credentials_grant_access_token_lifespan",
        )
        for lifespan in (f"{lifetime.total_seconds():.0f}s", None):
            await self.http.patch(url, json=[{"op": "replace", "path": path, "value": lifespan}])
            if lifespan:
                yield

    async def forward(self, side: tuple[str, str], request: web.Request) -> web.Response:
        """A real answer."""
        body = await request.read()
        headers = {name: text for name, text in request.headers.items() if name.lower() not in HOP_BY_HOP}
        url = self.real[side] + request.raw_path
        async with self.http.request(
            request.method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
        ) as answer:
            told = await answer.read()
            self._note(request.match_info.route.name or "", body, answer.status, told)
            kept = [(name, text) for name, text in answer.headers.items() if name.lower() not in HOP_BY_HOP]
            return web.Response(status=answer.status, body=told, headers=dict(kept))

    async def _present(self, service: str, path: str, seen: Mapping[str, None]) -> dict[str, dict[str, Any]]:
        found = {}
        for each in seen:
            async with self.http.get(self.real[service, "admin"] + path + quote(each, safe="")) as answer:
                if answer.status == 200:
                    found[each] = await answer.json()
        return found

    def _note(self, call: str, sent: bytes, status: int, told: bytes) -> None:
        if call == "T1":
            made = json.loads(sent)
            self._things[made["namespace"], made["object"]] = None
        elif status == 201 and call in {"K2", "H1"}:
            made = json.loads(told)
            (self._identities if call == "K2" else self._clients)[made["id" if call == "K2" else "client_id"]] = None
        if call == "K2":
            self.passwords.append(json.loads(sent)["credentials"]["password"]["config"]["hashed_password"])


@asynccontextmanager
async def a_proxy(real: Mapping[tuple[str, str], str], hooks_at: str) -> AsyncIterator[OryProxy]:
    """A proxy before services at these addresses; what was made through it is removed when the context is left."""
    async with AsyncExitStack() as stack:
        hooks = await stack.enter_async_context(a_hook_server(hooks_at))
        http = await stack.enter_async_context(ClientSession())
        proxy = OryProxy(Faults(), http, hooks, real)
        for side, named in named_routes().items():
            routes = [
                web.route(each.method, each.path, _forwarding(proxy, side), name=each.kwargs["name"]) for each in named
            ]
            server = TestServer(an_app(routes, proxy.faults))
            await server.start_server(shutdown_timeout=0)
            stack.push_async_callback(server.close)
            proxy.addresses[side] = str(server.make_url("")).rstrip("/")
        stack.push_async_callback(proxy.clear)
        stack.callback(proxy.faults.release)
        yield proxy


def _forwarding(proxy: OryProxy, side: tuple[str, str]) -> Any:
    async def forward(request: web.Request) -> web.Response:
        return await proxy.forward(side, request)

    return forward
