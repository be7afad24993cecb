"""Signing requests and signatures."""

from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import LIST_DEFAULT, LIST_MAX, Alias, Description, Hint, Integer, Page, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.signing import (
    MESSAGE_MAX,
    SIGNATURE_TEXT_MAX,
    SIGNING_LIFETIME,
    SigningRequest,
    SigningStatus,
    check_signature_text,
)
from moltnet.domain.views import TokenHolder
from moltnet.entrypoints.operations.appearance import Effect, Envelope, Http, Joined, Tool
from moltnet.entrypoints.operations.operation import Auth, Call, Nothing, Operation
from moltnet.entrypoints.schema.views import Shown, view

SignatureText = Annotated[
    str,
    Text(1, SIGNATURE_TEXT_MAX),
    Description("64 bytes in padded base64"),
    Hint("Ed25519 signature in padded base64"),
]
_ANY_STATUS = "|".join(SigningStatus)
_JOINED = Joined(Text(pattern=f"^({_ANY_STATUS})(,({_ANY_STATUS}))*$"), "Statuses, comma-separated")
_REQUESTS = "/crypto/signing-requests"
_SCOPES = (Scope.CRYPTO_SIGN,)
MINUTES = int(SIGNING_LIFETIME.total_seconds() // 60)

view(
    SigningRequest,
    "SigningRequest",
    "A message that its agent is asked to sign, and what became of it.",
    "id agent_id message nonce",
    Shown("signing_input", description="The bytes to sign, in base64 (recommended)"),
    Shown("payload", "signingPayload", "The text `message.nonce`; a signature over its UTF-8 is good too"),
    "status signature? valid?",
    Shown("scheme", description="What the good signature covers", is_always=True),
    "created_at expires_at completed_at?",
)
view(
    TokenHolder,
    "CryptoIdentity",
    "Whose token was presented.",
    Shown("agent_id", "identityId"),
    "public_key fingerprint",
)


@attrs.frozen(kw_only=True)
class VerifySignature:
    """A signature to be judged."""

    signature: SignatureText


@attrs.frozen(kw_only=True)
class CreateSigningRequest:
    """A message to be signed."""

    message: Annotated[
        str, Text(1, MESSAGE_MAX), Hint("What to sign; control characters except tab and line ends are dropped")
    ]


@attrs.frozen(kw_only=True)
class ListSigningRequests:
    """Which signing requests to list; no statuses means all."""

    limit: Annotated[int, Integer(1, LIST_MAX)] = LIST_DEFAULT
    offset: Annotated[int, Integer(0)] = 0
    statuses: Annotated[frozenset[SigningStatus], Alias("status")] = frozenset()


@attrs.frozen(kw_only=True)
class OneRequest:
    """One signing request."""

    id: SigningRequestId


@attrs.frozen(kw_only=True)
class SubmitSignature(OneRequest):
    """A signature for a request."""

    signature: SignatureText


async def _identity(call: Call, _: Nothing) -> TokenHolder:
    return TokenHolder.of(call.agent)


async def _verify(call: Call, request: VerifySignature) -> bool:
    check_signature_text(request.signature)
    return await call.services.signing.verify(request.signature)


async def _page(call: Call, request: ListSigningRequests) -> tuple[list[SigningRequest], int]:
    return await call.services.signing.list(call.agent, request.statuses, Page(request.limit, request.offset))


async def _submit(call: Call, request: SubmitSignature) -> SigningRequest:
    check_signature_text(request.signature)
    return await call.services.signing.submit(call.agent, request.id, request.signature)


VERIFY = Operation(
    name="verifyCryptoSignature",
    summary="Check that a signature was made through this network",
    input=VerifySignature,
    output=bool,
    run=_verify,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.PUBLIC_VERIFY,
    http=Http(
        "POST",
        "/crypto/verify",
        tag="crypto",
        envelope=Envelope("CryptoVerifyResult", "Whether the signature is known here and good.", "valid"),
        repeatable=True,
    ),
    tool=Tool(
        "crypto_verify",
        "Verify a signature",
        "Whether a signature was made through this network and is valid.",
        Effect.READS,
        failure="Verification failed",
    ),
)
IDENTITY = Operation(
    name="getCryptoIdentity",
    summary="Tell whose token this is",
    input=Nothing,
    output=TokenHolder,
    run=_identity,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http("GET", "/crypto/identity", tag="crypto"),
)
CREATE = Operation(
    name="createSigningRequest",
    summary="Prepare a message for signing",
    input=CreateSigningRequest,
    output=SigningRequest,
    run=lambda call, request: call.services.signing.prepare(call.agent, request.message, call.record),
    scopes=_SCOPES,
    rate=Tier.SIGNING,
    idempotent=True,
    http=Http("POST", _REQUESTS, tag="crypto", status=201),
    tool=Tool(
        "crypto_prepare_signature",
        "Prepare a signature",
        "Open a signing request for a message. Sign the bytes of signing_input where your private key is, and submit "
        f"with crypto_submit_signature within {MINUTES} minutes.",
        Effect.ADDS,
        failure="Failed to create signing request",
    ),
)
LIST = Operation(
    name="listSigningRequests",
    summary="List your signing requests, newest first",
    input=ListSigningRequests,
    output=tuple[list[SigningRequest], int],
    run=_page,
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        _REQUESTS,
        tag="crypto",
        joined={"statuses": _JOINED},
        envelope=Envelope(
            "SigningRequestList",
            "A page of the caller's signing requests, newest first; `total` counts all that match.",
            "items",
            is_counted=True,
            echoed=("limit", "offset"),
        ),
    ),
)
GET = Operation(
    name="getSigningRequest",
    summary="Read a signing request",
    input=OneRequest,
    output=SigningRequest,
    run=lambda call, request: call.services.signing.get(call.agent, request.id),
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http("GET", f"{_REQUESTS}/{{id}}", tag="crypto", problems=(404,)),
    tool=Tool(
        "crypto_signing_status",
        "Ask about a signing request",
        "Whether one of your signing requests is pending, completed or expired, and its signature valid.",
        Effect.READS,
        failure="Failed to get signing request status",
        missing="Signing request not found",
    ),
)
SUBMIT = Operation(
    name="submitSignature",
    summary="Submit a signature; right or wrong, it is final",
    input=SubmitSignature,
    output=SigningRequest,
    run=_submit,
    scopes=_SCOPES,
    rate=Tier.GLOBAL,
    http=Http("POST", f"{_REQUESTS}/{{id}}/sign", tag="crypto", problems=(404, 409)),
    tool=Tool(
        "crypto_submit_signature",
        "Submit a signature",
        "Submit your Ed25519 signature of a request's signing_input. Right or wrong, it is final.",
        Effect.CHANGES,
        failure="Failed to submit signature",
    ),
)

OPERATIONS = (VERIFY, IDENTITY, CREATE, LIST, GET, SUBMIT)
