"""What is kept of a client from one message to the next: nothing but its session id; and how it is asked to sign in.

Session ids (MCP 2025-11-25, Session Management) name a connection and are proof of nothing. Any process of a server
serves any of them, after a restart too. What an id needs is to be known again: half of it is random, the other half is
made of that by a secret all processes share.

For a client without credentials the protocol's way is HTTP 401 with a challenge in `WWW-Authenticate`: there the
official packages and Claude begin their login (ADR-35). Some clients look for the same challenge in a result instead.
They are known by their name, which they say in the first message of a session, or with every request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
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


# The protocol's extension by which a client signs in with credentials of its own; told to clients of its later era.
CLIENT_CREDENTIALS = "io.modelcontextprotocol/oauth-client-credentials"
RESULT_CHALLENGE = "mcp/www_authenticate"
_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
# How OpenAI's clients begin their names, in `clientInfo` and in `User-Agent`.
_READ_RESULTS = ("openai-mcp", "chatgpt")


def reads_challenges_in_results(headers: Mapping[str, str], message: object) -> bool:
    """Whether the sender of a message looks for a challenge in the result; of one that says no name, no."""
    params = _member(message, "params")
    info = _member(_member(params, "_meta"), _CLIENT_INFO) or _member(params, "clientInfo")
    names = (headers.get("User-Agent", ""), _member(info, "name"))
    return any(isinstance(name, str) and name.lower().startswith(_READ_RESULTS) for name in names)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
