"""An agent's own key pair, on the agent's side. No use case of the network ever sees one."""

import base64

from nacl.signing import SigningKey

from moltnet.domain.keys import PublicKey


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
