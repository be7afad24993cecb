"""Verification of agents' Ed25519 signatures by libsodium."""

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from moltnet.domain.keys import PublicKey


class NaclSignatures:
    """The port `Signatures`, strict where RFC 8032 §5.1.7 leaves a choice.

    libsodium refuses S ≥ L, keys and R of small order and non-canonical encodings, and checks the equation without
    the cofactor. A key of mixed order still verifies what satisfies that equation: `is_usable` keeps such keys out.
    """

    def is_usable(self, key: PublicKey) -> bool:
        """Whether the key is a canonically encoded point of the prime-order group."""
        return crypto_core_ed25519_is_valid_point(key.raw)

    def verify(self, key: PublicKey, message: bytes, signature: bytes) -> bool:
        """Whether the signature is valid; False for a signature of any length but 64."""
        try:
            VerifyKey(key.raw).verify(message, signature)
        except (BadSignatureError, ValueError):  # the latter for a wrong length
            return False
        return True
