"""Ed25519, and encryption with a passphrase, by PyNaCl, that is libsodium."""

import base64

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey
from nacl.utils import random

from moltnet.domain.errors import Invalid
from moltnet.domain.keys import PublicKey


class PassphraseWrong(Invalid):
    """Something cannot be decrypted with this passphrase."""

    code = "PASSPHRASE_WRONG"
    sentence = "The secrets cannot be decrypted with this passphrase"


def encrypt(text: bytes, passphrase: bytes) -> bytes:
    """A salt, and the text encrypted by a key that Argon2id (RFC 9106) makes of the passphrase in about 0.1 s."""
    salt = random(argon2id.SALTBYTES)
    return salt + SecretBox(_key(passphrase, salt)).encrypt(text)


def decrypt(encrypted: bytes, passphrase: bytes) -> bytes:
    """What was encrypted. Raises PassphraseWrong."""
    salt, rest = encrypted[: argon2id.SALTBYTES], encrypted[argon2id.SALTBYTES :]
    try:
        return SecretBox(_key(passphrase, salt)).decrypt(rest)
    except (CryptoError, ValueError) as error:  # the latter for what is too short
        raise PassphraseWrong from error


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return argon2id.kdf(
        SecretBox.KEY_SIZE,
        passphrase,
        salt,
        opslimit=argon2id.OPSLIMIT_INTERACTIVE,
        memlimit=argon2id.MEMLIMIT_INTERACTIVE,
    )


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
