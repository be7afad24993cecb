"""When a service that does not answer is left alone."""

import attrs

from moltnet.adapters.ory.service import CircuitBreaker


@attrs.define
class Watch:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def open_breaker(watch: Watch) -> CircuitBreaker:
    breaker = CircuitBreaker(3, 10.0, watch)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_failures_that_are_not_in_a_row_leave_it_closed():
    breaker = CircuitBreaker(3, 10.0, Watch())
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.admits()


def test_failures_in_a_row_open_it_for_the_pause():
    watch = Watch()
    breaker = open_breaker(watch)
    watch.now_s = 9.9
    assert not breaker.admits()


def test_one_call_in_each_pause_looks_again():
    watch = Watch()
    breaker = open_breaker(watch)
    watch.now_s = 10.0
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    watch.now_s = 20.0  # what became of the first is not known: it was given up, say
    assert breaker.admits()
    breaker.failed()
    assert not breaker.admits()


def test_an_answer_closes_it():
    watch = Watch()
    breaker = open_breaker(watch)
    watch.now_s = 10.0
    assert breaker.admits()
    breaker.succeeded()
    assert all(breaker.admits() for _ in range(3))
