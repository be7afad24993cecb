"""Outcomes as text: what another process reads is what was told."""

import sys
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moltnet.entrypoints.rest.refusals  # noqa: F401 - the whole family of errors
from moltnet.adapters.dbos.workflows import outcome_of, unwrap
from moltnet.domain.errors import MoltNetError
from moltnet.domain.sharing import ShareExists
from moltnet.ports.workflows import Json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def family(kind: type[MoltNetError] = MoltNetError) -> Iterator[type[MoltNetError]]:
    """All errors, but for those that a client of another test has made of what it was answered."""
    for each in kind.__subclasses__():
        if getattr(sys.modules[each.__module__], each.__name__, None) is each:
            yield each
            yield from family(each)


async def raising(error: BaseException) -> Json:
    raise error


@given(answer=JSON)
async def test_any_answer_is_returned_as_it_was_and_in_ascii(answer: Json) -> None:
    async def act() -> Json:
        return answer

    outcome = await outcome_of(act)
    assert outcome.isascii()
    assert unwrap(outcome) == answer


async def test_every_refusal_of_the_network_is_raised_again() -> None:
    for kind in set(family()):
        error = kind.__new__(kind)
        MoltNetError.__init__(error, "In other words")
        with pytest.raises(kind) as raised:
            unwrap(await outcome_of(partial(raising, error)))
        told = (type(raised.value), raised.value.detail, str(raised.value))
        assert told == (kind, "In other words", "In other words")


async def test_an_error_with_facts_keeps_its_sentence() -> None:
    error = ShareExists(None)
    with pytest.raises(ShareExists) as raised:
        unwrap(await outcome_of(lambda: raising(error)))
    assert str(raised.value) == str(error)


@pytest.mark.parametrize("error", [TypeError("wrong"), ZeroDivisionError("by zero"), LookupError("none")])
async def test_a_mistake_is_raised_again(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)):
        unwrap(await outcome_of(lambda: raising(error)))


async def test_what_is_no_builtin_and_none_of_ours_is_named() -> None:
    class Strange(Exception):
        pass

    with pytest.raises(RuntimeError, match="Strange: wrong"):
        unwrap(await outcome_of(lambda: raising(Strange("wrong"))))
    with pytest.raises(RuntimeError, match="UnicodeDecodeError"):
        unwrap(await outcome_of(lambda: raising(UnicodeDecodeError("utf-8", b"", 0, 1, "wrong"))))


def test_a_refusal_that_this_release_does_not_know_is_named() -> None:
    with pytest.raises(RuntimeError, match="OF_TOMORROW: wrong"):
        unwrap('{"error": {"code": "OF_TOMORROW", "detail": "wrong"}}')


async def test_what_ends_a_program_is_no_outcome() -> None:
    with pytest.raises(KeyboardInterrupt):
        await outcome_of(lambda: raising(KeyboardInterrupt()))


@pytest.mark.parametrize("answer", [float("nan"), b"bytes", {1, 2}])
async def test_what_is_not_json_is_an_error(answer: object) -> None:
    async def act() -> Json:
        return answer  # type: ignore[return-value]

    with pytest.raises((TypeError, ValueError)):
        unwrap(await outcome_of(act))
