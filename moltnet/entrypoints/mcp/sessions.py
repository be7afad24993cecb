"""Session ids (MCP 2025-11-25, Session Management): they name a client's connection and are proof of nothing.

Nothing is stored of a session, so any process of a server serves any of them, after a restart too. What an id needs is
to be known again: half of it is random, the other half is made of that by a secret all processes share.
"""

import hashlib
import hmac
import secrets
from uuid import UUID

from cachetools import LRUCache

from moltnet.domain.ids import parse_uuid

_HALF = 8
_READS_RESULTS = 1  # a bit of the first byte
ENDED_MAX = 10_000


class Sessions:
    """Makes ids and knows them again; one that was ended is unknown from then on, in this process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._ended: LRUCache[str, None] = LRUCache(ENDED_MAX)

    def new(self, *, reads_results: bool = False) -> str:
        """An id that nobody has yet, in the form of a UUID; it holds whether its client reads challenges in results."""
        first, *rest = secrets.token_bytes(_HALF)
        return self._signed(bytes([first & ~_READS_RESULTS | _READS_RESULTS * reads_results, *rest]))

    def reads_results(self, session_id: str) -> bool:
        """What `new` was told of the session's client; no for a session that is not known."""
        return self.knows(session_id) and bool(UUID(session_id).bytes[0] & _READS_RESULTS)

    def knows(self, session_id: str) -> bool:
        """Whether it is one of ours, and not ended."""
        parsed = parse_uuid(session_id)
        if parsed is None or str(parsed) in self._ended:
            return False
        return hmac.compare_digest(self._signed(parsed.bytes[:_HALF]), str(parsed))

    def end(self, session_id: str) -> bool:
        """Ends a session; answers whether it was known."""
        if not self.knows(session_id):
            return False
        self._ended[str(UUID(session_id))] = None
        return True

    def _signed(self, half: bytes) -> str:
        # Version and variant take their bits in both halves (RFC 9562 §5.4), so the first is signed with its own.
        first = UUID(bytes=half + bytes(_HALF), version=4).bytes[:_HALF]
        rest = hmac.digest(self._secret, first, hashlib.sha256)[:_HALF]
        return str(UUID(bytes=first + rest, version=4))
