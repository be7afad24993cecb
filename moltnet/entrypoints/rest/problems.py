"""The one table from errors to problems, and how a problem is answered (RFC 9457; docs/reference/http.md, "Problems").

An error takes the row of its nearest class: a new domain error needs a row only when its kind's row does not fit.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import attrs
from aiohttp import web

from moltnet.domain.caller import MissingScope
from moltnet.domain.constraints import Description
from moltnet.domain.errors import (
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    Limited,
    MoltNetError,
    NotFound,
    StatementTimedOut,
    StorageFull,
    StorageReadOnly,
    Unauthenticated,
    Unavailable,
)
from moltnet.domain.idempotency import IdempotencyKeyReused
from moltnet.domain.ids import StaleVersion
from moltnet.domain.recovery import InvalidChallenge, InvalidProof, InvalidSession
from moltnet.domain.registration import RegistrationProofRefused
from moltnet.domain.signing import SigningRequestCompleted, SigningRequestExpired
from moltnet.domain.views import ProblemKind
from moltnet.domain.vouching import IssueContended, RegistrationRefused, VoucherLimitReached
from moltnet.entrypoints.operations import problems as types
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.refusals import (
    BodyInterrupted,
    BodyTooSlow,
    EncodedBody,
    ForeignOrigin,
    HeaderTooLarge,
    InvalidRequest,
    MalformedBody,
    MalformedHeader,
    MalformedMessage,
    MisdirectedRequest,
    Refusal,
    TooManyRequests,
    UnknownRoute,
    UnreadableTarget,
)
from moltnet.entrypoints.rest.request_parts import is_readable
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.schema.validate import Fault


@attrs.frozen(kw_only=True)
class ProblemDetails:
    """A problem document."""

    type: Annotated[str, Description("A URI that names the kind of problem")]
    title: str
    status: int
    code: Annotated[str, Description("A stable name of the kind, for programs")]
    detail: str
    instance: Annotated[str, Description("The target of the request that met the problem")]
    retry_after: Annotated[int, Description("Seconds after which to try again")] | None = None


@attrs.frozen
class ValidationError:
    """One rule that the request breaks, and where."""

    field: Annotated[str, Description("A JSON pointer, the bare name of a missing member, or `unknown` for the whole")]
    message: str


@attrs.frozen(kw_only=True)
class ValidationProblemDetails(ProblemDetails):
    """A problem document that lists the rules the request breaks."""

    errors: tuple[ValidationError, ...]


UNEXPECTED = "An unexpected error occurred"
RETRY_UNAVAILABLE_S = 5

PROBLEM_ROWS: Mapping[type[BaseException], ProblemKind] = MappingProxyType(
    {
        Invalid: types.VALIDATION_FAILED,
        Unauthenticated: types.UNAUTHORIZED,
        Forbidden: types.FORBIDDEN,
        NotFound: types.NOT_FOUND,
        Conflict: types.CONFLICT,
        Expired: types.CONFLICT,
        Limited: types.RATE_LIMIT_EXCEEDED,
        Unavailable: types.UPSTREAM_ERROR,
        InvalidChallenge: types.INVALID_CHALLENGE,
        InvalidProof: types.INVALID_SIGNATURE,
        InvalidSession: types.UNAUTHORIZED,
        RegistrationProofRefused: types.INVALID_SIGNATURE,
        VoucherLimitReached: types.VOUCHER_LIMIT,
        IssueContended: types.SERIALIZATION_EXHAUSTED,
        RegistrationRefused: types.REGISTRATION_FAILED,
        SigningRequestExpired: types.SIGNING_REQUEST_EXPIRED,
        SigningRequestCompleted: types.SIGNING_REQUEST_ALREADY_COMPLETED,
        InvalidRequest: types.VALIDATION_FAILED,
        MalformedBody: types.VALIDATION_FAILED,
        MalformedHeader: types.VALIDATION_FAILED,
        MalformedMessage: types.VALIDATION_FAILED,
        HeaderTooLarge: types.VALIDATION_FAILED,
        BodyInterrupted: types.VALIDATION_FAILED,
        BodyTooSlow: types.VALIDATION_FAILED,
        MisdirectedRequest: types.VALIDATION_FAILED,
        ForeignOrigin: types.FORBIDDEN,
        TooManyRequests: types.RATE_LIMIT_EXCEEDED,
        # All else, and 413 and 415 with their own status: no row is closer (docs/reference/http.md, "Problems").
        BaseException: types.INTERNAL_SERVER_ERROR,
    }
)

# Faults of ours that say nothing but what the client may know, and can do something about.
DISCLOSED: tuple[type[MoltNetError], ...] = (StatementTimedOut, StorageFull, StorageReadOnly)

# What has a status of its own in HTTP, but no row: it is reported as what it is (ADR-11).
STATUSES: Mapping[type[BaseException], int] = MappingProxyType(
    {StaleVersion: 412, IdempotencyKeyReused: 422, StorageFull: 507}
)

_LOG = logging.getLogger(__name__)


def row_of(error: type[BaseException]) -> ProblemKind:
    """The row of an error's nearest class."""
    return next(PROBLEM_ROWS[kind] for kind in error.__mro__ if kind in PROBLEM_ROWS)


def problem_response(error: Exception, request: web.Request) -> web.Response:
    """The answer that renders an error as a problem document; what is this server's own fault is logged here, once."""
    answer = problem_answer(error, request.raw_path)
    if answer.status >= types.INTERNAL_SERVER_ERROR.status:
        _log(error, request)
    return answer


def problem_answer(error: Exception, instance: str) -> web.Response:
    """The same without a word in the log; `instance` is what was asked for."""
    problem = _problem(error, instance)
    return web.Response(status=problem.status, body=to_json(json_value(problem)), headers=_headers(error))


def _problem(error: Exception, instance: str) -> ProblemDetails:
    row = row_of(type(error))
    status = error.status if isinstance(error, Refusal) else STATUSES.get(type(error), row.status)
    problem = ProblemDetails(
        type=row.type,
        title=row.title,
        status=status,
        code=row.code,
        detail=_detail(error, status),
        instance=instance,
        retry_after=error.retry_after_s if isinstance(error, TooManyRequests | Limited) else None,
    )
    return _listing(problem, error.reported_faults) if isinstance(error, InvalidRequest) else problem


def _detail(error: Exception, status: int) -> str:
    # Whatever a fault of ours would say is for the log alone: it may hold what the client must not learn.
    if isinstance(error, MoltNetError | Refusal) and status < types.INTERNAL_SERVER_ERROR.status:
        return error.detail
    if isinstance(error, DISCLOSED):
        return error.sentence
    return UNEXPECTED


def _listing(problem: ProblemDetails, faults: Sequence[Fault]) -> ProblemDetails:
    if not faults:
        return problem
    errors = tuple(ValidationError(fault.field, fault.message) for fault in faults)
    return ValidationProblemDetails(**attrs.asdict(problem), errors=errors)


def _headers(error: Exception) -> dict[str, str]:
    headers = {"Content-Type": "application/problem+json; charset=utf-8"}
    if isinstance(error, MissingScope):
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'  # RFC 6750 §3.1
    if isinstance(error, EncodedBody):
        headers["Accept-Encoding"] = "identity"  # RFC 9110 §15.5.16
    if isinstance(error, TooManyRequests | Limited) and error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_UNAVAILABLE_S)
    return headers


def _log(error: Exception, request: web.Request) -> None:
    if isinstance(error, Unavailable):
        _LOG.warning("%s: %s", request[REQUEST_CONTEXT].request_id, error.detail, exc_info=error)
    else:
        _LOG.error("%s: unexpected error", request[REQUEST_CONTEXT].request_id, exc_info=error)


_PLAIN_JSON = "application/json; charset=utf-8"


def refuse_unreadable(request: web.Request) -> None:
    """Raises UnreadableTarget for a path that cannot be decoded."""
    if not is_readable(request.rel_url.raw_path):
        raise UnreadableTarget


def refusal_response(error: Exception, request: web.Request) -> web.Response:
    """The answer for what was raised; there is no 405, only routes that do not exist."""
    if isinstance(error, UnreadableTarget):
        return _unreadable(request)
    if isinstance(error, UnknownRoute | web.HTTPNotFound | web.HTTPMethodNotAllowed):
        return _unknown_route(request)
    return problem_response(error, request)


def _unreadable(request: web.Request) -> web.Response:
    members = {
        "error": "Bad Request",
        "code": "FST_ERR_BAD_URL",
        "message": f"'{request.raw_path}' is not a valid url component",
        "statusCode": 400,
    }
    return web.Response(status=400, body=to_json(members), headers={"Content-Type": "application/json"})


def _unknown_route(request: web.Request) -> web.Response:
    message = f"Route {request.method}:{request.raw_path} not found"
    members = {"message": message, "error": "Not Found", "statusCode": 404}
    return web.Response(status=404, body=to_json(members), headers={"Content-Type": _PLAIN_JSON})
