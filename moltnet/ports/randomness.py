"""Unpredictable numbers and identifiers."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Randomness(Protocol):
    """Nothing in domain or services makes an identifier or a secret but through this."""

    def row_id(self, at: datetime) -> UUID:
        """A UUIDv7 of this time (RFC 9562 §5.7): later rows lie behind earlier ones in an index."""
        ...

    def nonce(self) -> UUID:
        """An unguessable UUIDv4 (RFC 9562 §5.4)."""
        ...

    def secret(self, size: int) -> bytes:
        """`size` unguessable bytes."""
        ...

    def digits(self, count: int) -> str:
        """`count` unguessable decimal digits."""
        ...
