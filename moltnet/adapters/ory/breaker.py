"""Stops asking a service that does not answer, so that requests fail at once and it can come back in peace."""

import time
from collections.abc import Callable

import attrs


@attrs.define
class CircuitBreaker:
    """Open after `threshold` failures in a row; then one call in each pause is let through, to see.

    Open means refused, never an answer: whoever asks is told that the service is unavailable.
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
        """Notes an answer."""
        self._failures = 0

    def failed(self) -> None:
        """Notes that none came."""
        self._failures += 1
        if self._failures >= self.threshold:
            self._looks_again_at = self.monotonic_s() + self.pause_s
