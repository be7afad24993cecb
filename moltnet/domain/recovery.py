"""Recovery by key: a challenge the server can recognise later without keeping it, and the checks in their order.

What follows where no identity service stands beside the network: a code in a flow, and the session it gives.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import attrs

from moltnet.domain.challenges import CHALLENGE_LIFETIME, NetworkAddress, bound_nonce
from moltnet.domain.errors import Expired, Invalid, NotFound
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import PublicKey

CODE_LIFETIME = timedelta(minutes=15)
# A flow outlives its code, so that a late code is distinguished from a flow that is over (docs/reference/signatures.md,
# "Recovery flow").
FLOW_LIFETIME = timedelta(hours=1)
SESSION_LIFETIME = timedelta(hours=1)
FLOW_PATH = "/self-service/recovery"
CODE_DIGITS = 8
CODE_ATTEMPTS = 5
CODE_REFUSED_MESSAGE = 4060006
_PARTS = 6


class InvalidChallenge(Invalid):
    """A challenge that this network did not issue, or that is no longer good."""

    code = "INVALID_CHALLENGE"
    sentence = "Invalid challenge format"


class InvalidProof(Invalid):
    """The signature does not prove the key, or no agent has the key (docs/reference/access.md, "Existence")."""

    code = "INVALID_PROOF"
    sentence = "Ed25519 signature verification failed"


class InvalidSession(Invalid):
    """A recovery session token that nobody was given, or whose time is over."""

    code = "INVALID_SESSION"
    sentence = "Invalid or expired session token"


class FlowNotFound(NotFound):
    """No recovery flow of this id, or one that was forgotten after its time."""

    code = "RECOVERY_FLOW_NOT_FOUND"
    sentence = "Recovery flow not found"


class FlowOver(Expired):
    """The flow's time has passed; a new challenge begins another."""

    code = "RECOVERY_FLOW_OVER"
    sentence = "The recovery flow has expired; request a new challenge"


class CodeRefused(Invalid):
    """A wrong code, or one whose time is over; the flow takes another try."""

    code = "RECOVERY_CODE_REFUSED"
    sentence = "The recovery code is invalid or has expired; try again, or request a new challenge"


class CodeSpent(Invalid):
    """The flow takes no more codes: this one was used before, or too many wrong ones were tried."""

    code = "RECOVERY_CODE_SPENT"
    sentence = "The recovery code was used already or too many attempts were made; request a new challenge"


@attrs.frozen(kw_only=True)
class Challenge:
    """A text to sign with the lost agent's key, and the server's mark on it."""

    text: str
    mac: str = attrs.field(repr=False)

    @classmethod
    def issued(  # all that a challenge is made of
        cls, key_text: str, random: bytes, *, network: NetworkAddress, secret: bytes, at: datetime
    ) -> "Challenge":
        """`moltnet:recovery:<public key>:<64 hex>:<unix ms>`, with its HMAC-SHA256 in hex.

        `random` is RANDOM_BYTES of the nonce; the rest binds it to the network (ADR-33).
        """
        text = f"moltnet:recovery:{key_text}:{bound_nonce(random, key_text, network)}:{_unix_ms(at)}"
        return cls(text=text, mac=_mac(text, secret))


def verified_nonce(challenge: Challenge, key_text: str, secret: bytes, at: datetime) -> str:
    """The nonce of a challenge that was issued here, for this key, and at most 5 minutes ago.

    The checks stand in the order of docs/reference/signatures.md, "Recovery challenge", and the first that fails is the
    answer (InvalidChallenge). What is left to the caller: that the nonce was not used before, and that the signature is
    the key's.
    """
    # 1. Form.
    parts = challenge.text.split(":")
    if len(parts) != _PARTS or parts[:3] != ["moltnet", "recovery", "ed25519"]:
        raise InvalidChallenge
    # 2. Bound to the key that asks.
    if f"{parts[2]}:{parts[3]}" != key_text:
        raise InvalidChallenge("Challenge was issued for a different key")
    # 3. Issued by this network. Constant time: RFC 2104 gives no margin to guess in.
    if not hmac.compare_digest(_mac(challenge.text, secret).encode(), challenge.mac.encode("utf-8", "replace")):
        raise InvalidChallenge("Invalid HMAC")
    # 4. and 5. Fresh, by the server's clock, with no leeway.
    _check_age(parts[5], at)
    return parts[4]


def expires_at(at: datetime) -> datetime:
    """When a nonce that was used at `at` may be forgotten: no challenge that holds it can be good any more."""
    # A challenge's own time is cut to the millisecond, so it may be good for almost one more.
    return at + CHALLENGE_LIFETIME + timedelta(milliseconds=1)


@attrs.frozen(kw_only=True)
class RecoveryCode:
    """What a proven agent exchanges for a session; a flow and its code are both needed. Only the hash is stored."""

    flow: str = attrs.field(repr=False)
    code_hash: bytes = attrs.field(repr=False)
    agent_id: AgentId
    attempts: int = 0
    used: bool = False
    expires_at: datetime

    @property
    def issued_at(self) -> datetime:
        """When the code and its flow were made."""
        return self.expires_at - CODE_LIFETIME

    @property
    def flow_expires_at(self) -> datetime:
        """When the flow is over, later than the code."""
        return self.expires_at + (FLOW_LIFETIME - CODE_LIFETIME)

    def passed(self, submitted_hash: bytes, at: datetime) -> bool:
        """Whether an attempt passed the challenge, asked of the record after it: `used` tells of this attempt alone.

        False means that the code is wrong or too late and the flow continues. Raises FlowOver, and CodeSpent after too
        many attempts or for the right code once more (docs/reference/signatures.md, "Recovery flow").
        """
        if at >= self.flow_expires_at:
            raise FlowOver
        if self.used:
            return True
        # Right and in time, and yet it did not count: it was used before.
        again = at < self.expires_at and hmac.compare_digest(self.code_hash, submitted_hash)
        if again or self.attempts > CODE_ATTEMPTS:
            raise CodeSpent
        return False


@attrs.frozen(kw_only=True)
class RecoveredAgent:
    """Whose recovery came to its end, and the key that the agent had at that moment; None where it has no profile."""

    id: AgentId
    key: PublicKey | None


@attrs.frozen(kw_only=True)
class Recovery:
    """The way back in, as it is returned to a proven agent."""

    code: str = attrs.field(repr=False)
    flow_url: str


def flow_address(base_url: str, flow: str) -> str:
    """Where a network takes the code of a flow (docs/reference/signatures.md, "Recovery flow")."""
    return f"{base_url.rstrip('/')}{FLOW_PATH}?flow={flow}"


class FlowState(StrEnum):
    """Where a recovery flow stands after a code; the words are Kratos' (no mail is ever sent)."""

    SENT_EMAIL = "sent_email"
    PASSED_CHALLENGE = "passed_challenge"


@attrs.frozen(kw_only=True)
class FlowAnswer:
    """What a recovery flow answers to a code: a session, once; without one the flow continues, for another try.

    `url` is where it takes a code.
    """

    flow: str = attrs.field(repr=False)
    url: str = attrs.field(repr=False)
    issued_at: datetime
    expires_at: datetime
    session_token: str | None = attrs.field(default=None, repr=False)

    @property
    def state(self) -> FlowState:
        """Whether the challenge is passed."""
        return FlowState.SENT_EMAIL if self.session_token is None else FlowState.PASSED_CHALLENGE

    @property
    def message_id(self) -> int | None:
        """The number of Kratos' message for a wrong or late code; None once the challenge is passed."""
        return CODE_REFUSED_MESSAGE if self.session_token is None else None


def _check_age(unix_ms: str, at: datetime) -> None:
    if not (unix_ms.isascii() and unix_ms.isdigit() and len(unix_ms) <= len("9999999999999")):
        raise InvalidChallenge("Invalid challenge timestamp")
    age_ms = _unix_ms(at) - int(unix_ms)
    if age_ms > CHALLENGE_LIFETIME / timedelta(milliseconds=1):
        raise InvalidChallenge("Challenge expired")
    if age_ms < 0:
        raise InvalidChallenge("Challenge timestamp is in the future")


def _unix_ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _mac(text: str, secret: bytes) -> str:
    return hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
