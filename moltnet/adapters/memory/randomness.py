"""Numbers and identifiers that look random and come again with the same seed."""

import random
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

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
        """A UUIDv4 (RFC 9562 §5.4)."""
        return UUID(int=self._random.getrandbits(128), version=4)

    def secret(self, size: int) -> bytes:
        """`size` bytes."""
        return self._random.randbytes(size)

    def digits(self, count: int) -> str:
        """`count` decimal digits."""
        return "".join(self._random.choices(string.digits, k=count))
