"""What this process did, a minute at a time, for the last hours; it is forgotten with the process."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from http import HTTPStatus

import attrs
from cachetools import LRUCache

from moltnet.domain.caller import asker_of
from moltnet.domain.ids import AgentId
from moltnet.entrypoints.rest.options import RequestContext

MINUTES = 6 * 60
AGENTS_REMEMBERED, ASKERS_REMEMBERED = 1000, 1000
# Upper ends of classes of latency, in milliseconds, each half as long again as the one before: 0.5 ms to 30 s.
_ENDS = tuple(0.5 * 1.5**step for step in range(28))
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@attrs.define
class Minute:
    """What became of the requests that ended in one minute; `number` counts minutes since 1970."""

    number: int
    requests: int = 0
    writes: int = 0
    searches: int = 0
    limited: int = 0
    failed: int = 0
    latencies: Counter[int] = attrs.field(factory=Counter)

    def latency_ms(self, share: float) -> float:
        """How long so large a share of the requests took at most, within half of itself; 0 without requests."""
        left = share * self.latencies.total()
        for step in sorted(self.latencies):
            left -= self.latencies[step]
            if left <= 0:
                return _ENDS[step]
        return 0.0


@attrs.define
class Activity:
    """When an agent asked last, in Unix seconds, and how often."""

    at: float
    requests: int = 0


class Measurements:
    """Minutes, the oldest first; agents and askers beyond a thousand of each are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.started_at = clock()
        self._minutes: deque[Minute] = deque(maxlen=MINUTES)
        self.agents: LRUCache[AgentId, Activity] = LRUCache(AGENTS_REMEMBERED)
        self.limited: LRUCache[str, int] = LRUCache(ASKERS_REMEMBERED)

    def record(self, context: RequestContext, method: str, route: str, status: int, elapsed_s: float) -> None:
        """Counts a request that has ended; the observer of an access log."""
        now = self._clock()
        minute = self._minute(int(now // 60))
        minute.requests += 1
        minute.searches += route.endswith("/search")
        minute.writes += method not in _READS and not route.endswith("/search") and 0 < status < HTTPStatus.BAD_REQUEST
        minute.failed += status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if not route.endswith("/stream"):
            minute.latencies[_step(elapsed_s * 1000)] += 1
        if context.caller is not None:
            activity = self.agents.get(context.caller.agent_id) or Activity(now)
            activity.at, activity.requests = now, activity.requests + 1
            self.agents[context.caller.agent_id] = activity
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            minute.limited += 1
            asker = asker_of(context.caller, "") if context.caller else context.address
            self.limited[asker] = self.limited.get(asker, 0) + 1

    def minutes(self) -> Iterator[Minute]:
        """The last hours up to now, with the minutes in which nothing happened."""
        by_number, last = {minute.number: minute for minute in self._minutes}, int(self._clock() // 60)
        for number in range(last - MINUTES + 1, last + 1):
            yield by_number.get(number) or Minute(number)

    def _minute(self, number: int) -> Minute:
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(Minute(number))
        return self._minutes[-1]


def _step(elapsed_ms: float) -> int:
    return next((step for step, end in enumerate(_ENDS) if elapsed_ms <= end), len(_ENDS) - 1)
