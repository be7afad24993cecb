"""Public keys, fingerprints and signature texts: the vectors of the wire, and what every text must survive."""

import base64
import hashlib
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moltnet.domain.errors import Invalid
from moltnet.domain.keys import (
    Fingerprint,
    MalformedFingerprint,
    MalformedKey,
    PublicKey,
    UnusableKey,
    decode_signature,
)

RAW_KEYS = st.binary(min_size=32, max_size=32)
BASE64 = string.ascii_letters + string.digits + "+/-_"
STRAY = st.text(st.characters(exclude_characters=BASE64 + "="), min_size=1, max_size=3)
# The pattern of the wire, wherever a fingerprint is sent.
FINGERPRINT = re.compile("[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}")
KEY_A = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.mark.parametrize(
    ("text", "fingerprint"),
    [
        ("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "21FE-31DF-A154-A261"),
        ("ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=", "39F7-13D0-A644-253F"),
    ],
)
def test_keys_of_the_wire_have_their_fingerprints(text: str, fingerprint: str) -> None:
    key = PublicKey.parse(text)
    assert str(key.fingerprint) == fingerprint
    assert PublicKey(key.raw).text == text


@given(raw=RAW_KEYS)
def test_canonical_text_is_read_back(raw: bytes) -> None:
    key = PublicKey(raw)
    assert PublicKey.parse(key.text) == key
    assert PublicKey.parse(key.text).raw == raw
    assert key.text == "ed25519:" + base64.b64encode(raw).decode("ascii")


@given(raw=RAW_KEYS, data=st.data())
def test_stray_characters_are_skipped_and_not_stored(raw: bytes, data: st.DataObject) -> None:
    digits = base64.b64encode(raw).decode("ascii")
    at = data.draw(st.integers(0, 43))
    text = "ed25519:" + digits[:at] + data.draw(STRAY) + digits[at:]
    assert PublicKey.parse(text).raw == raw
    assert str(PublicKey.parse(text)) == PublicKey(raw).text


@given(raw=RAW_KEYS)
def test_prefix_padding_and_alphabet_are_optional(raw: bytes) -> None:
    plain = base64.b64encode(raw).decode("ascii")
    for text in (plain, plain.rstrip("="), base64.urlsafe_b64encode(raw).decode("ascii")):
        assert PublicKey.parse(text) == PublicKey(raw)
        assert PublicKey.parse(text).text == PublicKey(raw).text


def test_nothing_is_read_behind_the_padding() -> None:
    assert PublicKey.parse(KEY_A + "AAAA") == PublicKey.parse(KEY_A)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("ed25519:", 0),
        ("ed25519:A", 0),
        ("ed25519:AAA=", 2),
        (KEY_A[:-2], 31),
        (KEY_A[:-1] + "AA", 33),
        ("ed25519:" + KEY_A[:-1] + "A" * 43, 64),
        ("=" + KEY_A, 0),
        ("\u00e9\u4e16\U0001f600", 0),
    ],
)
def test_text_that_is_no_32_bytes_says_how_many_it_holds(text: str, length: int) -> None:
    with pytest.raises(MalformedKey) as refused:
        PublicKey.parse(text)
    assert refused.value.length == length
    assert str(refused.value).startswith(f"public_key must be exactly 32 bytes (got {length})")
    assert "ed25519" in str(refused.value).lower()


@given(text=st.text())
@example("ed25519:ed25519:" + KEY_A)
@example("A" * 1000)
@example("\ud800")
def test_any_text_is_a_key_or_malformed(text: str) -> None:
    try:
        length = len(PublicKey.parse(text).raw)
    except MalformedKey as refused:
        length = -refused.length
    assert length == 32 or (length <= 0 and length != -32)


@given(raw=st.binary(max_size=70).filter(lambda raw: len(raw) != 32))
def test_no_key_of_another_length_can_be_built(raw: bytes) -> None:
    with pytest.raises(MalformedKey):
        PublicKey(raw)


@given(raw=RAW_KEYS)
def test_keys_are_equal_when_their_bytes_are(raw: bytes) -> None:
    key, unprefixed = PublicKey(raw), PublicKey.parse(base64.b64encode(raw).decode("ascii"))
    assert key == unprefixed
    assert hash(key) == hash(unprefixed)
    assert key != PublicKey(bytes([raw[0] ^ 1]) + raw[1:])


@given(raw=RAW_KEYS)
def test_fingerprint_is_the_head_of_the_hash(raw: bytes) -> None:
    text = str(Fingerprint.of(raw))
    assert bytes.fromhex(text.replace("-", "")) == hashlib.sha256(raw).digest()[:8]
    assert text == text.upper()
    assert [len(group) for group in text.split("-")] == [4, 4, 4, 4]
    assert PublicKey(raw).fingerprint == Fingerprint.of(raw)


@given(raw=RAW_KEYS)
def test_fingerprint_is_read_in_any_case(raw: bytes) -> None:
    fingerprint = Fingerprint.of(raw)
    assert Fingerprint.parse(str(fingerprint).lower()) == fingerprint
    assert Fingerprint.parse(str(fingerprint).swapcase()) == fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "21FE31DFA154A261",
        "21FE-31DF-A154",
        "21FE-31DF-A154-A261-",
        "21FE-31DF-A154-A261\n",
        " 21FE-31DF-A154-A261",
        "21FE-31DF-A154-A26G",
        "21FE\u201131DF\u2011A154\u2011A261",
        "21FE-31DF-A154-A26\u0661",
        "21\ufb00-31DF-A154-A261",
    ],
)
def test_other_texts_are_no_fingerprints(text: str) -> None:
    with pytest.raises(MalformedFingerprint):
        Fingerprint.parse(text)


@given(text=st.text() | st.from_regex(FINGERPRINT, fullmatch=True) | st.from_regex(r"[0-9A-Fa-f-]{19}", fullmatch=True))
def test_any_text_is_a_fingerprint_or_malformed(text: str) -> None:
    if FINGERPRINT.fullmatch(text):
        assert str(Fingerprint.parse(text)) == text.upper()
    else:
        with pytest.raises(MalformedFingerprint):
            Fingerprint.parse(text)


def test_fingerprints_are_built_in_upper_case_only() -> None:
    with pytest.raises(MalformedFingerprint):
        Fingerprint("21fe-31df-a154-a261")


@given(raw=st.binary(min_size=64, max_size=64))
def test_signature_text_is_read_back(raw: bytes) -> None:
    assert decode_signature(base64.b64encode(raw).decode("ascii")) == raw


@given(raw=st.binary(max_size=100).filter(lambda raw: len(raw) != 64))
def test_signature_of_another_length_is_none(raw: bytes) -> None:
    assert decode_signature(base64.b64encode(raw).decode("ascii")) is None


@pytest.mark.parametrize(
    "text",
    [
        "A" * 86,
        "A" * 85 + "B==",
        "-" * 86 + "==",
        "A" * 86 + "==\n",
        "A" * 43 + " " + "A" * 43 + "==",
        "A" * 86 + "====",
    ],
    ids=["no padding", "stray bits", "other alphabet", "line end", "blank inside", "too much padding"],
)
def test_only_one_text_names_a_signature(text: str) -> None:
    assert decode_signature("A" * 86 + "==") == bytes(64)
    assert decode_signature(text) is None


@given(text=st.text(max_size=120))
@example("\ud800" * 88)
@example("\u0410" * 86 + "==")
def test_any_text_is_a_signature_or_none(text: str) -> None:
    raw = decode_signature(text)
    assert raw is None or base64.b64encode(raw).decode("ascii") == text


def test_refusals_are_invalid_requests_with_codes_of_their_own() -> None:
    refusals = (MalformedKey, UnusableKey, MalformedFingerprint)
    assert all(issubclass(refusal, Invalid) for refusal in refusals)
    assert len({refusal.code for refusal in refusals}) == 3
