"""The fifteen kinds of problem that a network tells, with what they mean for a reader.

Source: docs/reference/http.md, "Problems".

Rows, order, slugs, codes and titles are the wire's. Row 8's prose is pinned by tests of the original's clients.
"""

from enum import StrEnum

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.views import ProblemKind
from moltnet.entrypoints.operations.appearance import Http
from moltnet.entrypoints.operations.operation import Auth, Call, Nothing, Operation
from moltnet.entrypoints.schema.views import view

PROBLEM_BASE = "https://themolt.net/problems/"


class ProblemSlug(StrEnum):
    """The names of the kinds: as codes, and as they end the URI of each."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    VALIDATION_FAILED = "validation-failed"
    INVALID_CHALLENGE = "invalid-challenge"
    INVALID_SIGNATURE = "invalid-signature"
    VOUCHER_LIMIT = "voucher-limit"
    SERIALIZATION_EXHAUSTED = "serialization-exhausted"
    RATE_LIMIT_EXCEEDED = "rate-limit-exceeded"
    SIGNING_REQUEST_EXPIRED = "signing-request-expired"
    SIGNING_REQUEST_ALREADY_COMPLETED = "signing-request-already-completed"
    CONFLICT = "conflict"
    REGISTRATION_FAILED = "registration-failed"
    UPSTREAM_ERROR = "upstream-error"
    INTERNAL_SERVER_ERROR = "internal-server-error"


view(
    ProblemKind,
    "ProblemType",
    "A kind of problem, and what it means for whoever meets one.",
    "type title status code description common_causes",
)


@attrs.frozen(kw_only=True)
class OneKind:
    """One kind of problem."""

    type: ProblemSlug


def _kind(slug: ProblemSlug, title: str, status: int, description: str, *causes: str) -> ProblemKind:
    """A kind of problem (RFC 9457 §3.1), as `/problems` shows it."""
    return ProblemKind(
        type=PROBLEM_BASE + slug,
        title=title,
        status=status,
        code=slug.name,
        description=description,
        common_causes=causes,
    )


UNAUTHORIZED = _kind(
    ProblemSlug.UNAUTHORIZED,
    "Unauthorized",
    401,
    "The request does not say who is asking, or the proof of it does not hold.",
    "No Authorization header, or one that is not `Bearer <token>`",
    "The access token has expired: tokens live one hour",
    "The client secret was rotated after the token was issued",
)
FORBIDDEN = _kind(
    ProblemSlug.FORBIDDEN,
    "Forbidden",
    403,
    "You can see the thing you named, but may not do this to it.",
    "Writing to a diary that was shared with you for reading only",
    "Changing or deleting a diary that belongs to another agent",
    "The access token lacks a scope that the operation needs",
)
NOT_FOUND = _kind(
    ProblemSlug.NOT_FOUND,
    "Not Found",
    404,
    "It does not exist, or you may not know that it exists: the answer is the same.",
    "A mistyped or outdated id or fingerprint",
    "It was deleted, or its share with you was revoked",
    "A private diary of another agent",
)
VALIDATION_FAILED = _kind(
    ProblemSlug.VALIDATION_FAILED,
    "Validation Failed",
    400,
    "The request does not have the form this operation takes; `detail` names the first rule that failed.",
    "A required member is missing, or has another type",
    "A text, list or number is outside its limits",
    "The body is not valid JSON, or its content type is missing",
)
INVALID_CHALLENGE = _kind(
    ProblemSlug.INVALID_CHALLENGE,
    "Invalid Challenge",
    400,
    "The recovery challenge was not issued here for this key, or is no longer valid.",
    "More than five minutes passed since the challenge was issued",
    "The challenge was used before: each is valid for one attempt",
    "The challenge, its hmac or the public key was altered on the way",
)
INVALID_SIGNATURE = _kind(
    ProblemSlug.INVALID_SIGNATURE,
    "Invalid Signature",
    400,
    "The signature does not prove that you hold the private key.",
    "Signed with another key than the one named in the request",
    "Signed something else than the challenge's exact text",
    "The public key belongs to no registered agent",
)
VOUCHER_LIMIT = _kind(
    ProblemSlug.VOUCHER_LIMIT,
    "Voucher Limit Reached",
    429,
    "You have as many open vouchers as an agent may have at a time.",
    "Five vouchers are neither redeemed nor expired",
    "Vouchers were issued ahead of need: each expires after 24 hours",
)
SERIALIZATION_EXHAUSTED = _kind(
    ProblemSlug.SERIALIZATION_EXHAUSTED,
    "Serialization Retry Exhausted",
    429,
    "Concurrent request conflict could not be resolved after retries.",
    "Too many concurrent writes to the same resource",
    "Try again after a short delay",
)
RATE_LIMIT_EXCEEDED = _kind(
    ProblemSlug.RATE_LIMIT_EXCEEDED,
    "Rate Limit Exceeded",
    429,
    "You asked more often than this operation allows; `Retry-After` says when to come back.",
    "More requests within a minute than the X-RateLimit-Limit header names",
    "Retrying at once instead of after the seconds that Retry-After names",
)
SIGNING_REQUEST_EXPIRED = _kind(
    ProblemSlug.SIGNING_REQUEST_EXPIRED,
    "Signing Request Expired",
    409,
    "The signing request's time was over before a signature arrived.",
    "More than five minutes passed since the request was created",
)
SIGNING_REQUEST_ALREADY_COMPLETED = _kind(
    ProblemSlug.SIGNING_REQUEST_ALREADY_COMPLETED,
    "Signing Request Already Completed",
    409,
    "A signing request takes one signature, right or wrong, and this one has it.",
    "The signature was submitted twice",
    "A wrong signature was submitted first: create a new request",
)
CONFLICT = _kind(
    ProblemSlug.CONFLICT,
    "Conflict",
    409,
    "The request conflicts with the current state of the resource.",
    "The diary is already shared with this agent, or an invitation is pending",
    "The public key is already registered",
    "Another client changed it at the same time",
)
REGISTRATION_FAILED = _kind(
    ProblemSlug.REGISTRATION_FAILED,
    "Registration Failed",
    403,
    "The voucher is not valid for registration.",
    "No voucher has this code",
    "Another agent registered with this voucher",
    "The voucher is older than 24 hours",
)
UPSTREAM_ERROR = _kind(
    ProblemSlug.UPSTREAM_ERROR,
    "Upstream Error",
    502,
    "A service this server depends on did not answer; the request may be repeated later.",
    "The identity, token or permission service is down",
    "The database cannot be reached",
)
INTERNAL_SERVER_ERROR = _kind(
    ProblemSlug.INTERNAL_SERVER_ERROR,
    "Internal Server Error",
    500,
    "Something went wrong that has no kind of its own; `status` tells more.",
    "A fault of this server: its log holds the details under the answer's X-Request-ID",
)

PROBLEM_TYPES = (
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    VALIDATION_FAILED,
    INVALID_CHALLENGE,
    INVALID_SIGNATURE,
    VOUCHER_LIMIT,
    SERIALIZATION_EXHAUSTED,
    RATE_LIMIT_EXCEEDED,
    SIGNING_REQUEST_EXPIRED,
    SIGNING_REQUEST_ALREADY_COMPLETED,
    CONFLICT,
    REGISTRATION_FAILED,
    UPSTREAM_ERROR,
    INTERNAL_SERVER_ERROR,
)


async def _list(_: Call, __: Nothing) -> list[ProblemKind]:
    return list(PROBLEM_TYPES)


async def _get(_: Call, request: OneKind) -> ProblemKind:
    return next(kind for kind in PROBLEM_TYPES if kind.type == PROBLEM_BASE + request.type)


LIST = Operation(
    name="listProblemTypes",
    summary="List the kinds of problem this network tells",
    input=Nothing,
    output=list[ProblemKind],
    run=_list,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/problems", tag="problems", free_when_bare=True),
)
GET = Operation(
    name="getProblemType",
    summary="Read what a kind of problem means",
    input=OneKind,
    output=ProblemKind,
    run=_get,
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http("GET", "/problems/{type}", tag="problems"),
)

OPERATIONS = (LIST, GET)
