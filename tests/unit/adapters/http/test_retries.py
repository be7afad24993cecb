"""Which requests are sent again, and how long that is waited for."""

import pytest

from moltnet.adapters.http.calls import Call, Reply, creating, get
from moltnet.adapters.http.retries import LONGEST_WAIT_S, RESTART_S, TRIES, Attempts, Broken, NotSent, Outcome, Pace

READING, CREATING = get("/x"), creating("/x", {}, None)
KEYED, ONCE = creating("/x", {}, "k"), Call(method="POST", path="/vouch", once_only=True)
BROKEN, TIMED_OUT, REFUSED = Broken("x"), Broken("x", timed_out=True), NotSent("x")


def attempts(call: Call, *, met: bool = True, now: float = 0.0, chance: float = 0.0) -> Attempts:
    return Attempts(call, met, Pace(now=lambda: now, chance=lambda: chance))


def answer(status: int, **headers: str) -> Reply:
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, raw=b"")


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_failure_is_met_by_reading_again(status: int) -> None:
    assert attempts(READING).pause_s(answer(status)) is not None
    for other in (CREATING, KEYED, ONCE):
        assert attempts(other).pause_s(answer(status)) is None


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 412, 422, 500, 501])
def test_what_was_decided_is_not_asked_again(status: int) -> None:
    for call in (READING, CREATING, KEYED, ONCE):
        assert attempts(call).pause_s(answer(status)) is None


def test_too_many_requests_are_slowed_down_but_for_what_is_asked_once() -> None:
    for call in (READING, CREATING, KEYED):
        assert attempts(call, chance=0.5).pause_s(answer(429, Retry_After="7")) == 7.5
        assert attempts(call).pause_s(answer(429)) is not None
    assert attempts(ONCE).pause_s(answer(429, Retry_After="7")) is None


def test_whoever_would_have_to_wait_too_long_is_told_at_once() -> None:
    assert attempts(READING).pause_s(answer(429, Retry_After=str(LONGEST_WAIT_S))) == LONGEST_WAIT_S
    assert attempts(READING).pause_s(answer(429, Retry_After=str(LONGEST_WAIT_S + 1))) is None


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
def test_a_time_that_is_not_told_in_seconds_counts_as_none(text: str) -> None:
    assert answer(429, Retry_After=text).retry_after_s is None
    assert attempts(READING).pause_s(answer(429, Retry_After=text)) is not None


def test_what_may_have_been_carried_out_is_repeated_where_that_does_no_harm() -> None:
    assert attempts(READING).pause_s(BROKEN) is not None
    assert attempts(KEYED).pause_s(BROKEN) is not None
    assert attempts(CREATING).pause_s(BROKEN) is None
    assert attempts(ONCE).pause_s(BROKEN) is None
    assert attempts(READING).pause_s(TIMED_OUT) is None


@pytest.mark.parametrize("outcome", [answer(503), answer(429, Retry_After="1"), BROKEN], ids=["503", "429", "broken"])
def test_there_are_three_tries(outcome: Outcome) -> None:
    tries = attempts(READING)
    assert [tries.pause_s(outcome) is not None for _ in range(TRIES)] == [True, True, False]


def test_a_network_that_answered_before_is_waited_for_while_it_restarts() -> None:
    time = [0.0]
    tries = Attempts(CREATING, met=True, pace=Pace(now=lambda: time[0], chance=lambda: 1.0))
    waited = 0.0
    while (pause := tries.pause_s(REFUSED)) is not None:
        assert 0 < pause <= 2
        waited = time[0] = time[0] + pause
    assert RESTART_S <= waited < RESTART_S + 2


def test_a_network_that_never_answered_is_not_waited_for() -> None:
    assert attempts(READING, met=False).pause_s(REFUSED) is None


def test_pauses_grow_and_differ() -> None:
    low, high = attempts(READING, chance=0.0), attempts(READING, chance=1.0)
    lows, highs = [low.pause_s(BROKEN) for _ in range(2)], [high.pause_s(BROKEN) for _ in range(2)]
    assert all([*lows, *highs])
    assert lows[0] < highs[0] < highs[1]
    assert lows[0] < lows[1]
