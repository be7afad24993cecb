"""How long is waited, and when waiting ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.ory.patience import Patience, asked_wait_s

PATIENCE = Patience(attempts=3, first_wait_s=0.1, longest_wait_s=2.0)


@given(attempt=st.integers(0, 1), asked=st.floats(0, 2))
def test_wait_grows_with_jitter_and_is_never_shorter_than_asked(attempt: int, asked: float):
    waited = PATIENCE.wait_s(attempt, asked)
    assert waited is not None
    assert waited >= asked
    assert waited <= max(asked, 0.1 * 2**attempt)
    assert waited >= 0.05 * 2**attempt


def test_last_attempt_waits_for_nothing():
    assert PATIENCE.wait_s(2, 0.0) is None


def test_long_wait_is_not_waited():
    assert PATIENCE.wait_s(0, 2.1) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1", "x-ratelimit-reset": "30"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        ({"Retry-After": "-1", "x-ratelimit-reset": "\u0661"}, 0),
    ],
)
def test_wait_that_is_asked_for(headers: dict[str, str], expected: float):
    assert asked_wait_s(headers) == expected
