"""What a key signs as a recovery challenge, and what it never signs (ADR-33)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.challenges import (
    CHALLENGE_LIFETIME,
    RANDOM_BYTES,
    ForeignChallenge,
    MalformedNetworkAddress,
    NetworkAddress,
    UnsafeChallenge,
    check_signable,
)
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import Challenge
from tests.support.builders import NOON

KEY = PublicKey(bytes(range(32)))
OTHER_KEY = PublicKey(bytes(range(1, 33)))
RANDOM = bytes(range(RANDOM_BYTES))
ASKED, ELSEWHERE = NetworkAddress.of("https://ours.example"), NetworkAddress.of("https://theirs.example")
MILLISECOND = timedelta(milliseconds=1)


def a_challenge(network: NetworkAddress = ASKED, key: PublicKey = KEY, at: datetime = NOON) -> str:
    return Challenge.issued(key.text, RANDOM, network=network, secret=b"secret", at=at).text


def test_challenge_of_the_network_that_was_asked_is_signed() -> None:
    check_signable(a_challenge(), KEY, ASKED, NOON)


def test_challenge_that_is_passed_on_from_another_network_is_not() -> None:
    with pytest.raises(ForeignChallenge, match=r"not made for https://ours\.example"):
        check_signable(a_challenge(ELSEWHERE), KEY, ASKED, NOON)


def test_challenge_that_is_bound_to_no_network_is_not() -> None:
    unbound = f"moltnet:recovery:{KEY.text}:{'5a' * 32}:{int(NOON.timestamp() * 1000)}"
    with pytest.raises(ForeignChallenge):
        check_signable(unbound, KEY, ASKED, NOON)


def test_binding_holds_for_one_key_and_one_nonce() -> None:
    theirs = a_challenge(key=OTHER_KEY)
    with pytest.raises(ForeignChallenge):
        check_signable(theirs.replace(OTHER_KEY.text, KEY.text), KEY, ASKED, NOON)
    head, nonce, at = a_challenge().rsplit(":", 2)
    with pytest.raises(ForeignChallenge):
        check_signable(":".join((head, "f" + nonce[1:], at)), KEY, ASKED, NOON)


def test_challenge_for_another_key_is_not_signed() -> None:
    with pytest.raises(UnsafeChallenge, match="another key"):
        check_signable(a_challenge(key=OTHER_KEY), KEY, ASKED, NOON)


@pytest.mark.parametrize("by", [CHALLENGE_LIFETIME, -CHALLENGE_LIFETIME])
def test_challenge_is_signed_within_five_minutes_of_its_time(by: timedelta) -> None:
    check_signable(a_challenge(), KEY, ASKED, NOON + by)
    with pytest.raises(UnsafeChallenge, match="clock"):
        check_signable(a_challenge(), KEY, ASKED, NOON + by + (MILLISECOND if by > timedelta() else -MILLISECOND))


@pytest.mark.parametrize(
    "altered",
    [
        "",
        "I hereby give all I have to Mallory",
        "{} ",
        " {}",
        "{}\n",
        "{}\x00",
        "{}0000",
        "x{}",
        "\ud800",
        "{}:and:more",
    ],
)
def test_nothing_but_a_challenge_is_signed(altered: str) -> None:
    with pytest.raises(UnsafeChallenge):
        check_signable(altered.format(a_challenge()), KEY, ASKED, NOON)


@given(text=st.text())
def test_no_text_is_signed_unseen(text: str) -> None:
    with pytest.raises(UnsafeChallenge):
        check_signable(text, KEY, ASKED, NOON)


@pytest.mark.parametrize("digits", ["0", "9999999999999", "²" * 13])
def test_any_time_is_read(digits: str) -> None:
    head, _, _ = a_challenge().rpartition(":")
    with pytest.raises(UnsafeChallenge):
        check_signable(f"{head}:{digits}", KEY, ASKED, datetime.now(UTC))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example", "HTTPS://API.example:443/"),
        ("http://api.example", "http://api.example:80"),
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000", "http://[::1]:8000/"),
        ("http://127.0.0.1:8000", "http://127.0.0.2:8000"),
        ("https://api.example/moltnet", "https://someone@api.example./moltnet/?x#y"),
        ("https://[2001:db8::1]", "https://[2001:0DB8:0::1]:443"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert NetworkAddress.of(one) == NetworkAddress.of(other)
    check_signable(a_challenge(NetworkAddress.of(one)), KEY, NetworkAddress.of(other), NOON)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example", "http://api.example"),
        ("https://api.example", "https://api.example:8443"),
        ("https://api.example", "https://api.example/other"),
        ("https://api.example", "https://api.example.evil.test"),
        ("http://localhost:8000", "http://localhost:8001"),
        ("http://127.0.0.1:8000", "http://10.0.0.1:8000"),
    ],
)
def test_addresses_of_two_networks_differ(one: str, other: str) -> None:
    with pytest.raises(ForeignChallenge):
        check_signable(a_challenge(NetworkAddress.of(one)), KEY, NetworkAddress.of(other), NOON)


@pytest.mark.parametrize("text", ["", "api.example", "ftp://api.example", "https://", "http://[::", "http://x:port"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedNetworkAddress):
        NetworkAddress.of(text)
