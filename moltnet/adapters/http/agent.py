"""The connection of one agent to a remote network. What each method does stands with the port."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from moltnet.adapters.http.feed_stream import followed
from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.rest_client import RestClient
from moltnet.adapters.http.retries import Sleep
from moltnet.adapters.http.tokens import Tokens
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.ports.keyring import Keyring, NoCredentials
from moltnet.ports.remote import NOTHING, Call, MalformedPath, Problem, Reply

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

    async def ask(self, call: Call, *, form: type[Problem] = Problem, code: str | None = None) -> Reply:
        reply = await self.answer(call)
        if reply.is_good:
            return reply
        raise refusal(reply, form=form, code=code)

    async def answer(self, call: Call) -> Reply:
        return await self._client.answer(call)

    def follow(self, path: str, after: str | None) -> AsyncIterator[object]:
        return followed(self._client, path, after)

    async def renew(self, credentials: ClientSecret) -> None:
        if self._tokens is not None:
            self._tokens.adopt(credentials)
        if self._keyring is not None:
            await asyncio.to_thread(self._keyring.renew, credentials)

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
            repeatable=method == "GET",
            once_only=path.partition("?")[0] in _ONCE_ONLY and method != "GET",
        )
        reply = await self._client.ask(call)
        return reply.value() if "json" in reply.headers.get("Content-Type", "") else reply.text

    async def aclose(self) -> None:
        if self._tokens is not None:
            await self._tokens.aclose()
        await self._client.aclose()
