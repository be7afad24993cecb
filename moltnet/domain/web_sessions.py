"""Sessions of the console, and what one begins with: a client secret, the agent's key, or a one-time link.

A text that a key signs to sign in names this network and nothing else that a key signs begins alike (recovery
challenges, registration proofs and framed messages have other prefixes). Challenges and links are recognised by their
HMAC-SHA256, so none is stored until it comes back; then it is used up (ADR-47).
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import attrs

from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from moltnet.domain.ids import AgentId, ClientId, WebSessionId, parse_uuid

IDLE = timedelta(hours=1)
LIFETIME = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
CHALLENGE_LIFETIME = timedelta(minutes=2)
LINK_LIFETIME = timedelta(minutes=5)
SESSIONS_MAX = 20
"""How many sessions an agent has at once; one more ends the oldest."""
DEVICE_MAX = 200
TOKEN_BYTES = 32
CHALLENGE_PREFIX = "moltnet:sign-in:"


class InvalidSignIn(Unauthenticated):
    """A challenge or a link that this network did not issue, or whose time or use is over, or a wrong signature."""

    code = "INVALID_SIGN_IN"
    sentence = "The signature is not one of an agent of this network over a fresh challenge; try again"


class LinkSpent(Unauthenticated):
    """A one-time link that nobody was given, that was used before, or whose five minutes are over."""

    code = "SIGN_IN_LINK_SPENT"
    sentence = "The link was used already, or is over; ask for another: moltnet web login"


class WebSessionNotFound(NotFound):
    """No session of the caller's has this id."""

    code = "WEB_SESSION_NOT_FOUND"
    sentence = "Session not found"


class ForeignForm(Forbidden):
    """A form that the console did not hand to this browser, or that is older than its session."""

    code = "FOREIGN_FORM"
    sentence = "The form is not one of this session: open the page again and repeat"


class MalformedSignIn(Invalid):
    """A sign-in that names nothing to prove."""

    code = "MALFORMED_SIGN_IN"
    sentence = "Give the client id and the client secret"


class SignInMethod(StrEnum):
    """What a session began with."""

    SECRET = "secret"  # noqa: S105 - the name of a method
    KEY = "key"
    LINK = "link"


@attrs.frozen(kw_only=True)
class WebSession:
    """One browser that acts for an agent; only the hash of its token is here.

    `generation` is that of the client's secret: a new secret ends the session. `expires_at` moves with use, an hour at
    a time, and never beyond twelve hours after the beginning.
    """

    id: WebSessionId
    token_hash: bytes = attrs.field(repr=False)
    agent_id: AgentId
    client_id: ClientId
    generation: int
    scopes: frozenset[Scope]
    method: SignInMethod
    device: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime = attrs.field()

    @expires_at.default
    def _from_use(self) -> datetime:
        return min(self.used_at + IDLE, self.created_at + LIFETIME)

    def used(self, at: datetime) -> "WebSession | None":
        """The session after a use that is worth storing; None for one soon after the last."""
        if at - self.used_at < TOUCH_EVERY:
            return None
        return attrs.evolve(self, used_at=at, expires_at=min(at + IDLE, self.created_at + LIFETIME))


@attrs.frozen(kw_only=True)
class SignInChallenge:
    """A text to sign with an agent's key, as UTF-8, and the mark by which it is recognised."""

    text: str
    mac: str = attrs.field(repr=False)

    @classmethod
    def issued(cls, nonce: UUID, *, network: NetworkAddress, secret: bytes, at: datetime) -> "SignInChallenge":
        """`moltnet:sign-in:<network>:<nonce>:<unix ms>` with its HMAC-SHA256 in hex."""
        text = f"{CHALLENGE_PREFIX}{network.text}:{nonce}:{_unix_ms(at)}"
        return cls(text=text, mac=_mac(text, secret))

    def nonce(self, *, network: NetworkAddress, secret: bytes, at: datetime) -> str:
        """What is used up with it; raises InvalidSignIn unless it was issued here within CHALLENGE_LIFETIME."""
        if not hmac.compare_digest(_mac(self.text, secret).encode(), self.mac.encode("utf-8", "replace")):
            raise InvalidSignIn
        start, nonce, issued = self.text.rsplit(":", 2)
        if start != CHALLENGE_PREFIX + network.text or not _is_fresh(issued, at, CHALLENGE_LIFETIME):
            raise InvalidSignIn
        return f"sign-in:{nonce}"


@attrs.frozen(kw_only=True)
class SignInLink:
    """A one-time way into the console for whoever opens it: as a text in an address, with its mark."""

    client_id: ClientId
    generation: int
    nonce: UUID
    issued_at: datetime

    def text(self, secret: bytes) -> str:
        """The link's code, which is a secret."""
        plain = f"{self.client_id}.{self.generation}.{self.nonce}.{_unix_ms(self.issued_at)}"
        return f"{plain}.{_mac('link:' + plain, secret)}"

    @classmethod
    def parse(cls, code: str, *, secret: bytes, at: datetime) -> "SignInLink":
        """The link of a code; raises LinkSpent unless it was issued here within LINK_LIFETIME."""
        plain, _, mac = code.rpartition(".")
        if not hmac.compare_digest(_mac("link:" + plain, secret).encode(), mac.encode("utf-8", "replace")):
            raise LinkSpent
        client_id, generation, nonce, issued = plain.split(".")
        parsed, drawn = parse_uuid(client_id), parse_uuid(nonce)
        if parsed is None or drawn is None or not _is_fresh(issued, at, LINK_LIFETIME):
            raise LinkSpent
        issued_at = _EPOCH + timedelta(milliseconds=int(issued))
        return cls(client_id=ClientId(parsed), generation=int(generation), nonce=drawn, issued_at=issued_at)

    @property
    def used_up(self) -> str:
        """The nonce that is used up with it."""
        return f"sign-in-link:{self.nonce}"


def form_token(session_token: str, secret: bytes) -> str:
    """What every form of a browser's pages carries, so that a page of another site cannot send one in its name."""
    return _mac("form:" + session_token, secret)


def check_form(sent: str, session_token: str, secret: bytes) -> None:
    """Raises ForeignForm unless the form was handed to the browser that has this token; in constant time."""
    if not hmac.compare_digest(form_token(session_token, secret).encode(), sent.encode("utf-8", "replace")):
        raise ForeignForm


def device_of(agent: str) -> str:
    """What a browser calls itself (RFC 9110 §10.1.5), as it is stored: in two words where it is known, else short."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return "".join(letter for letter in agent if letter.isprintable())[:DEVICE_MAX]


# Each names those before it, too: the first mark that is found says which it is.
_BROWSERS = (("Firefox/", "Firefox"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _is_fresh(unix_ms: str, at: datetime, lifetime: timedelta) -> bool:
    return timedelta() <= at - _EPOCH - timedelta(milliseconds=int(unix_ms)) <= lifetime


def _unix_ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _mac(text: str, secret: bytes) -> str:
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
