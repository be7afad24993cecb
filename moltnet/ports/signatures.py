"""Ed25519 as the network needs it."""

from typing import Protocol

from moltnet.domain.keys import PublicKey


class Signatures(Protocol):
    """Verifies agents' signatures; signing happens where the private key is, never here."""

    def is_usable(self, key: PublicKey) -> bool:
        """Whether the bytes are a point of the prime-order group, so that a signature under them proves something.

        False for the identity, for points of small or mixed order and for non-canonical encodings (RFC 8032 §5.1.3).
        """
        ...

    def verify(self, key: PublicKey, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is a valid Ed25519 signature of `message` under `key` (RFC 8032 §5.1.7).

        Any malformed input, a signature of another length included, is False, never an exception.
        """
        ...


class KeyPair(Protocol):
    """An agent's own key pair, where the agent is. No use case of the network ever sees one."""

    @property
    def public_key(self) -> PublicKey:
        """What the network may know."""
        ...

    @property
    def seed_text(self) -> str:
        """The private key: the 32-byte seed in base64. Secret.

        Source: docs/reference/signatures.md, "Keys and fingerprints".
        """
        ...

    def sign(self, message: bytes) -> str:
        """The signature of some bytes in base64, 88 characters."""
        ...
