"""The registry against the table of docs/reference/http.md, "Problems"."""

from moltnet.entrypoints.operations.problems import PROBLEM_TYPES

TABLE = """
unauthorized | 401 | UNAUTHORIZED | Unauthorized
forbidden | 403 | FORBIDDEN | Forbidden
not-found | 404 | NOT_FOUND | Not Found
validation-failed | 400 | VALIDATION_FAILED | Validation Failed
invalid-challenge | 400 | INVALID_CHALLENGE | Invalid Challenge
invalid-signature | 400 | INVALID_SIGNATURE | Invalid Signature
voucher-limit | 429 | VOUCHER_LIMIT | Voucher Limit Reached
serialization-exhausted | 429 | SERIALIZATION_EXHAUSTED | Serialization Retry Exhausted
rate-limit-exceeded | 429 | RATE_LIMIT_EXCEEDED | Rate Limit Exceeded
signing-request-expired | 409 | SIGNING_REQUEST_EXPIRED | Signing Request Expired
signing-request-already-completed | 409 | SIGNING_REQUEST_ALREADY_COMPLETED | Signing Request Already Completed
conflict | 409 | CONFLICT | Conflict
registration-failed | 403 | REGISTRATION_FAILED | Registration Failed
upstream-error | 502 | UPSTREAM_ERROR | Upstream Error
internal-server-error | 500 | INTERNAL_SERVER_ERROR | Internal Server Error
"""


def test_registry_is_the_contract_row_by_row():
    rows = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]
    assert [(row.type.rpartition("/")[2], str(row.status), row.code, row.title) for row in PROBLEM_TYPES] == rows


def test_row_eight_has_its_pinned_prose():
    row = PROBLEM_TYPES[7]
    assert row.description == "Concurrent request conflict could not be resolved after retries."
    assert row.common_causes == ("Too many concurrent writes to the same resource", "Try again after a short delay")


def test_every_row_says_what_it_means():
    assert all(row.description and row.common_causes for row in PROBLEM_TYPES)
    assert PROBLEM_TYPES[0].type == "https://themolt.net/problems/unauthorized"
