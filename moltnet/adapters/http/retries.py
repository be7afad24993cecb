"""When a request is sent again, and how long to wait before: pure, but for the pace it is kept by.

Source: docs/reference/client.md, "Errors and retries".

What an answer says was not carried out may be sent again, whatever it is: 429. What may have been carried out is sent
again only if that does no harm. A network that answered before and now refuses connections is being restarted: nothing
was sent, so it is waited for. One that never answered is told of at once.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import attrs

from moltnet.adapters.http.calls import GET, Call, Reply

TRIES = 3
LONGEST_WAIT_S = 60
RESTART_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 2.0
_TOO_MANY = 429
_GATEWAY = range(502, 505)


@attrs.frozen
class Pace:
    """Time and chance, as the client meets them."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@attrs.frozen
class NotSent:
    """No connection came about: nothing was carried out."""

    reason: str


@attrs.frozen
class Broken:
    """The connection broke, or its time was over, before an answer was read."""

    reason: str
    timed_out: bool = False


Outcome = Reply | NotSent | Broken


@attrs.define
class Attempts:
    """The tries of one call. `met` tells whether the network answered before."""

    call: Call
    met: bool
    pace: Pace
    _made: int = 0
    _refused_since: float | None = None

    def pause_s(self, outcome: Outcome) -> float | None:
        """How long to wait before the next try after this outcome; None when there is none."""
        if isinstance(outcome, NotSent):
            return self._until_restarted()
        self._made += 1
        if self.call.once_only or self._made >= TRIES or not self._is_worth_it(outcome):
            return None
        asked = outcome.retry_after_s if isinstance(outcome, Reply) else None
        if asked is None:
            return self._backoff(self._made)
        # A little later than asked, not all agents at the same moment.
        return asked + self.pace.chance() if asked <= LONGEST_WAIT_S else None

    def _is_worth_it(self, outcome: Reply | Broken) -> bool:
        if isinstance(outcome, Broken):
            return self.call.repeatable and not outcome.timed_out
        return outcome.status == _TOO_MANY or (self.call.method == GET and outcome.status in _GATEWAY)

    def _until_restarted(self) -> float | None:
        now = self.pace.now()
        if self._refused_since is None:
            self._refused_since = now
        waited = now - self._refused_since
        return self._backoff(1 + int(waited)) if self.met and waited < RESTART_S else None

    def _backoff(self, number: int) -> float:
        longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**number)
        return longest * (0.5 + self.pace.chance() / 2)
