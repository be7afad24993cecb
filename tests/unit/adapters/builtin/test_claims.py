"""Tokens as texts: what a presented text must be before anything in it is believed."""

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from moltnet.adapters.builtin.claims import TOKEN_MAX, ParsedToken, sign, token_claims
from moltnet.adapters.builtin.keys import OpenKey
from moltnet.domain.credentials import ALL_SCOPES, CLOCK_SKEW, TOKEN_LIFETIME, InvalidToken, Scope, TokenClaims
from tests.support.builders import NOON, a_client, an_agent, an_id
from tests.support.tokens import ISSUER, SEAL, a_token_key

AGENT = an_agent()
CLIENT = a_client(agent_id=AGENT.id)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CLAIM_NAMES = ["iss", "exp", "nbf", "scp", "client_id", "moltnet:identity_id", "moltnet:generation"]


def opened() -> OpenKey:
    key = SEAL.open(a_token_key())
    assert key is not None
    return key


KEY = opened()
OTHER = RSAKey.generate_key(2048)


def good_claims(**changes: Any) -> dict[str, Any]:
    claims = token_claims(CLIENT, AGENT, frozenset({Scope.DIARY_READ}), an_id(), NOON)
    return {"iss": ISSUER, **claims, **changes}


def payload() -> bytes:
    return json.dumps(good_claims()).encode()


def good_token() -> str:
    return sign(ISSUER, good_claims(), KEY)


def signed(payload: bytes, key: RSAKey = KEY.key, **header: Any) -> str:
    """Whatever payload and header, truly signed (RFC 7518 §3.3)."""
    body = b64(json.dumps({"alg": "RS256", "kid": KEY.kid, **header}).encode()) + "." + b64(payload)
    assert key.private_key is not None
    return body + "." + b64(key.private_key.sign(body.encode(), PKCS1v15(), SHA256()))


def told(token: str) -> TokenClaims:
    """What a token says at NOON, by the key it may name."""
    authenticate = ParsedToken.parse(token)
    if authenticate.kid != KEY.kid:
        raise InvalidToken
    return authenticate.claims(KEY, issuer=ISSUER, at=NOON)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def without(name: str) -> dict[str, Any]:
    claims = good_claims()
    del claims[name]
    return claims


def hs256(secret: bytes) -> str:
    body = b64(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode()) + "." + b64(json.dumps(good_claims()).encode())
    return body + "." + b64(hmac.digest(secret, body.encode(), hashlib.sha256))


def with_header(header: object) -> str:
    """A good token under another header, with the signature it had."""
    return ".".join([b64(json.dumps(header).encode()), *good_token().split(".")[1:]])


def test_token_says_whose_it_is():
    assert told(signed(payload())) == told(good_token())
    assert told(good_token()) == TokenClaims(
        client_id=CLIENT.id,
        agent_id=AGENT.id,
        generation=1,
        scopes=frozenset({Scope.DIARY_READ}),
        not_before=(NOON - CLOCK_SKEW).timestamp(),
        expires_at=(NOON + TOKEN_LIFETIME).timestamp(),
    )


def test_token_header_is_the_wires():
    header = json.loads(base64.urlsafe_b64decode(good_token().split(".")[0] + "=="))
    assert header == {"typ": "JWT", "alg": "RS256", "kid": KEY.kid}


def test_token_of_a_client_with_all_scopes_is_within_the_limit():
    token = sign(ISSUER, token_claims(CLIENT, AGENT, ALL_SCOPES, an_id(), NOON), KEY)
    assert len(token) < TOKEN_MAX / 4
    assert told(token).scopes == ALL_SCOPES


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda: hs256(KEY.key.as_pem(private=False)), id="HS256 with the public key as PEM"),
        pytest.param(lambda: hs256(KEY.key.as_der(private=False)), id="HS256 with the public key as DER"),
        pytest.param(lambda: hs256(json.dumps(KEY.published()).encode()), id="HS256 with the published key"),
        pytest.param(lambda: hs256(b""), id="HS256 with nothing"),
        pytest.param(lambda: with_header({"alg": "none", "kid": KEY.kid}), id="alg none"),
        pytest.param(
            lambda: with_header({"alg": "none", "kid": KEY.kid}).rpartition(".")[0] + ".", id="none, unsigned"
        ),
        pytest.param(lambda: with_header({"alg": "NONE", "kid": KEY.kid}), id="alg NONE"),
        pytest.param(lambda: with_header({"alg": "RS512", "kid": KEY.kid}), id="another RSA algorithm"),
        pytest.param(lambda: with_header({"alg": ["RS256"], "kid": KEY.kid}), id="alg in a list"),
        pytest.param(lambda: with_header({"kid": KEY.kid}), id="no alg"),
        pytest.param(lambda: with_header({"alg": "RS256"}), id="no kid"),
        pytest.param(lambda: with_header({"alg": "RS256", "kid": [KEY.kid]}), id="kid in a list"),
        pytest.param(lambda: with_header({"alg": "RS256", "kid": KEY.kid.swapcase()}), id="kid in other case"),
        pytest.param(lambda: with_header(["alg", "kid"]), id="header is a list"),
        pytest.param(lambda: with_header("alg kid"), id="header is a text"),
        pytest.param(lambda: with_header(None), id="header is null"),
        pytest.param(lambda: signed(payload(), crit=["exp"], exp=1), id="critical header unknown"),
        pytest.param(lambda: signed(payload(), OTHER, jwk=OTHER.as_dict(private=False)), id="brings its own key"),
    ],
)
def test_forged_header_is_refused(forged: Callable[[], str]):
    with pytest.raises(InvalidToken):
        told(forged())


def test_another_key_under_the_same_id_is_refused():
    with pytest.raises(InvalidToken):
        told(sign(ISSUER, good_claims(), OpenKey(KEY.kid, NOON, OTHER)))


@pytest.mark.parametrize("name", ["iss", "exp", "scp", "client_id", "moltnet:identity_id", "moltnet:generation"])
def test_missing_claim_is_refused(name: str):
    with pytest.raises(InvalidToken):
        told(signed(json.dumps(without(name)).encode()))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"iss": "http://moltnet.example"},
        {"iss": [ISSUER]},
        {"exp": NOON.timestamp()},
        {"exp": str(NOON.timestamp() + 60)},
        {"exp": True},
        {"exp": None},
        {"exp": float("nan")},
        {"exp": float("-inf")},
        {"nbf": NOON.timestamp() + 1},
        {"nbf": None},
        {"nbf": True},
        {"nbf": float("nan")},
        {"scp": "diary:read"},
        {"scp": ["diary:read", "no:such"]},
        {"scp": [["diary:read"]]},
        {"scp": {"diary:read": 1}},
        {"client_id": 1},
        {"client_id": "not a client id"},
        {"moltnet:identity_id": None},
        {"moltnet:generation": "1"},
        {"moltnet:generation": True},
        {"moltnet:generation": 1.0},
    ],
    ids=str,
)
def test_claim_that_does_not_hold_is_refused(changes: dict[str, Any]):
    with pytest.raises(InvalidToken):
        told(signed(json.dumps(good_claims(**changes)).encode()))


def test_token_over_the_limit_is_refused_however_good():
    assert told(signed(json.dumps(good_claims(more="x" * 1000)).encode()))
    with pytest.raises(InvalidToken):
        told(signed(json.dumps(good_claims(more="x" * TOKEN_MAX)).encode()))


def test_token_without_nbf_is_good():
    assert told(signed(json.dumps(without("nbf")).encode())).client_id == CLIENT.id


@pytest.mark.parametrize("early", [timedelta(microseconds=1), timedelta(days=1)])
def test_token_has_no_leeway(early: timedelta):
    authenticate = ParsedToken.parse(good_token())
    for at in [NOON - CLOCK_SKEW - early, NOON + TOKEN_LIFETIME, NOON + TOKEN_LIFETIME + early]:
        with pytest.raises(InvalidToken):
            authenticate.claims(KEY, issuer=ISSUER, at=at)
    for at in [NOON - CLOCK_SKEW, NOON + TOKEN_LIFETIME - timedelta(microseconds=1)]:
        authenticate.claims(KEY, issuer=ISSUER, at=at)


@given(name=st.sampled_from(CLAIM_NAMES), value=JSON)
@example(name="exp", value=10**400)
@example(name="nbf", value=-(10**400))
def test_claim_of_any_shape_is_read_or_refused(name: str, value: Any):
    answered(signed(json.dumps(good_claims(**{name: value})).encode()))


@given(payload=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(payload=b"[" * 3000)
@example(payload=b'{"iss":' * 900)
@example(payload=b"9" * 5000)
@example(payload=b"\xff")
def test_signed_payload_of_any_shape_is_refused(payload: bytes):
    with pytest.raises(InvalidToken):
        told(signed(payload))


@given(header=JSON | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), JSON))
@example(header={"alg": "RS256", "kid": KEY.kid, "crit": ["b64"], "b64": False})
def test_header_of_any_shape_is_refused(header: Any):
    with pytest.raises(InvalidToken):
        told(with_header(header))


@given(text=st.text() | st.lists(st.text("abcXYZ019-_=+/ \x00é"), min_size=2, max_size=5).map(".".join))
@example(text="\ud800.\ud800.\ud800")
@example(text="e30.e30.e30")
@example(text="a" * (TOKEN_MAX + 1))
@example(text=b64(b"[" * 380) + ".e30.e30")
@example(text=b64(b'{"alg":' * 50) + ".e30.e30")
@example(text=b64(b'{"alg":"RS256","kid":"k","kid":1}') + ".e30.e30")
def test_any_text_is_refused(text: str):
    with pytest.raises(InvalidToken):
        told(text)


@given(data=st.data())
def test_token_with_one_character_changed_is_refused(data: st.DataObject):
    token = good_token()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[at]))
    with pytest.raises(InvalidToken):
        told(token[:at] + other + token[at + 1 :])


@given(data=st.data())
def test_truncated_or_padded_token_is_refused(data: st.DataObject):
    token = good_token()
    cut = data.draw(st.integers(0, len(token) - 1))
    tail = data.draw(st.text(max_size=3))
    for text in [token[:cut], token[cut + 1 :], token + (tail or "="), (tail or " ") + token]:
        with pytest.raises(InvalidToken):
            told(text)


def answered(token: str) -> None:
    """Raises anything but a refusal."""
    with contextlib.suppress(InvalidToken):
        told(token)
