"""Time, randomness and threads as tests want them: set by hand, seeded, at once."""

import random
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from moltnet.ports.system import Result


class MemoryClock:
    """The port `Clock`; stands still except for what is set, or for a tick with every look at it."""

    def __init__(self, at: datetime, tick: timedelta = timedelta()) -> None:
        self._at = at
        self._tick = tick

    def now(self) -> datetime:
        """The time it shows; it moves on by the tick afterwards, so that with one no two looks are alike."""
        at = self._at
        self._at += self._tick
        return at

    def set(self, at: datetime) -> None:
        """Turns it to a time, earlier or later."""
        self._at = at

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        self._at += by


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNT_BITS, _TAIL_BITS = 30, 32


class MemoryRandomness:
    """The port `Randomness`, for tests: a reader who knows the seed knows every secret."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the very point is that it can be repeated
        self._count = 0

    def row_id(self, at: datetime) -> UUID:
        """A UUIDv7 (RFC 9562 §5.7); of those made for one millisecond, later ones are greater."""
        self._count += 1
        stamp = (at - _EPOCH) // timedelta(milliseconds=1)
        tail = (self._count % 2**_COUNT_BITS) << _TAIL_BITS | self._random.getrandbits(_TAIL_BITS)
        return UUID(int=stamp << 80 | 7 << 76 | 0b10 << 62 | tail)

    def nonce(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def secret(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def digits(self, count: int) -> str:
        return "".join(self._random.choices(string.digits, k=count))


class MemoryWorkers:
    """The port `Workers` where nobody else waits for the event loop: everything is run where it is called."""

    async def run(self, work: Callable[[], Result], size: int) -> Result:  # noqa: ARG002  # the port's
        return work()
