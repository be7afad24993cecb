"""Calls to one address of Ory by its synchronous package: beside the loop, in time, and again where that is safe."""

import asyncio
import copy
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import attrs
from ory_client import ApiClient, ApiException, Configuration
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential
from urllib3 import HTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from moltnet.domain.errors import Unavailable
from moltnet.ports.telemetry import NO_TELEMETRY, SpanKind, Telemetry


class OryUnavailable(Unavailable):
    """One of the services did not answer, or not as it should; whether the call had its effect is not known."""

    code = "ORY_UNAVAILABLE"

    def __init__(self, service: str, call: str, reason: str) -> None:
        self.service, self.call = service, call
        super().__init__(f"{service} could not {call}: {reason}")


class OryMisconfigured(Unavailable):
    """A service works, but is not set up as this network needs it; the sentence says what to change."""

    code = "ORY_MISCONFIGURED"


@attrs.define
class CircuitBreaker:
    """Open after `threshold` failures in a row; then one call in each pause is let through, to see.

    Open means refused, never an answer: callers get the answer that the service is unavailable.
    """

    threshold: int
    pause_s: float
    monotonic_s: Callable[[], float] = time.monotonic
    _failures: int = attrs.field(init=False, default=0)
    _looks_again_at: float = attrs.field(init=False, default=0.0)

    def admits(self) -> bool:
        """Whether a call may be made now."""
        if self._failures < self.threshold:
            return True
        now = self.monotonic_s()
        if now < self._looks_again_at:
            return False
        self._looks_again_at = now + self.pause_s  # the others wait for what becomes of this one
        return True

    def succeeded(self) -> None:
        """Records an answer."""
        self._failures = 0

    def failed(self) -> None:
        """Records that no answer came."""
        self._failures += 1
        if self._failures >= self.threshold:
            self._looks_again_at = self.monotonic_s() + self.pause_s


Timeout: TypeAlias = tuple[float, float]
Send: TypeAlias = Callable[[ApiClient, Timeout], HTTPResponse]

BODY_MAX = 4 * 1024 * 1024
TOO_MANY_REQUESTS, SERVER_ERRORS = 429, 500
# What Ory Network says of its limits; `Retry-After` is RFC 9110 §10.2.3, of which only the form in seconds is read.
_WAIT_HEADERS = ("Retry-After", "x-ratelimit-reset")

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class CallLimits:
    """Bounds of the calls to one address.

    A wait that the service asks for is honoured up to `longest_wait_s`; a longer one ends the call at once. `threads`
    are as many calls as are made at the same time, `waiting` those that may stand in line for one of them.
    """

    connect_s: float = 2.0
    read_s: float = 5.0
    attempts: int = 3
    first_wait_s: float = 0.1
    longest_wait_s: float = 2.0
    threads: int = 8
    waiting: int = 64
    breaker_threshold: int = 5
    breaker_pause_s: float = 5.0

    @property
    def answer_s(self) -> float:
        """The time for a whole answer: a body that trickles in would reset the time for one read for ever."""
        return self.connect_s + 2 * self.read_s


class Failed(Exception):
    """A call that got no answer, or one that means another attempt.

    `had_effect` is false when it surely had none; `wait_s` is how long the service asks to be left alone.
    """

    def __init__(self, reason: str, *, had_effect: bool = True, is_down: bool = True, wait_s: float = 0.0) -> None:
        self.had_effect, self.is_down, self.wait_s = had_effect, is_down, wait_s
        super().__init__(reason)


def retrying(
    limits: CallLimits,
    *,
    repeatable: bool,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    before_sleep: Callable[[RetryCallState], None] | None = None,
) -> AsyncRetrying:
    """Runs a call until it does not raise `Failed`, at most `limits.attempts` times; the last one is raised."""
    backoff = wait_random_exponential(multiplier=limits.first_wait_s, min=limits.first_wait_s / 2)

    def is_repeated(error: BaseException) -> bool:
        return (
            isinstance(error, Failed) and (repeatable or not error.had_effect) and error.wait_s <= limits.longest_wait_s
        )

    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_exception(is_repeated),
        stop=stop_after_attempt(limits.attempts),
        wait=lambda state: max(backoff(state), _failure(state).wait_s),
        before_sleep=before_sleep,
        reraise=True,
    )


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """The longest wait that an answer asks for in seconds; 0 when it asks for none."""
    asked = [headers.get(name, "") for name in _WAIT_HEADERS]
    return max((float(text) for text in asked if text.isascii() and text.isdigit()), default=0.0)


def _failure(state: RetryCallState) -> Failed:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, Failed)  # noqa: S101  # asked for after nothing else
    return failure


@attrs.frozen
class Reply:
    """An answer whose status the caller knows what to do with."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    def json(self) -> Any:
        """The body; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def member(self, *names: str) -> Any:
        """A member by its way through objects; None when there is none."""
        value = self.json()
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value


class OryService:
    """One address: its connections, threads and breaker. Close it when done.

    Args:
        name: how the service is called in logs and errors.
        api_key: goes out with every call that needs one; self-hosted services need none.
    """

    def __init__(
        self, name: str, url: str, api_key: str | None, limits: CallLimits, telemetry: Telemetry = NO_TELEMETRY
    ) -> None:
        self._telemetry = telemetry
        self.name = name
        self.limits = limits
        # Its own retries would wait unseen, and send twice what must be sent once (docs/reference/ory.md, "The client
        # package").
        configuration = Configuration(host=url.rstrip("/"), access_token=api_key, retries=False)
        configuration.connection_pool_maxsize = limits.threads
        self._client = ApiClient(configuration)
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix=f"moltnet-{name.replace(' ', '-')}")
        self._breaker = CircuitBreaker(limits.breaker_threshold, limits.breaker_pause_s)
        self._pending = 0

    def close(self) -> None:
        """Lets go of the connections; what is under way ends within its time."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.rest_client.pool_manager.clear()

    async def call(self, call: str, send: Send, expected: Collection[int], *, repeatable: bool = True) -> Reply:
        """The answer to a call, when its status is one of `expected`; raises OryUnavailable for any other, or none.

        Args:
            call: what is done, for the log: `create an identity`.
            send: makes the request; runs in a thread.
            expected: the statuses that mean something to the caller.
            repeatable: whether a second sending is harmless. If not, it is sent again only when it surely did nothing.
        """

        def log(state: RetryCallState) -> None:
            _log.info("%s could not %s: %s; trying again", self.name, call, _failure(state))

        try:
            with self._telemetry.span(f"{self.name}: {call}", {"peer.service": self.name}, SpanKind.CLIENT):
                reply: Reply = await retrying(self.limits, repeatable=repeatable, before_sleep=log)(
                    self._answered, send, expected
                )
        except Failed as failure:
            raise OryUnavailable(self.name, call, str(failure)) from failure
        if reply.status not in expected:
            raise OryUnavailable(self.name, call, f"it answered {reply.status}")
        return reply

    async def _answered(self, send: Send, expected: Collection[int]) -> Reply:
        if not self._breaker.admits():
            raise Failed("it has not answered lately, and is left alone for a while", wait_s=math.inf)
        try:
            reply = await self._sent(send)
            _check_status(reply, expected)
        except Failed as failure:
            if failure.is_down:
                self._breaker.failed()
            raise
        self._breaker.succeeded()
        return reply

    async def _sent(self, send: Send) -> Reply:
        if self._pending >= self.limits.threads + self.limits.waiting:
            raise Failed("too many calls stand in line", had_effect=False, is_down=False)
        self._pending += 1
        try:
            # The thread continues to its own time limit; only the waiting ends.
            async with asyncio.timeout(self.limits.answer_s):
                client = self._client_of_trace()
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._blocking, send, client)
        except TimeoutError:
            raise Failed("no answer in time") from None
        finally:
            self._pending -= 1

    def _client_of_trace(self) -> ApiClient:
        """The client, with headers that continue the current trace (W3C Trace Context): of this call alone."""
        carrier = self._telemetry.carrier()
        if not carrier:
            return self._client
        client = copy.copy(self._client)  # the same connections
        client.default_headers = {**self._client.default_headers, **carrier}
        return client

    def _blocking(self, send: Send, client: ApiClient) -> Reply:
        try:
            response = send(client, (self.limits.connect_s, self.limits.read_s))
            body = response.read(BODY_MAX, decode_content=True)
            response.release_conn()
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise Failed(type(error).__name__, had_effect=False) from None
        except (HTTPError, ApiException, OSError) as error:
            # Their texts hold what was sent and received, so only the kind is reported.
            raise Failed(type(error).__name__) from None
        return Reply(response.status, response.headers, body)


def _check_status(reply: Reply, expected: Collection[int]) -> None:
    if reply.status in expected:
        return
    if reply.status == TOO_MANY_REQUESTS:
        wait_s = asked_wait_s(reply.headers)
        raise Failed("it answered 429", had_effect=False, is_down=False, wait_s=wait_s)
    if reply.status >= SERVER_ERRORS:
        raise Failed(f"it answered {reply.status}", wait_s=asked_wait_s(reply.headers))


def malformed(service: OryService, call: str) -> OryUnavailable:
    """What is raised for an answer of the right status and the wrong shape."""
    return OryUnavailable(service.name, call, "its answer has another form than it should")
