"""How often a call is tried, how long is waited between, and when waiting ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.ory.service import CallLimits, Failed, asked_wait_s, retrying

LIMITS = CallLimits(attempts=3, first_wait_s=0.1, longest_wait_s=2.0)


async def waits(failure: Exception, *, repeatable: bool = True) -> list[float]:
    """What would have been waited, with this failure again and again."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def fail() -> None:
        raise failure

    with pytest.raises(type(failure)) as raised:
        await retrying(LIMITS, repeatable=repeatable, sleep=sleep)(fail)
    assert raised.value is failure
    return waited


@given(asked=st.floats(0, 2))
async def test_wait_grows_with_jitter_and_is_never_shorter_than_asked(asked: float):
    first, second = await waits(Failed("x", wait_s=asked))  # the last attempt waits for nothing
    assert max(asked, 0.05) <= first <= max(asked, 0.1)
    assert max(asked, 0.05) <= second <= max(asked, 0.2)


async def test_long_wait_is_not_waited():
    assert await waits(Failed("x", wait_s=2.1)) == []


async def test_what_must_be_sent_once_is_repeated_only_if_it_surely_did_nothing():
    assert await waits(Failed("x"), repeatable=False) == []
    assert len(await waits(Failed("x", had_effect=False), repeatable=False)) == 2


async def test_other_errors_are_raised_at_once():
    assert await waits(ValueError("x")) == []


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
