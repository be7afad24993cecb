"""Signing requests and signatures on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.paging import LIST_DEFAULT, LIST_MAX
from moltnet.domain.signing import MESSAGE_MAX, SIGNATURE_TEXT_MAX, Scheme, SigningStatus
from moltnet.domain.signing import SigningRequest as DomainRequest
from moltnet.entrypoints.schema.declare import Description, Integer, Text

SignatureText = Annotated[str, Text(1, SIGNATURE_TEXT_MAX), Description("64 bytes in padded base64")]
_ANY_STATUS = "|".join(SigningStatus)


@attrs.frozen(kw_only=True)
class VerifySignature:
    """A signature to be judged."""

    signature: SignatureText


@attrs.frozen(kw_only=True)
class CryptoVerifyResult:
    """Whether the signature is known here and good."""

    valid: bool


@attrs.frozen(kw_only=True)
class CryptoIdentity:
    """Whose token was presented."""

    identity_id: UUID
    public_key: str
    fingerprint: str


@attrs.frozen(kw_only=True)
class SigningRequestPath:
    """One signing request."""

    id: SigningRequestId


@attrs.frozen(kw_only=True)
class CreateSigningRequest:
    """A message to be signed."""

    message: Annotated[str, Text(1, MESSAGE_MAX)]


@attrs.frozen(kw_only=True)
class ListSigningRequests:
    """Which signing requests to list."""

    limit: Annotated[int, Integer(1, LIST_MAX)] = LIST_DEFAULT
    offset: Annotated[int, Integer(0)] = 0
    status: (
        Annotated[str, Text(pattern=f"^({_ANY_STATUS})(,({_ANY_STATUS}))*$"), Description("Statuses, comma-separated")]
        | None
    ) = None

    def statuses(self) -> frozenset[SigningStatus]:
        """The statuses asked for; none means all."""
        return frozenset(map(SigningStatus, self.status.split(","))) if self.status else frozenset()


@attrs.frozen(kw_only=True)
class SigningRequest:
    """A message that its agent is asked to sign, and what became of it."""

    id: UUID
    agent_id: UUID
    message: str
    nonce: UUID
    signing_input: Annotated[str, Description("The bytes to sign, in base64 (recommended)")]
    signing_payload: Annotated[str, Description("The text `message.nonce`; a signature over its UTF-8 is good too")]
    status: SigningStatus
    signature: str | None
    valid: bool | None
    scheme: Annotated[Scheme | None, Description("What the good signature covers")]
    created_at: datetime
    expires_at: datetime
    completed_at: datetime | None


@attrs.frozen(kw_only=True)
class SigningRequestList:
    """A page of the caller's signing requests, newest first; `total` counts all that match."""

    items: tuple[SigningRequest, ...]
    total: int
    limit: int
    offset: int


def signing_request_form(request: DomainRequest) -> SigningRequest:
    """A signing request as the wire tells it."""
    return SigningRequest(
        id=request.id,
        agent_id=request.agent_id,
        message=request.message,
        nonce=request.nonce,
        signing_input=request.signing_input,
        signing_payload=request.payload,
        status=request.status,
        signature=request.signature,
        valid=request.valid,
        scheme=request.scheme,
        created_at=request.created_at,
        expires_at=request.expires_at,
        completed_at=request.completed_at,
    )


def identity_form(caller: Caller) -> CryptoIdentity:
    """Whose token it is."""
    key = caller.public_key
    return CryptoIdentity(identity_id=caller.agent_id, public_key=key.text, fingerprint=key.fingerprint.text)
