"""Recovery: the checks of a challenge in their order, and what a recovery code's try comes to."""

import hmac
import re
from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.challenges import NetworkAddress, bound_nonce
from moltnet.domain.recovery import (
    CHALLENGE_LIFETIME,
    CODE_ATTEMPTS,
    CODE_LIFETIME,
    FLOW_LIFETIME,
    Challenge,
    CodeSpent,
    FlowAnswer,
    FlowOver,
    FlowState,
    InvalidChallenge,
    RecoveryCode,
    expires_at,
    verified_nonce,
)
from tests.support.builders import NOON, a_recovery_code

KEY = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
OTHER_KEY = "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
SECRET = b"the network's recovery secret"
RANDOM = bytes(range(16))
NETWORK = NetworkAddress.of("https://ours.example")
NONCE = bound_nonce(RANDOM, KEY, NETWORK)
DATE_TIME = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
RIGHT = b"the right hash"


def issued(at: datetime = NOON, key: str = KEY, secret: bytes = SECRET) -> Challenge:
    return Challenge.issued(key, RANDOM, network=NETWORK, secret=secret, at=at)


def marked(text: str) -> Challenge:
    """Any text, marked as if this network had issued it."""
    return Challenge(text=text, mac=hmac.new(SECRET, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest())


def refusal(challenge: Challenge, key: str = KEY, at: datetime = NOON) -> str:
    with pytest.raises(InvalidChallenge) as refused:
        verified_nonce(challenge, key, SECRET, at)
    return refused.value.detail


def tried(**changes: object) -> RecoveryCode:
    """A code's record after the first try, which was not right."""
    return attrs.evolve(a_recovery_code(), **{"code_hash": RIGHT, "attempts": 1, **changes})


def test_challenge_names_the_key_the_nonce_and_the_time():
    assert issued().text == f"moltnet:recovery:{KEY}:{NONCE}:1769774400000"


def test_challenge_of_this_network_states_its_nonce():
    assert verified_nonce(issued(), KEY, SECRET, NOON) == NONCE


def test_wire_form_of_a_challenge_is_the_seeds():
    assert re.fullmatch(rf"moltnet:recovery:{re.escape(KEY)}:[0-9a-f]{{64}}:[0-9]{{13}}", issued().text)
    assert re.fullmatch(r"[0-9a-f]{64}", issued().mac)


@given(age=st.timedeltas(timedelta(), CHALLENGE_LIFETIME))
def test_challenge_is_good_for_its_lifetime(age: timedelta):
    verified_nonce(issued(), KEY, SECRET, NOON + age)


def test_old_and_future_challenges_are_refused():
    assert refusal(issued(), at=NOON + CHALLENGE_LIFETIME + MILLISECOND) == "Challenge expired"
    assert refusal(issued(), at=NOON - MILLISECOND) == "Challenge timestamp is in the future"


@pytest.mark.parametrize(
    ("challenge", "key", "detail"),
    [
        (marked("moltnet:recovery:rsa:AAAA:00:0"), OTHER_KEY, "Invalid challenge format"),
        (marked(issued().text + ":"), KEY, "Invalid challenge format"),
        (Challenge(text=issued().text, mac=""), OTHER_KEY, "Challenge was issued for a different key"),
        (Challenge(text=issued().text[:-1] + "x", mac=issued().mac), KEY, "Invalid HMAC"),
        (issued(secret=b"another network's"), KEY, "Invalid HMAC"),
        (Challenge(text=issued().text, mac=issued().mac.upper()), KEY, "Invalid HMAC"),
        (Challenge(text=issued().text, mac="\ud800é"), KEY, "Invalid HMAC"),
        (marked(issued().text + "x"), KEY, "Invalid challenge timestamp"),
        (marked(issued().text + "0"), KEY, "Invalid challenge timestamp"),
        (marked(issued().text[:-13] + "\u0661"), KEY, "Invalid challenge timestamp"),
        (marked(issued().text[:-13] + "-1"), KEY, "Invalid challenge timestamp"),
    ],
)
def test_first_check_that_fails_is_reported(challenge: Challenge, key: str, detail: str):
    assert refusal(challenge, key) == detail


@given(place=st.integers(0, len(issued().text) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_challenge_can_be_turned(place: int, bit: int):
    text = bytearray(issued().text.encode("latin-1"))
    text[place] ^= 1 << bit
    forged = attrs.evolve(issued(), text=text.decode("latin-1"))
    refusal(forged)
    refusal(forged, key=":".join(forged.text.split(":")[2:4]))


@given(place=st.integers(0, 63), bit=st.integers(0, 7))
def test_no_bit_of_a_mark_can_be_turned(place: int, bit: int):
    mac = bytearray(issued().mac.encode("latin-1"))
    mac[place] ^= 1 << bit
    assert refusal(attrs.evolve(issued(), mac=mac.decode("latin-1"))) == "Invalid HMAC"


@given(length=st.integers(0, len(issued().text) - 1))
def test_a_cut_challenge_is_refused(length: int):
    refusal(attrs.evolve(issued(), text=issued().text[:length]))
    refusal(attrs.evolve(issued(), text=issued().text[-length - 1 : -1]))


@given(length=st.integers(0, 63))
def test_a_cut_mark_is_refused(length: int):
    assert refusal(attrs.evolve(issued(), mac=issued().mac[:length])) == "Invalid HMAC"


@given(text=st.text() | st.lists(st.text(), min_size=6, max_size=6).map(":".join), mac=st.text())
@example(text="moltnet:recovery:ed25519:\ud800:\ud800:\ud800", mac="\ud800")
def test_any_text_is_refused(text: str, mac: str):
    refusal(Challenge(text=text, mac=mac), ":".join(text.split(":")[2:4]))


def test_mark_distinguishes_texts_that_differ_in_what_cannot_be_encoded():
    assert issued(key="ed25519:\ud800").mac != issued(key="ed25519:?").mac


@given(early=st.timedeltas(timedelta(), timedelta(milliseconds=2)))
def test_used_nonce_is_stored_while_its_challenge_is_good(early: timedelta):
    used_at = NOON + early
    forgotten_at = expires_at(used_at) + DATE_TIME
    assert refusal(issued(at=used_at), at=forgotten_at) == "Challenge expired"


def test_try_that_counted_passed():
    assert tried(used=True).passed(RIGHT, NOON)


@pytest.mark.parametrize("attempts", [1, CODE_ATTEMPTS])
def test_wrong_code_leaves_the_flow_open(attempts: int):
    assert not tried(attempts=attempts).passed(b"wrong", NOON)


@pytest.mark.parametrize("authenticate", [RIGHT, b"wrong"])
def test_late_code_leaves_the_flow_open(authenticate: bytes):
    assert not tried().passed(authenticate, NOON + CODE_LIFETIME)


def test_right_code_that_did_not_count_was_used_before():
    with pytest.raises(CodeSpent):
        tried().passed(RIGHT, NOON + CODE_LIFETIME - DATE_TIME)


@pytest.mark.parametrize("at", [NOON, NOON + FLOW_LIFETIME - DATE_TIME])
def test_too_many_tries_spend_the_code(at: datetime):
    with pytest.raises(CodeSpent):
        tried(attempts=CODE_ATTEMPTS + 1).passed(b"wrong", at)


def test_flow_that_is_over_is_reported_before_all_else():
    for record in [tried(), tried(attempts=CODE_ATTEMPTS + 1)]:
        with pytest.raises(FlowOver):
            record.passed(RIGHT, NOON + FLOW_LIFETIME)


def test_answer_with_a_session_has_passed():
    answer = FlowAnswer(flow="f", url="u", issued_at=NOON, expires_at=NOON, session_token="ms_st_x")
    assert (answer.state, answer.message_id) == (FlowState.PASSED_CHALLENGE, None)
    assert "ms_st_x" not in repr(answer)


def test_answer_without_a_session_has_kratos_message():
    answer = FlowAnswer(flow="f", url="u", issued_at=NOON, expires_at=NOON)
    assert (answer.state, answer.message_id) == (FlowState.SENT_EMAIL, 4060006)
