"""The REST interface of a network: sends requests, repeats those that may be, and renders refusals as errors."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Protocol

import aiohttp
from aiohttp import ClientTimeout
from yarl import URL

from moltnet.adapters.http.problems import refusal
from moltnet.adapters.http.retries import Broken, NotSent, Outcome, Sleep, reconnecting, retrying
from moltnet.domain.errors import ProcessForked
from moltnet.ports.remote import Call, NetworkError, Reply

TIMEOUT_S = 30.0
_UNAUTHORIZED = 401


class TokenSource(Protocol):
    """Where an agent's tokens come from."""

    async def get(self, refused: str | None = None) -> str:
        """A token; another one than `refused`."""
        ...

    async def superseded(self, token: str) -> bool:
        """Whether the secret this token was fetched with has been replaced since."""
        ...


class RestClient:
    """Where a network is reached, and the connections to it; `tokens` are whose it is asked as.

    `sleep` waits for seconds, by the clock `now`.
    """

    def __init__(
        self, api_url: str, *, sleep: Sleep = asyncio.sleep, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.api_url = api_url.removesuffix("/")
        self.sleep = sleep
        self.now = now
        self.tokens: TokenSource | None = None
        self._session: aiohttp.ClientSession | None = None
        self._met = False
        self._process = os.getpid()

    async def ask(self, call: Call) -> Reply:
        """The answer of a request that was carried out; raises what it was refused with, or NetworkError."""
        reply = await self.answer(call)
        if reply.is_good:
            return reply
        raise refusal(reply)

    async def answer(self, call: Call) -> Reply:
        """The last answer, good or not, after as many tries as the call is given.

        A refused token is replaced once, and again as often as its secret was replaced meanwhile.
        """
        if self._process != os.getpid():
            raise ProcessForked  # connections and locks are the parent's
        tokens = self.tokens if call.signed_in else None
        if tokens is None:
            return await self._last_of_tries(call, None)
        refused: str | None = None
        while True:
            token = await tokens.get(refused)
            reply = await self._last_of_tries(call, token)
            if reply.status != _UNAUTHORIZED or (refused is not None and not await tokens.superseded(token)):
                return reply
            refused = token  # nothing was carried out, so even what is not to be repeated may be sent again

    def session(self) -> aiohttp.ClientSession:
        """The connections; they belong to the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": "moltnet-python"}, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def url(self, path: str) -> URL:
        """The whole address of a path; of an address, itself. Raises NetworkError."""
        try:
            url = URL(self.api_url + path if path.startswith("/") else path, encoded=True)
            _ = url.origin(), url.port  # read when they are asked for
        except ValueError as error:
            raise NetworkError(f"{self.api_url} is not the address of a network") from error
        return url

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def _last_of_tries(self, call: Call, token: str | None) -> Reply:
        outcome: Outcome = await retrying(call, self.sleep)(self._connected_try, call, token)
        if isinstance(outcome, Reply):
            return outcome
        raise NetworkError(
            f"{self.url(call.path).origin()} does not answer ({outcome.reason}); "
            "check that it is running at this address"
        )

    async def _connected_try(self, call: Call, token: str | None) -> Outcome:
        if not self._met:  # it may never have been there
            return await self._try(call, token)
        outcome: Outcome = await reconnecting(self.sleep)(self._try, call, token)
        return outcome

    async def _try(self, call: Call, token: str | None) -> Outcome:
        headers = {**call.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            async with self.session().request(
                call.method,
                self.url(call.path),
                json=call.json,
                data=call.form,
                headers=headers,
                timeout=ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as answer:
                raw = await answer.read()
                self._met = True
                return Reply(status=answer.status, headers=answer.headers, raw=raw)
        except aiohttp.ClientConnectorError as error:
            return NotSent(_reason(error))
        except TimeoutError:
            return Broken(f"no answer within {TIMEOUT_S:.0f} s", timed_out=True)
        except (aiohttp.ClientError, OSError) as error:
            return Broken(_reason(error))


def _reason(error: Exception) -> str:
    # Of the class and the system's word alone: other texts of the library repeat headers.
    system = error.strerror if isinstance(error, OSError) else None
    return system or type(error).__name__
