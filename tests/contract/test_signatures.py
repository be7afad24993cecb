"""The port `Signatures`: the vectors of RFC 8032, of Project Wycheproof and of the wire, and what must never verify."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)
from nacl.signing import SigningKey

from moltnet.adapters.nacl import NaclSignatures
from moltnet.domain.keys import PublicKey, decode_signature
from moltnet.domain.signing import signing_bytes
from moltnet.ports.keys import Signatures

VECTORS = Path(__file__).parents[1] / "support" / "vectors"
RFC_8032: list[dict[str, str]] = json.loads((VECTORS / "rfc8032" / "ed25519.json").read_text("ascii"))
WYCHEPROOF: dict[str, Any] = json.loads((VECTORS / "wycheproof" / "ed25519.json").read_text("utf-8"))

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
SEED_A = base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
KEY_A = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
MESSAGE = b"what was said"


def little_endian(number: int) -> bytes:
    return number.to_bytes(32, "little")


IDENTITY = little_endian(1)
ORDER_2 = little_endian(FIELD - 1)
ORDER_4 = little_endian(0)
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
MAKES_MIXED = {"order 2": ORDER_2, "order 4": ORDER_4, "order 8": ORDER_8}


@attrs.frozen
class Case:
    """One case of Project Wycheproof."""

    key: PublicKey
    message: bytes
    signature: bytes
    result: str
    flags: tuple[str, ...]
    number: int

    def __str__(self) -> str:
        return f"{self.number}-{self.flags[0]}-{self.result}"


CASES = [
    Case(
        PublicKey(bytes.fromhex(group["publicKey"])),
        bytes.fromhex(case["msg"]),
        bytes.fromhex(case["sig"]),
        case["result"],
        tuple(case["flags"]),
        case["tcId"],
    )
    for group in WYCHEPROOF["testGroups"]
    for case in group["tests"]
]
STRANGE_KEYS = [case for case in CASES if case.result == "acceptable"]


@pytest.fixture(scope="module")
def signatures() -> Signatures:
    return NaclSignatures()


@pytest.mark.parametrize("vector", RFC_8032, ids=lambda vector: vector["name"])
def test_vectors_of_rfc_8032_verify(signatures: Signatures, vector: dict[str, str]) -> None:
    key = PublicKey(bytes.fromhex(vector["publicKey"]))
    assert signatures.is_usable(key)
    assert signatures.verify(key, bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"]))


@pytest.mark.parametrize("vector", RFC_8032, ids=lambda vector: vector["name"])
def test_vectors_of_rfc_8032_are_what_their_seeds_sign(vector: dict[str, str]) -> None:
    seed = SigningKey(bytes.fromhex(vector["seed"]))
    assert seed.verify_key.encode().hex() == vector["publicKey"]
    assert seed.sign(bytes.fromhex(vector["message"])).signature.hex() == vector["signature"]


def test_all_cases_of_wycheproof_are_there() -> None:
    assert len(CASES) == WYCHEPROOF["numberOfTests"] == 210
    assert {case.number for case in CASES} == set(range(1, 211))


def test_wycheproof_valid_and_invalid_are_distinguished(signatures: Signatures) -> None:
    for case in CASES:
        if case.result != "acceptable":
            assert signatures.verify(case.key, case.message, case.signature) is (case.result == "valid"), case
        if case.result == "valid":
            assert signatures.is_usable(case.key), case


def test_wycheproof_keys_of_small_and_mixed_order_are_unusable(signatures: Signatures) -> None:
    assert [case for case in STRANGE_KEYS if signatures.is_usable(case.key)] == []


def test_nothing_verifies_under_a_key_of_small_order(signatures: Signatures) -> None:
    small = [case for case in STRANGE_KEYS if "SmallOrderPublicKey" in case.flags]
    assert small
    assert [case for case in small if signatures.verify(case.key, case.message, case.signature)] == []


def test_key_of_the_wire_signs_raw_text(signatures: Signatures) -> None:
    text = "eyt0UK7IZfCyM4If36ciACoXelW5DHc3OK7LqnHPer/wE3Cvr+GRlpyoM/u9ziRttztFjUcch5nNNG36J5/jAg=="
    signature = decode_signature(text)
    assert signature is not None
    assert signatures.verify(PublicKey.parse(KEY_A), b"moltnet:test:hello", signature)


@pytest.mark.parametrize(
    ("message", "nonce", "signing_input"),
    [
        (
            "line1\nline2\nline3",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            (
                "bW9sdG5ldDp2MQAAACBrtqWtm5xDp8tTXmNleHFrZKxC7eqBSkytECukBJRo"
                "NwAAACRmNDdhYzEwYi01OGNjLTQzNzItYTU2Ny0wZTAyYjJjM2Q0Nzk="
            ),
        ),
        (
            "m",
            "880e8400-e29b-41d4-a716-446655440004",
            (
                "bW9sdG5ldDp2MQAAACBixmp6XdcMMUZhgGPDROUx5tS1njeYCEQ86WKzq9Y8"
                "WgAAACQ4ODBlODQwMC1lMjliLTQxZDQtYTcxNi00NDY2NTU0NDAwMDQ="
            ),
        ),
    ],
    ids=["three lines", "one letter"],
)
def test_framed_bytes_are_those_of_the_wire(message: str, nonce: str, signing_input: str) -> None:
    assert base64.b64encode(signing_bytes(message, nonce)).decode("ascii") == signing_input


def test_key_of_the_wire_signs_framed_lines(signatures: Signatures) -> None:
    framed = signing_bytes("line1\nline2\nline3", "f47ac10b-58cc-4372-a567-0e02b2c3d479")
    text = "5YWAAbGXrGg/UCT/b6n7s3rvfDisiCknZKeZ4+jUfHEs/ZqN2oQA+jcFxRiloAufiMGjhAXjbZ0PIR+cb9qwAQ=="
    signature = decode_signature(text)
    assert signature is not None
    assert signatures.verify(PublicKey.parse(KEY_A), framed, signature)
    assert not signatures.verify(PublicKey.parse(KEY_A), framed + b"\n", signature)


@pytest.mark.parametrize(
    "message",
    [
        "line1\r\nline2\r\n",
        "  blanks around \t\n",
        "an em-dash \u2014 and \U0001f980",
        "\u65e5\u8a18\u306e\u7f72\u540d",
        "before\x00after",
        "long " * 300,
    ],
    ids=["CRLF", "blanks", "emoji", "CJK", "NUL", "1 KiB+"],
)
def test_text_reaches_its_signature_unchanged(signatures: Signatures, message: str) -> None:
    nonce = "880e8400-e29b-41d4-a716-446655440004"
    signature = SigningKey(SEED_A).sign(signing_bytes(message, nonce)).signature
    assert signatures.verify(PublicKey.parse(KEY_A), signing_bytes(message, nonce), signature)
    assert not signatures.verify(PublicKey.parse(KEY_A), signing_bytes(message.strip() + "!", nonce), signature)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300))
def test_what_an_agent_signs_verifies(signatures: Signatures, seed: bytes, message: bytes) -> None:
    agent = SigningKey(seed)
    key = PublicKey(agent.verify_key.encode())
    assert signatures.is_usable(key)
    assert signatures.verify(key, message, agent.sign(message).signature)


@given(message=st.binary(min_size=1, max_size=100), data=st.data())
def test_one_flipped_bit_of_message_or_signature_is_refused(
    signatures: Signatures, message: bytes, data: st.DataObject
) -> None:
    signed = SigningKey(SEED_A).sign(message).signature + message
    bit = data.draw(st.integers(0, len(signed) * 8 - 1))
    flipped = bytearray(signed)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not signatures.verify(PublicKey.parse(KEY_A), bytes(flipped[64:]), bytes(flipped[:64]))


@given(bit=st.integers(0, 255))
def test_one_flipped_bit_of_the_key_is_refused(signatures: Signatures, bit: int) -> None:
    key = bytearray(PublicKey.parse(KEY_A).raw)
    key[bit // 8] ^= 1 << bit % 8
    assert not signatures.verify(PublicKey(bytes(key)), MESSAGE, SigningKey(SEED_A).sign(MESSAGE).signature)


@given(raw=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), signature=st.binary(max_size=130))
def test_any_bytes_are_judged_never_raised(
    signatures: Signatures, raw: bytes, message: bytes, signature: bytes
) -> None:
    assert not signatures.verify(PublicKey(raw), message, signature)
    assert isinstance(signatures.is_usable(PublicKey(raw)), bool)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 65, 96, 128])
def test_signature_of_another_length_is_refused(signatures: Signatures, length: int) -> None:
    signature = (SigningKey(SEED_A).sign(MESSAGE).signature * 2)[:length]
    assert not signatures.verify(PublicKey.parse(KEY_A), MESSAGE, signature)


def test_signature_with_s_above_the_group_order_is_refused(signatures: Signatures) -> None:
    signature = SigningKey(SEED_A).sign(MESSAGE).signature
    malleable = signature[:32] + little_endian(int.from_bytes(signature[32:], "little") + ORDER)
    assert not signatures.verify(PublicKey.parse(KEY_A), MESSAGE, malleable)


@pytest.mark.parametrize(
    "raw",
    [IDENTITY, little_endian(FIELD + 1), little_endian(1 | 1 << 255), little_endian((FIELD + 1) | 1 << 255)],
    ids=["identity", "y = p + 1", "identity, sign bit", "y = p + 1, sign bit"],
)
def test_identity_key_forges_nothing(signatures: Signatures, raw: bytes) -> None:
    # R = identity and S = 0 satisfy the equation for every message under these keys.
    forged = IDENTITY + bytes(32)
    assert not signatures.is_usable(PublicKey(raw))
    assert not any(signatures.verify(PublicKey(raw), bytes([byte]), forged) for byte in range(64))


@pytest.mark.parametrize(
    "raw",
    [ORDER_2, ORDER_4, little_endian(1 << 255), ORDER_8, little_endian(FIELD), little_endian(FIELD | 1 << 255)],
    ids=["order 2", "order 4", "order 4, sign bit", "order 8", "y = p", "y = p, sign bit"],
)
def test_keys_of_small_order_forge_nothing(signatures: Signatures, raw: bytes) -> None:
    # With R = identity and S = 0 every eighth message, at least, would satisfy the equation.
    forged = IDENTITY + bytes(32)
    assert not signatures.is_usable(PublicKey(raw))
    assert not any(signatures.verify(PublicKey(raw), bytes([byte]), forged) for byte in range(64))


@pytest.mark.parametrize("point", [IDENTITY, ORDER_2, ORDER_4, ORDER_8], ids=["1", "2", "4", "8"])
def test_r_of_small_order_is_refused_under_a_good_key(signatures: Signatures, point: bytes) -> None:
    # S = k·a satisfies the equation with the cofactor for each R of small order.
    agent = SigningKey(SEED_A)
    key = PublicKey(agent.verify_key.encode())
    s = crypto_core_ed25519_scalar_mul(challenge(point, key.raw, MESSAGE), secret_scalar(SEED_A))
    assert not signatures.verify(key, MESSAGE, point + s)


def test_non_canonical_keys_are_unusable(signatures: Signatures) -> None:
    raw = [little_endian(y | sign) for y in range(FIELD, 2**255) for sign in (0, 1 << 255)]
    assert [each for each in raw if signatures.is_usable(PublicKey(each))] == []


def test_bytes_off_the_curve_are_unusable(signatures: Signatures) -> None:
    assert not signatures.is_usable(PublicKey(little_endian(2)))


@pytest.mark.parametrize("point", MAKES_MIXED.values(), ids=MAKES_MIXED.keys())
@pytest.mark.parametrize("torsion_survives", [False, True], ids=["cofactorless", "cofactored only"])
def test_key_of_mixed_order_is_unusable_and_judged_without_the_cofactor(
    signatures: Signatures, point: bytes, *, torsion_survives: bool
) -> None:
    key = PublicKey(crypto_core_ed25519_add(PublicKey.parse(KEY_A).raw, point))
    message, signature = signed_with_torsion(key.raw, point, torsion_survives=torsion_survives)
    assert not signatures.is_usable(key)
    assert signatures.verify(key, message, signature) is not torsion_survives


def secret_scalar(seed: bytes) -> bytes:
    """The scalar a of a seed (RFC 8032 §5.1.5), reduced."""
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    return crypto_core_ed25519_scalar_reduce(bytes(digest) + bytes(32))


def challenge(r: bytes, key: bytes, message: bytes) -> bytes:
    """The scalar k of a signature (RFC 8032 §5.1.7, step 2)."""
    return crypto_core_ed25519_scalar_reduce(hashlib.sha512(r + key + message).digest())


def signed_with_torsion(key: bytes, point: bytes, *, torsion_survives: bool) -> tuple[bytes, bytes]:
    """A message and S = r + k·a under the key A + `point`, where k·`point` is the identity or is not."""
    a, r = secret_scalar(SEED_A), little_endian(7)
    big_r = crypto_scalarmult_ed25519_base_noclamp(r)
    point_order = {ORDER_2: 2, ORDER_4: 4, ORDER_8: 8}[point]
    for number in range(1000):
        message = number.to_bytes(2, "little")
        k = challenge(big_r, key, message)
        if (int.from_bytes(k, "little") % point_order != 0) is torsion_survives:
            return message, big_r + crypto_core_ed25519_scalar_add(r, crypto_core_ed25519_scalar_mul(k, a))
    raise AssertionError("no message among a thousand")
