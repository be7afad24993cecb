"""How long a call may take, how often it is tried, and how long is waited between."""

import random
from collections.abc import Mapping

import attrs

# What Ory Network says of its limits; `Retry-After` is RFC 9110 §10.2.3, of which only the form in seconds is read.
_WAIT_HEADERS = ("Retry-After", "x-ratelimit-reset")


@attrs.frozen(kw_only=True)
class Patience:
    """Bounds of the calls to one address.

    A wait that the service asks for is kept up to `longest_wait_s`; a longer one ends the call at once. `threads` are
    as many calls as are made at the same time, `waiting` those that may stand in line for one of them.
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

    def wait_s(self, attempt: int, asked_s: float) -> float | None:
        """How long to wait after the attempt of this number, from 0; None when it is not worth waiting."""
        if attempt + 1 >= self.attempts or asked_s > self.longest_wait_s:
            return None
        backoff_s = self.first_wait_s * 2**attempt
        return max(asked_s, random.uniform(backoff_s / 2, backoff_s))  # noqa: S311  # jitter is no secret


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """The longest wait that an answer asks for in seconds; 0 when it asks for none."""
    told = [headers.get(name, "") for name in _WAIT_HEADERS]
    return max((float(text) for text in told if text.isascii() and text.isdigit()), default=0.0)
