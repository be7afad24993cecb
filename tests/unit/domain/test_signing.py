"""What is signed, and a signing request through its life."""

import base64
import hashlib
from contextlib import nullcontext
from datetime import timedelta
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from moltnet.domain.signing import (
    MESSAGE_MAX,
    SIGNING_LIFETIME,
    MessageOutOfLimits,
    Scheme,
    SignatureOutOfLimits,
    SigningRequestCompleted,
    SigningRequestExpired,
    SigningStatus,
    check_signature_text,
    is_framed,
    signing_bytes,
)
from tests.support.builders import NOON, a_signing_request

PENDING, COMPLETED, EXPIRED = SigningStatus
# docs/reference/signatures.md, "Signed bytes": message, nonce, `signing_input`.
VECTORS = [
    (
        "line1\nline2\nline3",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        (
            "bW9sdG5ldDp2MQAAACBrtqWtm5xDp8tTXmNleHFrZKxC7eqBSkytECukBJRoNwAAACRmNDdhYzEwYi01OGNjLTQzNzItYTU2Ny0wZTAyYjJjM2Q0"
            "Nzk="
        ),
    ),
    (
        "m",
        "880e8400-e29b-41d4-a716-446655440004",
        (
            "bW9sdG5ldDp2MQAAACBixmp6XdcMMUZhgGPDROUx5tS1njeYCEQ86WKzq9Y8WgAAACQ4ODBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2NTU0NDAw"
            "MDQ="
        ),
    ),
]
ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]))


# What is signed


@pytest.mark.parametrize(("message", "nonce", "signing_input"), VECTORS)
def test_the_framing_is_that_of_the_wire(message: str, nonce: str, signing_input: str) -> None:
    request = a_signing_request(message=message, nonce=UUID(nonce))
    assert request.signing_input == signing_input
    assert request.framed == signing_bytes(message, nonce) == base64.b64decode(signing_input)


@given(message=ENCODABLE, nonce=ENCODABLE)
def test_a_frame_can_be_taken_apart_into_the_messages_hash_and_the_nonce(message: str, nonce: str) -> None:
    framed = signing_bytes(message, nonce)
    domain, rest = framed[:10], framed[10:]
    assert domain == b"moltnet:v1"
    size, digest, rest = rest[:4], rest[4:36], rest[36:]
    assert (size, digest) == (b"\x00\x00\x00\x20", hashlib.sha256(message.encode()).digest())
    assert rest[:4] == len(nonce.encode()).to_bytes(4, "big")
    assert rest[4:] == nonce.encode()


@given(left=st.tuples(ENCODABLE, ENCODABLE), right=st.tuples(ENCODABLE, ENCODABLE))
def test_no_two_pairs_frame_alike(left: tuple[str, str], right: tuple[str, str]) -> None:
    assert (signing_bytes(*left) == signing_bytes(*right)) is (left == right)


@pytest.mark.parametrize(
    ("message", "other"),
    [("a\r\nb", "a\nb"), (" a ", "a"), ("\u00e9", "e\u0301"), ("a\x00b", "ab"), ("\u2014\U0001f9e0", "-\U0001f9e0")],
)
def test_nothing_is_trimmed_or_normalised(message: str, other: str) -> None:
    assert signing_bytes(message, "nonce") != signing_bytes(other, "nonce")


def test_a_frame_has_86_bytes_with_a_uuid() -> None:
    assert len(a_signing_request().framed) == 86


def test_the_payload_is_the_seeds_text() -> None:
    request = a_signing_request(message="I endorse agent X", nonce=UUID(VECTORS[0][1]))
    assert request.payload == f"I endorse agent X.{VECTORS[0][1]}"


def test_the_workflow_is_named_after_its_request() -> None:
    request = a_signing_request()
    assert request.workflow_id == f"signing-{request.id}"


@pytest.mark.parametrize("message", ["a", "\U0001f9e0" * MESSAGE_MAX])
def test_a_message_has_1_to_100_000_characters(message: str) -> None:
    assert a_signing_request(message=message).message == message


@pytest.mark.parametrize("message", ["", "a" * (MESSAGE_MAX + 1)])
def test_no_other_message_is_taken(message: str) -> None:
    with pytest.raises(MessageOutOfLimits):
        a_signing_request(message=message)


@given(message=ENCODABLE, nonce=ENCODABLE, extra=st.binary(min_size=1, max_size=5))
def test_a_frame_is_known_from_any_other_bytes(message: str, nonce: str, extra: bytes) -> None:
    framed = signing_bytes(message, nonce)
    assert is_framed(framed)
    for other in (framed + extra, extra + framed, framed[len(extra) :], framed[: -len(extra)], message.encode()):
        assert not is_framed(other)


@pytest.mark.parametrize("cut", [0, 10, 14, 46, 49])
def test_the_beginning_of_a_frame_is_none(cut: int) -> None:
    assert not is_framed(signing_bytes("message", "")[:cut])


@pytest.mark.parametrize(("text", "is_signature"), [("", False), ("x", True), ("x" * 88, True), ("x" * 89, False)])
def test_the_text_of_a_signature_has_its_limits(text: str, *, is_signature: bool) -> None:
    with nullcontext() if is_signature else pytest.raises(SignatureOutOfLimits):
        check_signature_text(text)


def test_a_text_that_was_pasted_is_the_message_with_the_ends_of_lines_that_forms_make() -> None:
    request = a_signing_request(message="a\nb")
    assert [request.is_of(text) for text in ("a\nb", "a\r\nb", "a b", "")] == [True, True, False, False]
    with_cr = a_signing_request(message="a\r\nb")
    assert [with_cr.is_of(text) for text in ("a\r\nb", "a\nb")] == [True, False]


# Through its life


def test_a_completed_request_past_its_time_is_reported_as_expired() -> None:
    completed = a_signing_request().complete("signature", Scheme.FRAMED, NOON)
    with pytest.raises(SigningRequestCompleted):
        completed.check_open(completed.expires_at - timedelta(microseconds=1))
    with pytest.raises(SigningRequestExpired):
        completed.check_open(completed.expires_at)


def test_a_request_whose_end_was_noticed_early_is_over() -> None:
    expired = a_signing_request().expire(NOON)
    assert expired.is_over(NOON)
    with pytest.raises(SigningRequestExpired):
        expired.complete("signature", Scheme.FRAMED, NOON)
    with pytest.raises(SigningRequestCompleted):
        a_signing_request().complete("signature", None, NOON).expire(NOON + SIGNING_LIFETIME)


class Signing(RuleBasedStateMachine):
    """One request, as time passes, signatures come and the end of its time is noticed."""

    @initialize()
    def ask(self) -> None:
        self.request = self.first = a_signing_request()
        self.now = NOON
        self.status = PENDING

    @rule(by=st.sampled_from([timedelta(seconds=100), SIGNING_LIFETIME - timedelta(microseconds=1), SIGNING_LIFETIME]))
    def wait(self, by: timedelta) -> None:
        self.now += by

    def is_over(self) -> bool:
        return self.status is EXPIRED or self.now - NOON >= SIGNING_LIFETIME

    @rule(scheme=st.none() | st.sampled_from(Scheme))
    def sign(self, scheme: Scheme | None) -> None:
        # Past its time a request is expired, even a completed one (docs/reference/signatures.md, "Signing requests").
        if self.is_over() or self.status is COMPLETED:
            refusal = SigningRequestExpired if self.is_over() else SigningRequestCompleted
            with pytest.raises(refusal):
                self.request.complete("signature", scheme, self.now)
            with pytest.raises(refusal):
                self.request.check_open(self.now)
            return
        self.request.check_open(self.now)
        self.request = self.request.complete("signature", scheme, self.now)
        self.status = COMPLETED
        assert self.request == attrs.evolve(
            self.first,
            status=COMPLETED,
            signature="signature",
            valid=scheme is not None,
            scheme=scheme,
            completed_at=self.now,
        )

    @rule()
    def expire(self) -> None:
        if self.status is COMPLETED:
            with pytest.raises(SigningRequestCompleted):
                self.request.expire(self.now)
            return
        self.request = self.request.expire(self.now)
        self.status = EXPIRED
        assert self.request == attrs.evolve(self.first, status=EXPIRED, completed_at=self.now)

    @invariant()
    def it_is_what_it_should_be(self) -> None:
        assert self.request.status is self.status
        assert self.request.is_over(self.now) is self.is_over()
        assert (self.request.valid is None) is (self.status is not COMPLETED)
        assert self.request.framed == self.first.framed


TestSigning = Signing.TestCase
TestSigning.settings = settings(stateful_step_count=10, deadline=None)
