"""The operating system's randomness, and identifiers made of it."""

import secrets
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID, uuid4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION, _VARIANT = 7, 0b10
_FRACTION_BITS, _TAIL_BITS = 12, 62
_STEP_BITS = 32


class SystemRandomness:
    """The port `Randomness`; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamp, self._tail = -1, 0

    def row_id(self, at: datetime) -> UUID:
        """A UUIDv7: milliseconds, 12 bits of the millisecond's fraction (RFC 9562 §6.2 method 3), 62 random bits.

        Within one microsecond the random part counts up by a random step (method 2), so that of the ids one process
        makes for the same or a growing time each is greater than the one before. Times before 1970 have none.
        """
        stamp = _stamp(at)
        with self._lock:
            self._tail = self._next_tail(stamp)
            self._stamp = stamp
            tail = self._tail
        time, fraction = stamp >> _FRACTION_BITS, stamp & ((1 << _FRACTION_BITS) - 1)
        return UUID(int=time << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << _TAIL_BITS | tail)

    def nonce(self) -> UUID:
        """An unguessable UUIDv4."""
        return uuid4()

    def secret(self, size: int) -> bytes:
        """`size` unguessable bytes."""
        return secrets.token_bytes(size)

    def digits(self, count: int) -> str:
        """`count` unguessable decimal digits, each as likely as any other."""
        return f"{secrets.randbelow(10**count):0{count}d}"

    def _next_tail(self, stamp: int) -> int:
        if stamp == self._stamp:
            return self._tail + 1 + secrets.randbits(_STEP_BITS)
        # The highest bit starts at 0: room for two to the 29th ids in one microsecond (RFC 9562 §6.2, rollover guard).
        return secrets.randbits(_TAIL_BITS - 1)


def _stamp(at: datetime) -> int:
    """Milliseconds since 1970 in the upper bits, the fraction of the millisecond in the lower 12."""
    milliseconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    return milliseconds << _FRACTION_BITS | (microseconds << _FRACTION_BITS) // 1000
