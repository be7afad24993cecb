"""Answers that refuse, as errors of the kinds that a network in this process raises."""

import json

import pytest

from moltnet.adapters.http.problems import refusal
from moltnet.domain import errors
from moltnet.domain.errors import MoltNetError
from moltnet.domain.idempotency import IdempotencyKeyReused
from moltnet.domain.ids import StaleVersion
from moltnet.domain.recovery import InvalidChallenge, InvalidProof
from moltnet.domain.signing import SigningRequestCompleted, SigningRequestExpired
from moltnet.domain.vouching import IssueContended, RegistrationRefused, VoucherLimitReached
from moltnet.entrypoints.operations.problems import PROBLEM_TYPES
from moltnet.ports.remote import FieldFault, Problem, RegistrationError, RemoteReply

KINDS: dict[str, type[MoltNetError]] = {
    "UNAUTHORIZED": errors.Unauthenticated,
    "FORBIDDEN": errors.Forbidden,
    "NOT_FOUND": errors.NotFound,
    "VALIDATION_FAILED": errors.Invalid,
    "INVALID_CHALLENGE": InvalidChallenge,
    "INVALID_SIGNATURE": InvalidProof,
    "VOUCHER_LIMIT": VoucherLimitReached,
    "SERIALIZATION_EXHAUSTED": IssueContended,
    "RATE_LIMIT_EXCEEDED": errors.Limited,
    "SIGNING_REQUEST_EXPIRED": SigningRequestExpired,
    "SIGNING_REQUEST_ALREADY_COMPLETED": SigningRequestCompleted,
    "CONFLICT": errors.Conflict,
    "REGISTRATION_FAILED": RegistrationRefused,
    "UPSTREAM_ERROR": errors.Unavailable,
    "INTERNAL_SERVER_ERROR": errors.Unavailable,
}


def answer(status: int, body: object = None, **headers: str) -> RemoteReply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RemoteReply(status=status, headers=headers, raw=raw)


@pytest.mark.parametrize("row", PROBLEM_TYPES, ids=lambda row: row.code)
def test_every_problem_of_the_registry_has_its_kind(row) -> None:
    body = {"type": row.type, "title": row.title, "status": row.status, "code": row.code, "detail": "why"}
    error = refusal(answer(row.status, body))
    assert isinstance(error, KINDS[row.code])
    assert isinstance(error, Problem)
    assert (error.code, error.problem_code, error.status_code) == (row.type, row.code, row.status)
    assert (error.detail, str(error), error.errors) == ("why", "why", ())


@pytest.mark.parametrize(("status", "kind"), [(412, StaleVersion), (422, IdempotencyKeyReused)])
def test_a_status_says_more_than_its_row(status: int, kind: type[MoltNetError]) -> None:
    row = "CONFLICT" if kind is StaleVersion else "VALIDATION_FAILED"
    assert isinstance(refusal(answer(status, {"code": row})), kind)


def test_the_rules_that_are_broken_are_listed() -> None:
    listed = [{"field": "/name", "message": "must be string"}, "odd", {"message": 1}]
    error = refusal(answer(400, {"title": "Validation Failed", "errors": listed}))
    assert isinstance(error, Problem)
    assert error.errors == (FieldFault("/name", "must be string"), FieldFault("", "1"))
    assert error.detail == "Validation Failed"


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({"message": "Route not found", "error": "Not Found", "statusCode": 404}, "UNKNOWN", "Request failed"),
        ({"code": "SHORT", "title": "Title"}, "SHORT", "Title"),
        (b"<html>secret</html>", "UNKNOWN", "Request failed"),
        (b"", "UNKNOWN", "Request failed"),
        ([], "UNKNOWN", "Request failed"),
        ({"type": 1, "title": None, "detail": ["x"], "errors": "x"}, "UNKNOWN", "Request failed"),
        (b"[" * 100_000, "UNKNOWN", "Request failed"),
    ],
)
@pytest.mark.parametrize("status", [302, 400, 404, 418, 500, 599])
def test_any_answer_is_an_error(status: int, body: object, code: str, detail: str) -> None:
    error = refusal(answer(status, body))
    assert isinstance(error, Problem)
    assert (error.code, error.detail, error.status_code) == (code, detail, status)
    kinds = {404: errors.NotFound, 500: errors.Unavailable, 599: errors.Unavailable}
    assert isinstance(error, kinds.get(status, errors.Invalid))


def test_a_refused_registration_says_so() -> None:
    error = refusal(answer(403, {"code": "REGISTRATION_FAILED"}), form=RegistrationError)
    assert isinstance(error, RegistrationError)
    assert isinstance(error, RegistrationRefused)
    assert not isinstance(refusal(answer(403, {"code": "REGISTRATION_FAILED"})), RegistrationError)


def test_the_time_to_wait_is_reported() -> None:
    error = refusal(answer(429, {"code": "RATE_LIMIT_EXCEEDED"}, **{"Retry-After": "12"}))
    assert isinstance(error, Problem)
    assert error.retry_after_s == 12
