"""The connection of one agent to a remote network, and its access tokens (RFC 6749 §4.4).

Tokens are cached while they are good, and fetched once for all who wait. What each method of the connection does stands
with the port.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from tenacity import AsyncRetrying, retry_if_result, stop_after_attempt, wait_exponential

from moltnet.adapters.http.feed_stream import followed
from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.rest_client import RestClient, Sleep
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.ports.keys import Keyring, NoCredentials
from moltnet.ports.remote import (
    NOTHING,
    AuthenticationError,
    MalformedPath,
    NetworkError,
    Problem,
    RemoteReply,
    RemoteRequest,
)

_PATH = re.compile(r"/[!-~]*")
_ONCE_ONLY = {"/auth/register", "/vouch"}


class HttpConnection:
    """The port `RemoteConnection`; without credentials, nobody's. It belongs to one event loop."""

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
        self._tokens: AgentTokens | None = None
        if credentials is not None:
            self._tokens = AgentTokens(self._client, credentials, keyring=keyring, agent_id=agent_id)
            self._client.tokens = self._tokens

    @property
    def api_url(self) -> str:
        return self._client.api_url

    async def ask(self, call: RemoteRequest, *, form: type[Problem] = Problem, code: str | None = None) -> RemoteReply:
        reply = await self.answer(call)
        if reply.is_good:
            return reply
        raise refusal(reply, form=form, code=code)

    async def answer(self, call: RemoteRequest) -> RemoteReply:
        return await self._client.answer(call)

    def follow(self, path: str, after: str | None) -> AsyncIterator[object]:
        return followed(self._client, path, after)

    @property
    def keyring(self) -> Keyring | None:
        return self._keyring

    def adopt(self, credentials: ClientSecret) -> None:
        if self._tokens is not None:
            self._tokens.adopt(credentials)

    async def renew(self, credentials: ClientSecret) -> None:
        self.adopt(credentials)
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
        call = RemoteRequest(
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


MARGIN_S = 30
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
# Another process that rotated the secret has it before it is stored: it is looked for again, soon and then seldom.
REREADS = 4


class AgentTokens:
    """An agent's token at one network.

    When the secret is no longer good it is read again from the keyring: another process of the agent's may have rotated
    it. `agent_id` is whose keyring it must still be.
    """

    def __init__(
        self,
        client: RestClient,
        credentials: ClientSecret,
        *,
        keyring: Keyring | None = None,
        agent_id: AgentId | None = None,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._keyring = keyring
        self._agent_id = agent_id
        self._text: str | None = None
        self._fetched_with = credentials
        self._good_until = 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def get(self, refused: str | None = None) -> str:
        """A token that is good for a while; another one than `refused`. Raises AuthenticationError and NetworkError."""
        if self._text is not None and self._text != refused and self._client.now() < self._good_until:
            return self._text
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        # Anyone who is cancelled while waiting takes the token from nobody else.
        return await asyncio.shield(self._fetching)

    async def superseded(self, token: str) -> bool:
        """Whether the secret this token was fetched with has been replaced since, here or by another process."""
        return token != self._text or await self._has_newer_secret(self._fetched_with)

    def adopt(self, credentials: ClientSecret) -> None:
        """Continues with a fresh secret; tokens of the old one are void."""
        self._credentials, self._text = credentials, None

    async def aclose(self) -> None:
        """Gives up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _fetched(self, task: asyncio.Task[str]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # told to those who wait; if nobody does any more, to nobody

    async def _fetch(self) -> str:
        while True:
            used = self._credentials
            reply = await self._client.answer(_token_request(used))
            if reply.is_good:
                return self._store_token(reply, used)
            error = _token_error(reply)
            if not isinstance(error, AuthenticationError) or not await self._has_newer_secret(used):
                raise error

    def _store_token(self, reply: RemoteReply, used: ClientSecret) -> str:
        parsed = reply.value()
        text = parsed.get("access_token") if isinstance(parsed, dict) else None
        if not isinstance(text, str) or not text:
            raise NetworkError("The answer of the token endpoint holds no token")
        lifetime_s = parsed.get("expires_in")
        is_number = isinstance(lifetime_s, int | float) and not isinstance(lifetime_s, bool)
        self._text, self._fetched_with = text, used
        self._good_until = self._client.now() + (lifetime_s if is_number else 0) - MARGIN_S
        return text

    async def _has_newer_secret(self, used: ClientSecret) -> bool:
        if self._credentials != used:
            return True
        if self._keyring is None:
            return False
        rereading = AsyncRetrying(
            sleep=self._client.sleep,
            retry=retry_if_result(lambda found: not found),
            stop=stop_after_attempt(REREADS),
            wait=wait_exponential(multiplier=0.1, exp_base=3),
            retry_error_callback=lambda _: False,
        )
        found: bool = await rereading(self._reread, self._keyring, used)
        return found

    async def _reread(self, keyring: Keyring, used: ClientSecret) -> bool:
        stored = await asyncio.to_thread(keyring.read)
        # A keyring that holds another agent by now is not a reason to continue as that one.
        if stored is not None and (self._agent_id is None or stored.agent_id == self._agent_id):
            self._credentials = stored.credentials
        return self._credentials != used


def _token_request(credentials: ClientSecret) -> RemoteRequest:
    form = {
        "grant_type": "client_credentials",
        "client_id": str(credentials.client_id),
        "client_secret": credentials.secret,
    }
    return RemoteRequest(method="POST", path=TOKEN_PATH, form=form, signed_in=False, repeatable=True)


def _token_error(reply: RemoteReply) -> Exception:
    parsed = reply.value()
    reason = parsed.get("error") if isinstance(parsed, dict) else None
    if not isinstance(reason, str):
        return refusal(reply)
    description = parsed.get("error_description")
    detail = description if isinstance(description, str) and description else reason
    return AuthenticationError(detail, status_code=reply.status, reason=reason)
