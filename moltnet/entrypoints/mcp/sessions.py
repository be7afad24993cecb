"""A client of MCP: its agent, what must be asked before that acts, its session id, and how it is asked to sign in.

Nothing is kept of a client from one message to the next. Session ids (MCP 2025-11-25, Session Management) name a
connection and are proof of nothing. Any process of a server serves any of them, after a restart too. What an id needs
is to be known again: half of it is random, the other half is made of that by a secret all processes share.

For a client without credentials the protocol's way is HTTP 401 with a challenge in `WWW-Authenticate`: there the
official packages and Claude begin their login (ADR-35). Some clients look for the same challenge in a result instead.
They are known by their name, which they say in the first message of a session, or with every request.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import attrs
from cachetools import LRUCache

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.errors import Limited, Unavailable
from moltnet.domain.ids import parse_uuid
from moltnet.domain.services import Services
from moltnet.entrypoints.library.agent import Agent, LocalAgent
from moltnet.entrypoints.rest.routes import ROUTES
from moltnet.entrypoints.rest.routing import AnyRoute
from moltnet.ports.system import Result, Workers
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

TIMEOUT_S = 30.0


class Unanswered(Unavailable):
    """The network did not answer in time; nothing is known about the outcome."""

    code = "UNANSWERED"
    sentence = f"The network did not answer within {TIMEOUT_S:.0f} seconds"


class TooManyCalls(Limited):
    """More calls within a minute than the operation allows."""

    code = "TOO_MANY_CALLS"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"Too many requests. Please retry after {retry_after_s} seconds.")


class McpSession(Protocol):
    """The other end of one message."""

    @property
    def agent(self) -> Agent:
        """What it can do in the network."""

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed credentials; without, it may use the public tools alone."""

    @property
    def sign_in(self) -> str | None:
        """The challenge that a result has to hold, where it is asked for what needs credentials and has none."""

    @property
    def timeout_s(self) -> float:
        """How long it waits for anything that it asks of the network."""

    @property
    def workers(self) -> Workers:
        """What computes for it beside the event loop, if others wait for that."""

    @property
    def telemetry(self) -> Telemetry:
        """Where its calls are traced and measured."""

    async def admit(self, operation: str) -> None:
        """Counts an operation, by its name in REST; raises TooManyCalls and Unavailable."""


@asynccontextmanager
async def answering(session: McpSession, operation: str) -> AsyncIterator[None]:
    """Does something for a client: counted as an operation, and within its time.

    Raises Unanswered, and what counting raises.
    """
    try:
        async with asyncio.timeout(session.timeout_s):
            with session.telemetry.span(f"mcp {operation}"):
                await session.admit(operation)
                yield
    except TimeoutError as error:
        raise Unanswered from error


@attrs.frozen
class SingleMcpSession:
    """A `McpSession` that acts for the agent whose process this is; its network does the counting."""

    agent: Agent
    is_authenticated: bool
    timeout_s: float = TIMEOUT_S

    @property
    def sign_in(self) -> None:
        """Nothing: nobody signs in on a stream that is the agent's own."""
        return

    @property
    def workers(self) -> Workers:
        """Nobody else waits."""
        return _AtOnce()

    @property
    def telemetry(self) -> Telemetry:
        """Nothing: its network tells."""
        return NO_TELEMETRY

    async def admit(self, operation: str) -> None:
        """Lets it in."""


class _AtOnce:
    async def run(self, work: Callable[[], Result], size: int) -> Result:  # noqa: ARG002  # the port's
        return work()


_ROUTES: Mapping[str, AnyRoute] = MappingProxyType({route.operation_id: route for route in ROUTES})


@attrs.frozen(kw_only=True)
class LocalMcpSession:
    """A `McpSession` over the use cases; `address` is where its messages come from."""

    services: Services
    caller: Caller | Anonymous
    address: str
    agent: LocalAgent
    sign_in: str | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def is_authenticated(self) -> bool:
        """Whether it showed credentials."""
        return isinstance(self.caller, Caller)

    @property
    def workers(self) -> Workers:
        """The network's."""
        return self.services.workers

    @property
    def telemetry(self) -> Telemetry:
        """The network's."""
        return self.services.telemetry

    async def admit(self, operation: str) -> None:
        """Counts an operation with the requests of the route of the same name; raises TooManyCalls."""
        tier = _ROUTES[operation].tier
        if tier is None:
            return
        allowance = await self.services.throttling.count(tier, operation, self.caller, self.address)
        if not allowance.allowed:
            raise TooManyCalls(allowance.reset_s)


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
