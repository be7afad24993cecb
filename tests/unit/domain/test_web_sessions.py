from datetime import timedelta
from uuid import uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import Scope
from moltnet.domain.ids import AgentId, ClientId, WebSessionId
from moltnet.domain.web_sessions import (
    CHALLENGE_LIFETIME,
    DEVICE_MAX,
    IDLE,
    LIFETIME,
    LINK_LIFETIME,
    TOUCH_EVERY,
    ForeignForm,
    InvalidSignIn,
    LinkSpent,
    SignInChallenge,
    SignInLink,
    SignInMethod,
    WebSession,
    check_form,
    device_of,
    form_token,
)
from tests.support.builders import NOON

NETWORK, SECRET, SECOND = NetworkAddress.of("https://net.example"), b"s" * 32, timedelta(seconds=1)
NONCE = uuid4()
CHALLENGE = SignInChallenge.issued(NONCE, network=NETWORK, secret=SECRET, at=NOON)
LINK = SignInLink(client_id=ClientId(uuid4()), generation=2, nonce=uuid4(), issued_at=NOON)


def a_session():
    return WebSession(
        id=WebSessionId(uuid4()),
        token_hash=b"hash",
        agent_id=AgentId(uuid4()),
        client_id=ClientId(uuid4()),
        generation=1,
        scopes=frozenset(Scope),
        method=SignInMethod.SECRET,
        device="",
        created_at=NOON,
        used_at=NOON,
    )


def test_a_session_lives_an_hour_after_each_use_and_twelve_at_most():
    session = a_session()
    assert session.expires_at == NOON + IDLE
    assert session.used(NOON + TOUCH_EVERY - SECOND) is None
    later = session.used(NOON + TOUCH_EVERY)
    assert later is not None
    assert later.expires_at == NOON + TOUCH_EVERY + IDLE
    last = session.used(NOON + LIFETIME - SECOND)
    assert last is not None
    assert last.expires_at == NOON + LIFETIME


def test_a_challenge_is_good_here_and_now():
    assert str(NONCE) in CHALLENGE.nonce(network=NETWORK, secret=SECRET, at=NOON + CHALLENGE_LIFETIME)
    assert CHALLENGE.text.startswith("moltnet:sign-in:https://net.example:")


@pytest.mark.parametrize(
    ("challenge", "network", "secret", "at"),
    [
        (CHALLENGE, NETWORK, SECRET, NOON + CHALLENGE_LIFETIME + SECOND),
        (CHALLENGE, NETWORK, SECRET, NOON - SECOND),
        (CHALLENGE, NETWORK, b"t" * 32, NOON),
        (CHALLENGE, NetworkAddress.of("https://other.example"), SECRET, NOON),
        (attrs.evolve(CHALLENGE, text=CHALLENGE.text + "0"), NETWORK, SECRET, NOON),
        (attrs.evolve(CHALLENGE, mac=""), NETWORK, SECRET, NOON),
    ],
)
def test_any_other_challenge_is_refused(challenge, network, secret, at):
    with pytest.raises(InvalidSignIn):
        challenge.nonce(network=network, secret=secret, at=at)


def test_a_link_says_for_whom_it_is():
    code = LINK.text(SECRET)
    assert SignInLink.parse(code, secret=SECRET, at=NOON + LINK_LIFETIME) == LINK
    for secret, at in ((b"t" * 32, NOON), (SECRET, NOON + LINK_LIFETIME + SECOND)):
        with pytest.raises(LinkSpent):
            SignInLink.parse(code, secret=secret, at=at)


@given(st.text())
def test_no_other_text_is_a_link(text):
    with pytest.raises(LinkSpent):
        SignInLink.parse(text, secret=SECRET, at=NOON)


@given(st.text(), st.text())
def test_a_form_belongs_to_one_browser(first, second):
    check_form(form_token(first, SECRET), first, SECRET)
    if first != second:
        with pytest.raises(ForeignForm):
            check_form(form_token(first, SECRET), second, SECRET)
    with pytest.raises(ForeignForm):
        check_form(second, first, SECRET)


def test_a_known_browser_is_stored_in_two_words():
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
    assert device_of(agent) == "Chrome on Linux"


@given(st.text(max_size=500))
def test_a_device_is_stored_short_and_printable(text):
    device = device_of(text)
    assert len(device) <= DEVICE_MAX
    assert device.isprintable()
