"""Calls to one address of Ory by its synchronous package: beside the loop, in time, and again where that is safe."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import attrs
from ory_client import ApiClient, ApiException, Configuration
from urllib3 import HTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from moltnet.adapters.ory.breaker import CircuitBreaker
from moltnet.adapters.ory.errors import OryUnavailable
from moltnet.adapters.ory.patience import Patience, asked_wait_s

Timeout: TypeAlias = tuple[float, float]
Send: TypeAlias = Callable[[ApiClient, Timeout], HTTPResponse]

BODY_MAX = 4 * 1024 * 1024
TOO_MANY_REQUESTS, SERVER_ERRORS = 429, 500

_log = logging.getLogger(__name__)


class Failed(Exception):
    """A call that got no answer, or one that means another attempt. `had_effect` is false when it surely had none."""

    def __init__(self, reason: str, *, had_effect: bool = True, is_down: bool = True, wait_s: float = 0.0) -> None:
        self.had_effect, self.is_down, self.wait_s = had_effect, is_down, wait_s
        super().__init__(reason)


@attrs.frozen
class Reply:
    """An answer whose status the caller knows what to do with."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    def json(self) -> Any:
        """The body; None when it is no JSON."""
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

    def __init__(self, name: str, url: str, api_key: str | None, patience: Patience) -> None:
        self.name = name
        self.patience = patience
        # Its own retries would wait unseen, and send twice what must be sent once (docs/reference/ory.md, "The client
        # package").
        configuration = Configuration(host=url.rstrip("/"), access_token=api_key, retries=False)
        configuration.connection_pool_maxsize = patience.threads
        self._client = ApiClient(configuration)
        self._threads = ThreadPoolExecutor(patience.threads, thread_name_prefix=f"moltnet-{name.replace(' ', '-')}")
        self._breaker = CircuitBreaker(patience.breaker_threshold, patience.breaker_pause_s)
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
        for attempt in range(self.patience.attempts):
            if not self._breaker.admits():
                raise OryUnavailable(self.name, call, "it has not answered lately, and is left alone for a while")
            try:
                reply = await self._answered(send, expected)
            except Failed as failure:
                wait_s = self.patience.wait_s(attempt, failure.wait_s)
                if wait_s is None or (failure.had_effect and not repeatable):
                    raise OryUnavailable(self.name, call, str(failure)) from failure
                _log.info("%s could not %s: %s; trying again", self.name, call, failure)
                await asyncio.sleep(wait_s)
            else:
                return self._known(reply, call, expected)
        raise AssertionError("the last attempt answers or raises")

    async def _answered(self, send: Send, expected: Collection[int]) -> Reply:
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
        if self._pending >= self.patience.threads + self.patience.waiting:
            raise Failed("too many calls stand in line", had_effect=False, is_down=False)
        self._pending += 1
        try:
            # The thread goes on to its own time limit; only the waiting ends.
            async with asyncio.timeout(self.patience.answer_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._blocking, send)
        except TimeoutError:
            raise Failed("no answer in time") from None
        finally:
            self._pending -= 1

    def _blocking(self, send: Send) -> Reply:
        try:
            response = send(self._client, (self.patience.connect_s, self.patience.read_s))
            body = response.read(BODY_MAX, decode_content=True)
            response.release_conn()
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise Failed(type(error).__name__, had_effect=False) from None
        except (HTTPError, ApiException, OSError) as error:
            # Their texts hold what was sent and received, so only the kind is told.
            raise Failed(type(error).__name__) from None
        return Reply(response.status, response.headers, body)

    def _known(self, reply: Reply, call: str, expected: Collection[int]) -> Reply:
        if reply.status not in expected:
            raise OryUnavailable(self.name, call, f"it answered {reply.status}")
        return reply


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
