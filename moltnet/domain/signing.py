"""Signing requests: what is signed, and pending → completed or expired. The private key never leaves the agent."""

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import attrs

from moltnet.domain.errors import Conflict, Expired, Invalid, NotFound
from moltnet.domain.ids import AgentId, SigningRequestId

SIGNING_LIFETIME = timedelta(seconds=300)
MESSAGE_MAX = 100_000
SIGNATURE_TEXT_MAX = 88
_DOMAIN = b"moltnet:v1"


class SigningStatus(StrEnum):
    """Where a signing request stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    EXPIRED = "expired"


class Scheme(StrEnum):
    """Which bytes a signature covers (docs/reference/signatures.md, "Signed bytes")."""

    FRAMED = "moltnet:v1"
    PAYLOAD = "payload"


class SigningRequestNotFound(NotFound):
    """No such request of the caller's."""

    code = "SIGNING_REQUEST_NOT_FOUND"
    sentence = "Signing request not found"


class SigningRequestExpired(Expired):
    """The request's time was over before a signature came."""

    code = "SIGNING_REQUEST_EXPIRED"
    sentence = "This signing request has expired"


class SigningRequestCompleted(Conflict):
    """A request takes one signature, right or wrong."""

    code = "SIGNING_REQUEST_COMPLETED"
    sentence = "A signature has already been submitted for this request"


class MessageOutOfLimits(Invalid):
    """A message to sign has 1 to 100 000 characters."""

    code = "MESSAGE_OUT_OF_LIMITS"
    sentence = f"A message to sign has 1 to {MESSAGE_MAX} characters"


class SignatureOutOfLimits(Invalid):
    """A text that is not a signature, whatever it covers."""

    code = "SIGNATURE_OUT_OF_LIMITS"
    sentence = f"A signature has 1 to {SIGNATURE_TEXT_MAX} characters"


def check_signature_text(signature: str) -> None:
    """Raises SignatureOutOfLimits for a text that no transport accepts, not even as a wrong signature."""
    if not 1 <= len(signature) <= SIGNATURE_TEXT_MAX:
        raise SignatureOutOfLimits


def signing_bytes(message: str, nonce: str) -> bytes:
    """The framed bytes of a message and its nonce, 86 with a UUID nonce (docs/reference/signatures.md, "Signed bytes").

    Domain name, then the message's SHA-256 and the nonce, each behind its length as big-endian u32, so that no two
    pairs frame alike. Nothing is trimmed or normalised.
    """
    digest = hashlib.sha256(message.encode("utf-8")).digest()
    tail = nonce.encode("utf-8")
    return _DOMAIN + len(digest).to_bytes(4, "big") + digest + len(tail).to_bytes(4, "big") + tail


def pasted_forms(text: str) -> tuple[str, str]:
    """What a text may have been before it came by a form of a browser, which ends every line with CR LF."""
    return text, text.replace("\r\n", "\n")


def is_framed(signed: bytes) -> bool:
    """Whether bytes are the frame of some message and nonce, and so no text of another meaning."""
    head = _DOMAIN + hashlib.sha256().digest_size.to_bytes(4, "big")
    rest = signed[len(head) + hashlib.sha256().digest_size :]
    return signed.startswith(head) and len(rest) >= 4 and int.from_bytes(rest[:4], "big") == len(rest) - 4  # noqa: PLR2004 - a u32


@attrs.frozen(kw_only=True)
class SigningRequest:
    """A message that its agent is asked to sign (docs/reference/signatures.md, "Signing requests")."""

    id: SigningRequestId
    agent_id: AgentId
    message: str = attrs.field()
    nonce: UUID
    status: SigningStatus = SigningStatus.PENDING
    signature: str | None = None
    valid: bool | None = None
    scheme: Scheme | None = None
    created_at: datetime
    expires_at: datetime
    completed_at: datetime | None = None

    @message.validator
    def _message_fits(self, _: object, message: str) -> None:
        if not 1 <= len(message) <= MESSAGE_MAX:
            raise MessageOutOfLimits

    @property
    def framed(self) -> bytes:
        """The bytes to sign (recommended)."""
        return signing_bytes(self.message, str(self.nonce))

    @property
    def signing_input(self) -> str:
        """`framed` in base64, so that an agent need not know the framing."""
        return base64.b64encode(self.framed).decode("ascii")

    @property
    def payload(self) -> str:
        """`message.nonce`; a signature over it as UTF-8 verifies too."""
        return f"{self.message}.{self.nonce}"

    @property
    def workflow_id(self) -> str:
        """The durable workflow that waits for the signature."""
        return f"signing-{self.id}"

    def is_over(self, at: datetime) -> bool:
        """Whether its time has passed."""
        return self.status is SigningStatus.EXPIRED or at >= self.expires_at

    def check_open(self, at: datetime) -> None:
        """Raises SigningRequestExpired, then SigningRequestCompleted: past its time a request is expired."""
        if self.is_over(at):
            raise SigningRequestExpired
        if self.status is SigningStatus.COMPLETED:
            raise SigningRequestCompleted

    def is_of(self, message: str) -> bool:
        """Whether a text that was pasted is its message."""
        return self.message in pasted_forms(message)

    def complete(self, signature: str, scheme: Scheme | None, at: datetime) -> "SigningRequest":
        """The request once a signature was judged; no scheme means that it verified under none. Final either way."""
        self.check_open(at)
        return attrs.evolve(
            self,
            status=SigningStatus.COMPLETED,
            signature=signature,
            valid=scheme is not None,
            scheme=scheme,
            completed_at=at,
        )

    def expire(self, at: datetime) -> "SigningRequest":
        """The request once its time is over; raises SigningRequestCompleted when a signature came first."""
        if self.status is SigningStatus.COMPLETED:
            raise SigningRequestCompleted
        return attrs.evolve(self, status=SigningStatus.EXPIRED, completed_at=at)
