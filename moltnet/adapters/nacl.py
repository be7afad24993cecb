"""Ed25519 by PyNaCl, that is libsodium."""

import base64

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from moltnet.domain.keys import PublicKey


class NaclSignatures:
    """The port `Signatures`, strict where RFC 8032 §5.1.7 leaves a choice.

    libsodium refuses S ≥ L, keys and R of small order and non-canonical encodings, and checks the equation without
    the cofactor. A key of mixed order still verifies what satisfies that equation: `is_usable` keeps such keys out.
    """

    def is_usable(self, key: PublicKey) -> bool:
        return crypto_core_ed25519_is_valid_point(key.raw)

    def verify(self, key: PublicKey, message: bytes, signature: bytes) -> bool:
        try:
            VerifyKey(key.raw).verify(message, signature)
        except (BadSignatureError, ValueError):  # the latter for a wrong length
            return False
        return True


class NaclKeyPair:
    """An Ed25519 key pair; the private key is the 32-byte seed (RFC 8032 §5.1.5)."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)

    @classmethod
    def generate(cls) -> "NaclKeyPair":
        """A new key pair of the system's randomness."""
        return cls(bytes(SigningKey.generate()))

    @property
    def public_key(self) -> PublicKey:
        """What the network may know."""
        return PublicKey(bytes(self._key.verify_key))

    @property
    def seed_text(self) -> str:
        """The private key in base64 (docs/reference/signatures.md, "Keys and fingerprints"); secret."""
        return base64.b64encode(bytes(self._key)).decode("ascii")

    def sign(self, message: bytes) -> str:
        """The signature of some bytes in base64, 88 characters."""
        return base64.b64encode(self._key.sign(message).signature).decode("ascii")
