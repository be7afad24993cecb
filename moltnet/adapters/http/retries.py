"""When a request is sent again, and how long is waited before.

Source: docs/reference/client.md, "Errors and retries".

An answer that says that nothing was carried out, 429, is reason to send anything again. What may have been carried out
is sent again only if that does no harm. A network that answered before and now refuses connections is being restarted:
nothing was sent, so it is waited for.
"""

import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from moltnet.ports.remote import Call, Reply

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


Outcome: TypeAlias = Reply | NotSent | Broken


def retrying(call: Call, sleep: Sleep) -> AsyncRetrying:
    """Runs a function that sends the call, up to three times; its last outcome is returned."""
    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_result(lambda outcome: _is_repeated(call, outcome)),
        stop=stop_after_attempt(TRIES),
        wait=_pause_s,
        retry_error_callback=_outcome,
    )


def reconnecting(sleep: Sleep) -> AsyncRetrying:
    """Runs a function until a connection comes about, waiting `RESTART_S` at most; its last outcome is returned."""
    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_result(lambda outcome: isinstance(outcome, NotSent)),
        stop=lambda state: state.idle_for >= RESTART_S,
        wait=_BACKOFF,
        retry_error_callback=_outcome,
    )


def _is_repeated(call: Call, outcome: Outcome) -> bool:
    if call.once_only or isinstance(outcome, NotSent):
        return False
    if isinstance(outcome, Broken):
        return call.repeatable and not outcome.timed_out
    if outcome.status != _TOO_MANY and not (call.method == "GET" and outcome.status in _GATEWAY):
        return False
    return (outcome.retry_after_s or 0) <= LONGEST_WAIT_S


def _pause_s(state: RetryCallState) -> float:
    outcome = _outcome(state)
    asked = outcome.retry_after_s if isinstance(outcome, Reply) else None
    # A little later than asked, not all agents at the same moment.
    return _BACKOFF(state) if asked is None else asked + random.random()  # noqa: S311  # jitter is no secret


def _outcome(state: RetryCallState) -> Outcome:
    assert state.outcome  # noqa: S101  # asked for after an attempt
    outcome: Outcome = state.outcome.result()
    return outcome
