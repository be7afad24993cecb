import json

import pytest

from moltnet.domain import errors
from moltnet.domain.caller import MissingScope
from moltnet.domain.entries import ContentTooLong
from moltnet.domain.recovery import InvalidChallenge, InvalidProof
from moltnet.domain.sharing import ShareExists, ShareStatus
from moltnet.domain.signing import SigningRequestCompleted, SigningRequestExpired
from moltnet.domain.vouching import IssueContended, VoucherExpired, VoucherLimitReached
from moltnet.entrypoints.rest.problems import PROBLEM_ROWS, problem_answer, row_of
from moltnet.entrypoints.rest.refusals import BodyTooLarge, InvalidRequest, TooManyRequests, UnsupportedMediaType

KINDS = {
    errors.Invalid: "validation-failed",
    errors.Unauthenticated: "unauthorized",
    errors.Forbidden: "forbidden",
    errors.NotFound: "not-found",
    errors.Conflict: "conflict",
    errors.Expired: "conflict",
    errors.Limited: "rate-limit-exceeded",
    errors.Unavailable: "upstream-error",
}


@pytest.mark.parametrize(("kind", "slug"), KINDS.items())
def test_kind_has_its_row(kind, slug):
    assert row_of(kind).type.rpartition("/")[2] == slug


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (MissingScope, "forbidden"),
        (ContentTooLong, "validation-failed"),
        (ShareExists, "conflict"),
        (InvalidChallenge, "invalid-challenge"),
        (InvalidProof, "invalid-signature"),
        (VoucherLimitReached, "voucher-limit"),
        (IssueContended, "serialization-exhausted"),
        (VoucherExpired, "registration-failed"),
        (SigningRequestExpired, "signing-request-expired"),
        (SigningRequestCompleted, "signing-request-already-completed"),
        (errors.StorageUnavailable, "upstream-error"),
        (errors.StorageFull, "upstream-error"),
        (errors.StorageReadOnly, "upstream-error"),
        (InvalidRequest, "validation-failed"),
        (TooManyRequests, "rate-limit-exceeded"),
        (BodyTooLarge, "internal-server-error"),
        (UnsupportedMediaType, "internal-server-error"),
        (KeyError, "internal-server-error"),
    ],
)
def test_error_takes_the_row_of_its_nearest_class(error, slug):
    assert row_of(error).type.rpartition("/")[2] == slug


def test_every_domain_error_has_a_row_of_its_kind_or_its_own():
    def descendants(kind):
        return {kind}.union(*(descendants(sub) for sub in kind.__subclasses__()))

    unplaced = {
        error
        for error in descendants(errors.MoltNetError) - {errors.MoltNetError}
        if row_of(error) is PROBLEM_ROWS[BaseException]
    }
    assert unplaced == set()


def test_full_disk_is_507_with_its_sentence_and_nothing_of_its_cause():
    answer = problem_answer(errors.StorageFull("no space on /srv/secret"), "/diaries")
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["code"]) == (507, 507, "UPSTREAM_ERROR")
    assert told["detail"] == errors.StorageFull.sentence
    assert "Retry-After" in answer.headers


def test_share_conflict_says_what_stands_in_the_way():
    assert ShareExists(ShareStatus.PENDING).detail == 'Share already exists with status "pending"'
