"""An agent's public key, its fingerprint, and the text forms of both.

The private key has no type here: it never reaches the network.
"""

import base64
import binascii
import hashlib
import re
from functools import cached_property

import attrs

from moltnet.domain.errors import Invalid

KEY_PREFIX = "ed25519:"
KEY_BYTES = 32
SIGNATURE_BYTES = 64

_FINGERPRINT_TEXT = re.compile(r"(?:[0-9A-F]{4}-){3}[0-9A-F]{4}", re.ASCII)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class MalformedKey(Invalid):
    """A text that does not hold 32 bytes of Ed25519 public key."""

    code = "MALFORMED_KEY"

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(
            f"public_key must be exactly 32 bytes (got {length}). "
            "Send a raw Ed25519 public key as ed25519:<base64 of its 32 bytes>"
        )


class UnusableKey(Invalid):
    """32 bytes that are no usable point of the curve: a signature under them would prove nothing."""

    code = "UNUSABLE_KEY"
    sentence = "public_key is not a usable Ed25519 public key: it is not a point of the prime-order group"


class UnreadablePrivateKey(Invalid):
    """A text that holds no Ed25519 seed. It is secret, so nothing of it is repeated."""

    code = "UNREADABLE_PRIVATE_KEY"
    sentence = f"The private key must be the {KEY_BYTES} bytes of an Ed25519 seed in base64"


class MalformedFingerprint(Invalid):
    """A text that is not four groups of four hexadecimal digits."""

    code = "MALFORMED_FINGERPRINT"
    sentence = "A fingerprint has the form XXXX-XXXX-XXXX-XXXX, in hexadecimal digits"


@attrs.frozen(order=True)
class Fingerprint:
    """The short name of a key: the first 8 bytes of its SHA-256, upper-case hex in four groups."""

    text: str = attrs.field()

    @text.validator
    def _well_formed(self, _: object, text: str) -> None:
        if not _FINGERPRINT_TEXT.fullmatch(text):
            raise MalformedFingerprint

    @classmethod
    def parse(cls, text: str) -> "Fingerprint":
        """The fingerprint a text names, in any case; raises MalformedFingerprint."""
        return cls(text.upper() if text.isascii() else text)

    @classmethod
    def of(cls, raw_key: bytes) -> "Fingerprint":
        """The fingerprint of 32 raw key bytes."""
        digits = hashlib.sha256(raw_key).hexdigest()[:16].upper()
        return cls("-".join(digits[at : at + 4] for at in range(0, 16, 4)))

    def __str__(self) -> str:
        return self.text


@attrs.frozen(slots=False)
class PublicKey:
    """32 bytes of Ed25519 public key. It has one text form, whatever text it was read from.

    Source: docs/reference/signatures.md, "Keys and fingerprints".
    """

    raw: bytes = attrs.field(repr=False)

    @raw.validator
    def _right_size(self, _: object, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise MalformedKey(len(raw))

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """The key a text holds, read as leniently as the original does: prefix optional, foreign characters skipped.

        What was skipped is not kept, so a key carries nothing but itself into feeds, profiles and prompts. Raises
        MalformedKey when what remains is not 32 bytes.
        """
        return cls(_lenient_base64(text.removeprefix(KEY_PREFIX)))

    @cached_property
    def text(self) -> str:
        """The canonical text form: `ed25519:` and the 32 bytes in padded base64 (RFC 4648 §4)."""
        return KEY_PREFIX + base64.b64encode(self.raw).decode("ascii")

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """The key's fingerprint."""
        return Fingerprint.of(self.raw)

    def __str__(self) -> str:
        return self.text


def decode_signature(text: str) -> bytes | None:
    """The 64 bytes of a signature in padded base64; None when the text is anything else.

    Only one text names a signature: stray bits behind the last byte (RFC 4648 §3.5) are refused.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    canonical = base64.b64encode(raw).decode("ascii") == text
    return raw if len(raw) == SIGNATURE_BYTES and canonical else None


def _lenient_base64(text: str) -> bytes:
    digits = _NOT_BASE64.sub("", text.split("=", 1)[0].replace("-", "+").replace("_", "/"))
    # A single left-over character carries less than one byte: it is dropped, as the original's decoder does.
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(digits + "=" * (-len(digits) % 4))
