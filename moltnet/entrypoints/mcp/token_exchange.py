"""Client credentials to tokens, for clients that send them with every request.

Source: docs/reference/mcp.md, "Authentication".
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import attrs
from cachetools import LRUCache, TLRUCache

from moltnet.domain.credentials import AccessToken
from moltnet.domain.errors import Limited, MoltNetError

FAILURES_BEFORE_COOLDOWN = 5
COOLDOWN_S = 60.0
# A token is not handed out in the last moments of its life.
SAFETY_S = 30.0
CACHED = 10_000

Issue = Callable[["Credentials", str], Awaitable[AccessToken]]


class CoolingDown(Limited):
    """These credentials were refused too often; for a while they are not looked at."""

    code = "CREDENTIALS_COOLING_DOWN"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"These credentials were refused too often. Try again in {retry_after_s} seconds")


@attrs.frozen(kw_only=True)
class Credentials:
    """What a client shows instead of a token."""

    client_id: str
    client_secret: str = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """What is stored of them: a wrong secret never meets what belongs to the right one."""
        digest = hashlib.sha256(self.client_secret.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.client_id}:{digest}"


class TokenExchange:
    """Trades credentials for tokens, and keeps these as long as they are good.

    The same credentials at the same time are traded once. Refusals are counted for each id and secret together, and
    only where no token is at hand, so that nobody's wrong guesses lock the rightful holder out.
    """

    def __init__(self, issue: Issue, now: Callable[[], float], most: int = CACHED) -> None:
        self._issue = issue
        self._now = now
        # Bounded, since any client chooses the keys.
        self._tokens: TLRUCache[str, tuple[str, float]] = TLRUCache(most, lambda _, entry, __: entry[1], now)
        self._failures: LRUCache[str, tuple[int, float]] = LRUCache(most)
        self._under_way: dict[str, asyncio.Task[str]] = {}

    async def token(self, credentials: Credentials, address: str) -> str:
        """A token for credentials that came from an address; raises CoolingDown, and what issuing one raises."""
        key = credentials.key
        cached = self._tokens.get(key)
        if cached is not None:
            return cached[0]
        self._refuse_while_cooling(key)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._trade(credentials, address, key))
            task.add_done_callback(lambda done: self._finish(key, done))
        # Anyone who came first may go away: the others still want it.
        return await asyncio.shield(task)

    def forget(self, credentials: Credentials) -> None:
        """Drops the token that is stored for these credentials: it is not good any more."""
        self._tokens.pop(credentials.key, None)

    async def _trade(self, credentials: Credentials, address: str, key: str) -> str:
        try:
            token = await self._issue(credentials, address)
        except Limited:
            raise  # nobody looked at them
        except MoltNetError:
            self._record_failure(key)
            raise
        self._failures.pop(key, None)
        self._tokens[key] = token.text, self._now() + token.lifetime.total_seconds() - SAFETY_S
        return token.text

    def _finish(self, key: str, done: "asyncio.Task[str]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # looked at, in case nobody waits any more

    def _refuse_while_cooling(self, key: str) -> None:
        _, until = self._failures.get(key) or (0, 0.0)
        remaining_s = until - self._now()
        if remaining_s > 0:
            raise CoolingDown(int(remaining_s) + 1)

    def _record_failure(self, key: str) -> None:
        count = (self._failures.get(key) or (0, 0.0))[0] + 1
        until = self._now() + COOLDOWN_S if count >= FAILURES_BEFORE_COOLDOWN else 0.0
        self._failures[key] = count, until
