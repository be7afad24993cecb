"""Which requests are sent again, and how long that is waited for."""

from collections.abc import Callable

import attrs
import pytest
from tenacity import AsyncRetrying

from moltnet.adapters.http.rest_client import (
    LONGEST_WAIT_S,
    RESTART_S,
    TRIES,
    Broken,
    NotSent,
    Sleep,
    TryOutcome,
    reconnecting,
    retrying,
)
from moltnet.ports.remote import RemoteReply, RemoteRequest

READING, CREATING = (
    RemoteRequest(method="GET", path="/x", repeatable=True),
    RemoteRequest(method="POST", path="/x", json={}),
)
KEYED, ONCE = (
    RemoteRequest(method="POST", path="/x", json={}, repeatable=True),
    RemoteRequest(method="POST", path="/vouch", once_only=True),
)
BROKEN, TIMED_OUT, REFUSED = Broken("x"), Broken("x", timed_out=True), NotSent("x")


@attrs.define
class Sending:
    """Meets one outcome again and again; it is noted how long would have been waited before each."""

    outcome: TryOutcome
    sent: int = 0
    waits: list[float] = attrs.field(factory=list)

    async def send(self) -> TryOutcome:
        self.sent += 1
        return self.outcome

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def waits(outcome: TryOutcome, policy: Callable[[Sleep], AsyncRetrying]) -> list[float]:
    sending = Sending(outcome)
    assert await policy(sending.sleep)(sending.send) is outcome
    assert sending.sent == len(sending.waits) + 1
    return sending.waits


async def waits_of(call: RemoteRequest, outcome: TryOutcome) -> list[float]:
    return await waits(outcome, lambda sleep: retrying(call, sleep))


def answer(status: int, **headers: str) -> RemoteReply:
    return RemoteReply(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, raw=b""
    )


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_gateways_failure_is_met_by_reading_again(status: int) -> None:
    assert await waits_of(READING, answer(status))
    for other in (CREATING, KEYED, ONCE):
        assert not await waits_of(other, answer(status))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 412, 422, 500, 501])
async def test_what_was_decided_is_not_asked_again(status: int) -> None:
    for call in (READING, CREATING, KEYED, ONCE):
        assert not await waits_of(call, answer(status))


async def test_too_many_requests_are_slowed_down_but_for_what_is_asked_once() -> None:
    for call in (READING, CREATING, KEYED):
        assert all(7 <= wait < 8 for wait in await waits_of(call, answer(429, Retry_After="7")))
        assert len(await waits_of(call, answer(429, Retry_After="7"))) == TRIES - 1
        assert await waits_of(call, answer(429))
    assert not await waits_of(ONCE, answer(429, Retry_After="7"))


async def test_a_caller_that_would_have_to_wait_too_long_gets_an_error_at_once() -> None:
    assert min(await waits_of(READING, answer(429, Retry_After=str(LONGEST_WAIT_S)))) >= LONGEST_WAIT_S
    assert not await waits_of(READING, answer(429, Retry_After=str(LONGEST_WAIT_S + 1)))
    assert not await waits_of(READING, answer(503, Retry_After=str(LONGEST_WAIT_S + 1)))


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
async def test_a_time_that_is_not_given_in_seconds_counts_as_none(text: str) -> None:
    assert answer(429, Retry_After=text).retry_after_s is None
    assert await waits_of(READING, answer(429, Retry_After=text))


async def test_what_may_have_been_carried_out_is_repeated_where_that_does_no_harm() -> None:
    assert await waits_of(READING, BROKEN)
    assert await waits_of(KEYED, BROKEN)
    assert not await waits_of(CREATING, BROKEN)
    assert not await waits_of(ONCE, BROKEN)
    assert not await waits_of(READING, TIMED_OUT)


@pytest.mark.parametrize("outcome", [answer(503), answer(429, Retry_After="1"), BROKEN], ids=["503", "429", "broken"])
async def test_there_are_three_tries(outcome: TryOutcome) -> None:
    assert len(await waits_of(READING, outcome)) == TRIES - 1


async def test_a_network_that_restarts_is_waited_for() -> None:
    pauses = await waits(REFUSED, reconnecting)
    assert all(0 < pause <= 2 for pause in pauses)
    assert RESTART_S <= sum(pauses) < RESTART_S + 2
    assert not await waits_of(READING, REFUSED)  # nor again beyond that


@pytest.mark.parametrize("outcome", [answer(503), BROKEN], ids=["503", "broken"])
async def test_a_network_that_takes_connections_is_not_restarting(outcome: TryOutcome) -> None:
    assert not await waits(outcome, reconnecting)


async def test_pauses_grow_and_differ() -> None:
    many = [await waits_of(READING, BROKEN) for _ in range(100)]
    firsts, seconds = zip(*many, strict=True)
    assert all(0.2 <= first <= 0.4 for first in firsts)
    assert all(0.2 <= second <= 0.8 for second in seconds)
    assert max(seconds) > 0.4
    assert len({*firsts, *seconds}) > 100
