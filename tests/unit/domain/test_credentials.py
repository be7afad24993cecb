"""Client secrets and scopes."""

import base64
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.credentials import (
    ALL_SCOPES,
    ClientSecret,
    InvalidScope,
    MalformedClientId,
    Scope,
    hash_secret,
    secret_text,
)
from tests.support.builders import a_client

SCOPES = st.sets(st.sampled_from(Scope)).map(frozenset)
NAMES = st.lists(st.sampled_from([*(scope.value for scope in Scope), "DIARY:READ", "openid", "diary"]))


def test_there_are_the_seven_scopes_of_the_seed() -> None:
    assert {scope.value for scope in ALL_SCOPES} == {
        "diary:read",
        "diary:write",
        "diary:delete",
        "diary:share",
        "agent:profile",
        "agent:directory",
        "crypto:sign",
    }


@given(secret=st.text(), other=st.text())
@example("", "\x00")
@example("\ud800", "?")
def test_a_client_accepts_its_secret_and_no_other(secret: str, other: str) -> None:
    client = a_client(secret=secret)
    assert client.accepts(secret)
    assert client.accepts(other) is (other == secret)


def test_what_is_stored_of_a_secret_is_its_hash() -> None:
    assert hash_secret("secret") == hashlib.sha256(b"secret").digest()
    assert repr(hash_secret("secret")) not in repr(a_client(secret="secret"))


@given(raw=st.binary(min_size=32, max_size=32))
def test_a_secret_is_its_bytes_in_url_safe_text(raw: bytes) -> None:
    text = secret_text(raw)
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == raw
    assert "=" not in text


@given(held=SCOPES, names=NAMES, blanks=st.sampled_from([" ", "  ", "\t"]))
def test_a_client_grants_what_is_asked_for_or_refuses(held: frozenset[Scope], names: list[str], blanks: str) -> None:
    client = a_client(scopes=held)
    if set(names) <= {scope.value for scope in held}:
        assert client.grant(blanks.join(names)) == {Scope(name) for name in names}
        return
    with pytest.raises(InvalidScope):
        client.grant(blanks.join(names))


@pytest.mark.parametrize("requested", [None, "", "  "])
def test_without_a_name_none_is_granted(requested: str | None) -> None:
    assert a_client().grant(requested) == frozenset()


@pytest.mark.parametrize("text", ["", "x", "00000000-0000-0000-0000-00000000000", "\0", "\ud800"])
def test_a_client_id_is_a_uuid(text: str) -> None:
    with pytest.raises(MalformedClientId):
        ClientSecret.of(text, "secret")


def test_credentials_are_read_from_texts_and_do_not_show_their_secret() -> None:
    read = ClientSecret.of(" 00000000-0000-0000-0000-000000000001\n", "secret-1234")
    assert (read.client_id.int, read.secret) == (1, "secret-1234")
    assert "1234" not in repr(read)
