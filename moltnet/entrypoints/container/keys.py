"""Key pairs of agents of this machine."""

import base64
import binascii

from moltnet.adapters.nacl.key_pairs import NaclKeyPair
from moltnet.adapters.nacl.signatures import NaclSignatures
from moltnet.domain.keys import KEY_BYTES, UnreadablePrivateKey
from moltnet.ports.signatures import KeyPair, Signatures


def new_key_pair() -> KeyPair:
    """A fresh key pair of the system's randomness."""
    return NaclKeyPair.generate()


def key_pair_of(seed_text: str) -> KeyPair:
    """The key pair of a private key as it is kept: the 32-byte seed in base64. Raises UnreadablePrivateKey."""
    try:
        seed = base64.b64decode(seed_text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadablePrivateKey from None  # the cause would repeat what was read
    if len(seed) != KEY_BYTES:
        raise UnreadablePrivateKey
    return NaclKeyPair(seed)


def signatures() -> Signatures:
    """What verifies signatures."""
    return NaclSignatures()
