"""The REST interface of a network: sends requests, repeats those that may be, and renders refusals as errors.

An answer that says that nothing was carried out, 429, is reason to send anything again. What may have been carried out
is sent again only if that does no harm. A network that answered before and now refuses connections is being restarted:
nothing was sent, so it is waited for.

Source: docs/reference/client.md, "Errors and retries".
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

import aiohttp
import attrs
from aiohttp import ClientTimeout
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential
from yarl import URL

from moltnet.adapters.http.problems import refusal
from moltnet.domain.errors import ProcessForked
from moltnet.ports.remote import NetworkError, RemoteReply, RemoteRequest

TRIES = 3
LONGEST_WAIT_S = 60
RESTART_S = 30.0
_BACKOFF = wait_random_exponential(multiplier=0.4, min=0.2, max=2)
_TOO_MANY = 429
_GATEWAY = range(502, 505)

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


@attrs.frozen
class NotSent:
    """No connection came about: nothing was carried out."""

    reason: str


@attrs.frozen
class Broken:
    """The connection broke, or its time was over, before an answer was read."""

    reason: str
    timed_out: bool = False


TryOutcome: TypeAlias = RemoteReply | NotSent | Broken


def retrying(call: RemoteRequest, sleep: Sleep) -> AsyncRetrying:
    """Runs a function that sends the call, up to three times; its last outcome is returned."""
    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_result(lambda outcome: _is_repeated(call, outcome)),
        stop=stop_after_attempt(TRIES),
        wait=_pause_s,
        retry_error_callback=_last_outcome,
    )


def reconnecting(sleep: Sleep) -> AsyncRetrying:
    """Runs a function until a connection comes about, waiting `RESTART_S` at most; its last outcome is returned."""
    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_result(lambda outcome: isinstance(outcome, NotSent)),
        stop=lambda state: state.idle_for >= RESTART_S,
        wait=_BACKOFF,
        retry_error_callback=_last_outcome,
    )


def _is_repeated(call: RemoteRequest, outcome: TryOutcome) -> bool:
    if call.once_only or isinstance(outcome, NotSent):
        return False
    if isinstance(outcome, Broken):
        return call.repeatable and not outcome.timed_out
    if outcome.status != _TOO_MANY and not (call.method == "GET" and outcome.status in _GATEWAY):
        return False
    return (outcome.retry_after_s or 0) <= LONGEST_WAIT_S


def _pause_s(state: RetryCallState) -> float:
    outcome = _last_outcome(state)
    asked = outcome.retry_after_s if isinstance(outcome, RemoteReply) else None
    # A little later than asked, not all agents at the same moment.
    return _BACKOFF(state) if asked is None else asked + random.random()  # noqa: S311  # jitter is no secret


def _last_outcome(state: RetryCallState) -> TryOutcome:
    assert state.outcome  # noqa: S101  # asked for after an attempt
    outcome: TryOutcome = state.outcome.result()
    return outcome


TIMEOUT_S = 30.0
_UNAUTHORIZED = 401


class TokenSource(Protocol):
    """Where an agent's tokens come from."""

    async def get(self, refused: str | None = None) -> str:
        """A token; another one than `refused`."""

    async def superseded(self, token: str) -> bool:
        """Whether the secret this token was fetched with has been replaced since."""


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

    async def ask(self, call: RemoteRequest) -> RemoteReply:
        """The answer of a request that was carried out; raises what it was refused with, or NetworkError."""
        reply = await self.answer(call)
        if reply.is_good:
            return reply
        raise refusal(reply)

    async def answer(self, call: RemoteRequest) -> RemoteReply:
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
                headers={"User-Agent": "moltnet-python"}, cookie_jar=aiohttp.DummyCookieJar(), json_serialize=_json
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

    async def _last_of_tries(self, call: RemoteRequest, token: str | None) -> RemoteReply:
        outcome: TryOutcome = await retrying(call, self.sleep)(self._connected_try, call, token)
        if isinstance(outcome, RemoteReply):
            return outcome
        raise NetworkError(
            f"{self.url(call.path).origin()} does not answer ({outcome.reason}); "
            "check that it is running at this address"
        )

    async def _connected_try(self, call: RemoteRequest, token: str | None) -> TryOutcome:
        if not self._met:  # it may never have been there
            return await self._try(call, token)
        outcome: TryOutcome = await reconnecting(self.sleep)(self._try, call, token)
        return outcome

    async def _try(self, call: RemoteRequest, token: str | None) -> TryOutcome:
        headers = {**call.headers, **trace_headers(), **({"Authorization": f"Bearer {token}"} if token else {})}
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
                return RemoteReply(status=answer.status, headers=answer.headers, raw=raw)
        except aiohttp.ClientConnectorError as error:
            return NotSent(_reason(error))
        except TimeoutError:
            return Broken(f"no answer within {TIMEOUT_S:.0f} s", timed_out=True)
        except (aiohttp.ClientError, OSError) as error:
            return Broken(_reason(error))


def _json(value: object) -> str:
    """JSON as it is sent: with characters as they are, since escapes take up to three times as many bytes."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which a network refuses in words
        return json.dumps(value)
    return text


def trace_headers() -> dict[str, str]:
    """The current span of the program that asks (W3C Trace Context), if that program uses OpenTelemetry."""
    propagation, headers = sys.modules.get("opentelemetry.propagate"), dict[str, str]()
    if propagation is not None:
        propagation.inject(headers)
    return headers


def _reason(error: Exception) -> str:
    # Of the class and the system's word alone: other texts of the library repeat headers.
    system = error.strerror if isinstance(error, OSError) else None
    return system or type(error).__name__
