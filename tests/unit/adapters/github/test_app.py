import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from moltnet.adapters.github import AppKeyUnreadable, signed_assertion

KEY = RSAKey.generate_key(2048)


def test_assertion_is_githubs() -> None:
    assertion = signed_assertion("42", KEY.as_pem(private=True).decode(), 1_000_000)
    token = jwt.decode(assertion, KEY, algorithms=["RS256"])
    assert token.claims == {"iss": "42", "iat": 999_940, "exp": 1_000_600}


@pytest.mark.parametrize("key", ["", "not a key", KEY.as_pem(private=False).decode()])
def test_key_that_cannot_sign_is_reported_in_one_sentence(key: str) -> None:
    with pytest.raises(AppKeyUnreadable, match="PEM"):
        signed_assertion("42", key, 0)
