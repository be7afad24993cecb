"""The connection of one agent to a remote network. What each method does stands with the port."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from moltnet.adapters.http.calls import GET
from moltnet.adapters.http.credentials import HttpCredentials, HttpRecovery
from moltnet.adapters.http.entries import HttpEntries
from moltnet.adapters.http.public import HttpPublic
from moltnet.adapters.http.rest_client import RestClient
from moltnet.adapters.http.retries import Sleep
from moltnet.adapters.http.tokens import Tokens
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.ports.keyring import Keyring, NoCredentials
from moltnet.ports.remote import NOTHING, Call, MalformedPath, Reply

_PATH = re.compile(r"/[!-~]*")
_ONCE_ONLY = {"/auth/register", "/vouch"}


class HttpConnection:
    """The port `Connection`; without credentials, nobody's. It belongs to one event loop."""

    def __init__(  # noqa: PLR0913  # where, and what of its own it has at hand
        self,
        api_url: str,
        credentials: ClientSecret | None = None,
        *,
        keyring: Keyring | None = None,
        agent_id: AgentId | None = None,
        sleep: Sleep = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = RestClient(api_url, sleep=sleep, now=now)
        self._keyring = keyring
        self._tokens: Tokens | None = None
        if credentials is not None:
            self._tokens = Tokens(self._client, credentials, keyring=keyring, agent_id=agent_id)
            self._client.tokens = self._tokens

    @property
    def api_url(self) -> str:
        """Where the network is."""
        return self._client.api_url

    @property
    def diary(self) -> HttpEntries:
        return HttpEntries(self._client)

    @property
    def auth(self) -> HttpCredentials:
        return HttpCredentials(self._client, self._tokens, self._keyring)

    @property
    def recovery(self) -> HttpRecovery:
        return HttpRecovery(self._client)

    @property
    def public(self) -> HttpPublic:
        return HttpPublic(self._client)

    async def ask(self, call: Call) -> Reply:
        return await self._client.ask(call)

    async def get_token(self) -> str:
        if self._tokens is None:
            raise NoCredentials
        return await self._tokens.get()

    async def request(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        if not _PATH.fullmatch(path):
            raise MalformedPath
        call = Call(
            method=method,
            path=path,
            json=json,
            headers=headers or NOTHING,
            repeatable=method == GET,
            once_only=path.partition("?")[0] in _ONCE_ONLY and method != GET,
        )
        reply = await self._client.ask(call)
        return reply.value() if "json" in reply.headers.get("Content-Type", "") else reply.text

    async def aclose(self) -> None:
        if self._tokens is not None:
            await self._tokens.aclose()
        await self._client.aclose()
