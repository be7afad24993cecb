"""Tools for signatures: prepare, submit, ask, verify. The private key stays with the agent."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description, Text
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.signing import (
    SIGNATURE_TEXT_MAX,
    SIGNING_LIFETIME,
    SigningRequest,
    SigningRequestNotFound,
    SigningStatus,
)
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.sanitize import TEXT_MAX
from moltnet.entrypoints.mcp.tools.references import uuid_of
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool
from moltnet.entrypoints.operations.operation import Effect

Request = Annotated[str, Text(1, 100), Alias("request_id"), Description("request_id of crypto_prepare_signature")]
RequestId = Annotated[UUID, Alias("request_id")]
ExpiresAt = Annotated[datetime, Alias("expires_at")]
Signature = Annotated[str, Text(1, SIGNATURE_TEXT_MAX), Description("Ed25519 signature in padded base64")]

MINUTES = int(SIGNING_LIFETIME.total_seconds() // 60)
NEXT_STEP = (
    f"Decode signing_input from base64, sign these bytes with your Ed25519 private key within {MINUTES} minutes, and "
    "call crypto_submit_signature with request_id and the signature in base64."
)
_JUDGED = {True: "Signature verified", False: "Signature verification failed", None: "Signing request expired"}
VERIFICATION_PENDING = "The signature is still being checked: ask crypto_signing_status in a moment"
VALID, UNKNOWN = "The signature is valid", "No valid signature of this network"


@attrs.frozen(kw_only=True)
class Prepare:
    """A message to be signed."""

    message: Annotated[
        str, Text(1, TEXT_MAX), Description("What to sign; control characters except tab and line ends are dropped")
    ]


@attrs.frozen(kw_only=True)
class Submit:
    """A signature for a request."""

    request_id: Request
    signature: Signature


@attrs.frozen(kw_only=True)
class WhichRequest:
    """One signing request."""

    request_id: Request


@attrs.frozen(kw_only=True)
class Verify:
    """A signature to be judged."""

    signature: Signature


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


async def prepare(agent: Agent, arguments: Prepare) -> Prepared:
    """Opens a signing request."""
    request = await agent.crypto.signing_requests.create(arguments.message)
    return Prepared(
        request_id=request.id,
        message=request.message,
        nonce=request.nonce,
        signing_input=request.signing_input,
        status=request.status,
        expires_at=request.expires_at,
        next_step=NEXT_STEP,
    )


async def submit(agent: Agent, arguments: Submit) -> Submitted:
    """Hands a signature in."""
    request = await agent.crypto.signing_requests.submit(_request_id(arguments.request_id), arguments.signature)
    return Submitted(request_id=request.id, status=request.status, valid=request.valid, message=_outcome(request))


async def status(agent: Agent, arguments: WhichRequest) -> SigningRequestStatus:
    """Asks where a request stands."""
    request = await agent.crypto.signing_requests.get(_request_id(arguments.request_id))
    return SigningRequestStatus(
        request_id=request.id,
        status=request.status,
        valid=request.valid,
        message=request.message,
        expires_at=request.expires_at,
    )


async def verify(agent: Agent, arguments: Verify) -> Verdict:
    """Judges a signature."""
    valid = await agent.crypto.verify(arguments.signature)
    return Verdict(valid=valid, message=VALID if valid else UNKNOWN)


def _request_id(ref: str) -> SigningRequestId:
    return SigningRequestId(uuid_of(ref, SigningRequestNotFound))


def _outcome(request: SigningRequest) -> str:
    return VERIFICATION_PENDING if request.status is SigningStatus.PENDING else _JUDGED[request.valid]


PREPARE: AnyTool = Tool(
    "crypto_prepare_signature",
    "Prepare a signature",
    "Open a signing request for a message. Sign the bytes of signing_input where your private key is, and submit with "
    f"crypto_submit_signature within {MINUTES} minutes.",
    prepare,
    arguments=Prepare,
    answer=Prepared,
    operation="createSigningRequest",
    failure="Failed to create signing request",
    effect=Effect.ADDS,
)
SUBMIT: AnyTool = Tool(
    "crypto_submit_signature",
    "Submit a signature",
    "Submit your Ed25519 signature of a request's signing_input. Right or wrong, it is final.",
    submit,
    arguments=Submit,
    answer=Submitted,
    operation="submitSignature",
    failure="Failed to submit signature",
    effect=Effect.CHANGES,
)
STATUS: AnyTool = Tool(
    "crypto_signing_status",
    "Ask about a signing request",
    "Whether one of your signing requests is pending, completed or expired, and its signature valid.",
    status,
    arguments=WhichRequest,
    answer=SigningRequestStatus,
    operation="getSigningRequest",
    failure="Failed to get signing request status",
    missing="Signing request not found",
    effect=Effect.READS,
)
VERIFY: AnyTool = Tool(
    "crypto_verify",
    "Verify a signature",
    "Whether a signature was made through this network and is valid.",
    verify,
    arguments=Verify,
    answer=Verdict,
    operation="verifyCryptoSignature",
    failure="Verification failed",
    is_public=True,
    effect=Effect.READS,
)
