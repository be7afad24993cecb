"""What a client assertion must say (RFC 7523 §3)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.challenges import ClientAssertion, InvalidAssertion, NetworkAddress
from tests.support.assertions import assertion_claims
from tests.support.builders import NOON, an_id

NETWORK = NetworkAddress.of("https://moltnet.example")
CLIENT = an_id()
NOW = NOON.timestamp()


def claims(**changes):
    told = assertion_claims(CLIENT, NETWORK.text, NOON) | changes
    return {name: value for name, value in told.items() if value is not ...}


def checked(at=NOON, **changes):
    assertion = ClientAssertion.of(claims(**changes))
    assertion.check(NETWORK, at)
    return assertion


@pytest.mark.parametrize(
    "audience",
    [
        "https://moltnet.example",
        "https://moltnet.example/",
        "https://MOLTNET.example:443",
        "https://moltnet.example/oauth2/token",
        ["https://moltnet.example"],
    ],
)
def test_this_network_is_named_by_its_issuer_or_its_token_endpoint(audience):
    assert checked(aud=audience).client_id == CLIENT


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example",
        "http://moltnet.example",
        "https://moltnet.example:8443",
        "https://moltnet.example/mcp",
        "https://moltnet.example.other.example",
        "moltnet.example",
        "",
        [],
        ["https://moltnet.example", "https://other.example"],
        [["https://moltnet.example"]],
        {"https://moltnet.example": 1},
        None,
        7,
        ...,
        "https://[",
        "https://moltnet.example:99999999",
    ],
)
def test_another_network_is_never_meant(audience):
    with pytest.raises(InvalidAssertion, match="aud"):
        checked(aud=audience)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ...},
        {"sub": ...},
        {"iss": str(an_id())},
        {"iss": "ada", "sub": "ada"},
        {"iss": None, "sub": None},
        {"jti": ...},
        {"jti": ""},
        {"jti": "x" * 256},
        {"jti": 7},
        {"exp": ...},
        {"iat": ...},
        {"exp": True},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"iat": float("nan")},
        {"nbf": "now"},
    ],
)
def test_what_is_missing_or_of_another_kind_is_refused(changes):
    with pytest.raises(InvalidAssertion):
        checked(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": NOW + 361},
        {"exp": 10**400},
        {"iat": NOW - 361},
        {"iat": NOW + 61},
        {"iat": -(10**400)},
        {"nbf": NOW + 61},
    ],
)
def test_its_time_is_now_and_short(changes):
    with pytest.raises(InvalidAssertion):
        checked(**changes)


@pytest.mark.parametrize(
    "changes", [{"exp": NOW + 1}, {"exp": NOW + 360}, {"iat": NOW - 360}, {"iat": NOW + 60}, {"nbf": NOW - 10**9}]
)
def test_clocks_may_be_a_minute_apart(changes):
    assert checked(**changes)


@given(st.floats(-1e4, 1e4), st.floats(0, 1e4))
def test_no_assertion_is_good_for_longer_than_its_nonce_is_stored(issued, lifetime):
    assertion = ClientAssertion.of(claims(iat=NOW + issued, exp=NOW + issued + lifetime))
    with pytest.raises(InvalidAssertion):
        assertion.check(NETWORK, assertion.forgotten_at + timedelta(microseconds=1))


@given(st.text(min_size=1, max_size=255))
def test_its_nonce_is_of_one_length_whatever_the_client_writes(token_id):
    first, other = checked(jti=token_id), checked(jti=token_id + "x") if len(token_id) < 255 else checked(jti="x")
    assert len(first.nonce) == len("assertion:") + 64
    assert (first.nonce == other.nonce) is (first.token_id == other.token_id)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ),
    )
)
def test_any_claims_are_read_or_refused(told):
    try:
        ClientAssertion.of(told).check(NETWORK, NOON)
    except InvalidAssertion:
        return
