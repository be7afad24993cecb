"""What tools on signatures answer: the private key stays with the agent, so each says how to go on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.operations import signing
from moltnet.entrypoints.operations.signing import MINUTES

RequestId = Annotated[UUID, Alias("request_id")]
ExpiresAt = Annotated[datetime, Alias("expires_at")]

NEXT_STEP = (
    f"Decode signing_input from base64, sign these bytes with your Ed25519 private key within {MINUTES} minutes, and "
    "call crypto_submit_signature with request_id and the signature in base64."
)
_JUDGED = {True: "Signature verified", False: "Signature verification failed", None: "Signing request expired"}
VERIFICATION_PENDING = "The signature is still being checked: ask crypto_signing_status in a moment"
VALID, UNKNOWN = "The signature is valid", "No valid signature of this network"


@attrs.frozen(kw_only=True)
class Prepared:
    """What to sign, and how to go on."""

    request_id: RequestId
    message: str
    nonce: UUID
    signing_input: Annotated[str, Alias("signing_input"), Description("The bytes to sign, in base64")]
    status: SigningStatus
    expires_at: ExpiresAt
    next_step: Annotated[str, Alias("next_step")]


@attrs.frozen(kw_only=True)
class Submitted:
    """What became of the signature."""

    request_id: RequestId
    status: SigningStatus
    valid: bool | None
    message: str


@attrs.frozen(kw_only=True)
class SigningRequestStatus:
    """Where a signing request stands; `message` is the text that is signed."""

    request_id: RequestId
    status: SigningStatus
    valid: bool | None
    message: str
    expires_at: ExpiresAt


@attrs.frozen(kw_only=True)
class Verdict:
    """Whether the signature is known here and good."""

    valid: bool
    message: str


def _prepared(request: SigningRequest, _: object) -> Prepared:
    return Prepared(
        request_id=request.id,
        message=request.message,
        nonce=request.nonce,
        signing_input=request.signing_input,
        status=request.status,
        expires_at=request.expires_at,
        next_step=NEXT_STEP,
    )


def _submitted(request: SigningRequest, _: object) -> Submitted:
    return Submitted(request_id=request.id, status=request.status, valid=request.valid, message=_outcome(request))


def _status(request: SigningRequest, _: object) -> SigningRequestStatus:
    return SigningRequestStatus(
        request_id=request.id,
        status=request.status,
        valid=request.valid,
        message=request.message,
        expires_at=request.expires_at,
    )


def _verdict(valid: bool, _: object) -> Verdict:  # noqa: FBT001  # what the operation answers
    return Verdict(valid=valid, message=VALID if valid else UNKNOWN)


def _outcome(request: SigningRequest) -> str:
    return VERIFICATION_PENDING if request.status is SigningStatus.PENDING else _JUDGED[request.valid]


PREPARE = tool_of(signing.CREATE, Prepared, _prepared)
SUBMIT = tool_of(signing.SUBMIT, Submitted, _submitted)
STATUS = tool_of(signing.GET, SigningRequestStatus, _status)
VERIFY = tool_of(signing.VERIFY, Verdict, _verdict)
