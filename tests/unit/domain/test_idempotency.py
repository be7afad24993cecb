"""Keys of requests, and receipts of those that were carried out."""

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.idempotency import (
    KEY_MAX,
    IdempotencyKeyReused,
    IdempotencyRecord,
    IdempotentRequest,
    MalformedIdempotencyKey,
)
from tests.support.builders import NOON, a_keyed_request

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)


@given(key=st.text(VISIBLE, min_size=1, max_size=KEY_MAX))
def test_a_key_is_visible_ascii(key: str) -> None:
    assert a_keyed_request(key=key).key == key


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "a\n", "\x00", "a\x00b", "a\x7f", "ä", "\uff10", "\ud800", "a" * (KEY_MAX + 1)]
)
def test_nothing_else_is_a_key(key: str) -> None:
    with pytest.raises(MalformedIdempotencyKey):
        a_keyed_request(key=key)


def test_the_longest_key_is_good() -> None:
    assert a_keyed_request(key="k" * 255).key == "k" * 255


def test_a_record_is_stored_for_a_day() -> None:
    receipt = IdempotencyRecord.of(a_keyed_request(), b"answer", NOON)
    assert (receipt.created_at, receipt.expires_at) == (NOON, NOON + timedelta(hours=24))


def test_the_same_request_gets_the_answer() -> None:
    request = a_keyed_request()
    assert IdempotencyRecord.of(request, b"answer", NOON).answer_to(attrs.evolve(request)) == b"answer"


def test_another_request_under_the_same_key_is_refused() -> None:
    request = a_keyed_request()
    other: IdempotentRequest = attrs.evolve(request, fingerprint=b"another")
    with pytest.raises(IdempotencyKeyReused):
        IdempotencyRecord.of(request, b"answer", NOON).answer_to(other)


def test_an_answer_is_not_shown_where_a_record_is_logged() -> None:
    assert "secret" not in repr(IdempotencyRecord.of(a_keyed_request(), b"secret", NOON))
