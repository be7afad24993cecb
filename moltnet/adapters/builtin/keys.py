"""The RSA keys that tokens are signed with: made here, sealed at rest, shared by all processes through the storage.

The newest key signs. Rotating adds one; the older stay published, and verify, as long as a token signed with them may
live, unless they are removed at once because one has leaked. Every process rereads the keys within seconds. Only sealed
private keys are in the database: what opens them stays with the operator, who can replace it (`reseal`).
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import attrs
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from moltnet.domain.credentials import TOKEN_LIFETIME
from moltnet.domain.errors import Unavailable
from moltnet.domain.transparency import Leaf
from moltnet.ports.credentials import SigningKey
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock

ALGORITHM = "RS256"
KEY_BITS = 2048
SECRET_MIN_BYTES = 32
# An unknown key id makes a process look for new keys, but not more often than this: made-up ids cost no database.
REREAD_FLOOR = timedelta(seconds=1)
# So long a process may sign and verify with a key that was removed elsewhere.
REREAD_AFTER = timedelta(seconds=5)
# A new key is published before it signs, for longer than the floor: anyone who meets an unknown id may then look, or
# has looked since the key was there.
SETTLING = timedelta(seconds=5)
# A process may sign with an older key until it rereads, and that token lives on: both fit in twice a token's life.
OVERLAP = 2 * TOKEN_LIFETIME

_LOGGER = logging.getLogger(__name__)


class SigningKeyUnreadable(Unavailable):
    """The newest signing key was sealed with another secret than this process has; `rotate` makes one it can read."""

    code = "SIGNING_KEY_UNREADABLE"
    sentence = "The token signing key cannot be opened: restore the key-encryption secret it was sealed with, or rotate"


@attrs.frozen
class OpenKey:
    """A signing key out of its seal."""

    kid: str
    created_at: datetime
    key: RSAKey = attrs.field(repr=False)

    def published(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517 §4, RFC 7518 §6.3.1)."""
        numbers = self.key.as_dict(private=False)
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.kid,
            "alg": ALGORITHM,
            "n": str(numbers["n"]),
            "e": str(numbers["e"]),
        }


class KeyEncryption:
    """Makes keys, which takes some 50 ms of CPU, seals and opens them.

    Args:
        secret: at least 32 random bytes, the same in every process; without it the stored keys are of no use.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_MIN_BYTES:
            raise ValueError(f"a key-encryption secret has at least {SECRET_MIN_BYTES} bytes, got {len(secret)}")
        # Derived, so that the operator may use the one secret for other things too.
        self._box = SecretBox(hashlib.blake2b(secret, digest_size=SecretBox.KEY_SIZE, person=b"moltnet:keys").digest())

    def new_key(self, at: datetime) -> SigningKey:
        """A fresh key, sealed."""
        key = RSAKey.generate_key(KEY_BITS, private=True)
        return SigningKey(
            kid=key.thumbprint(),  # RFC 7638: the same key has the same id wherever it is read
            sealed=self.seal(key.as_pem(private=True)),
            created_at=at,
        )

    def open(self, stored: SigningKey) -> OpenKey | None:
        """The key out of its seal; None when it was sealed with another secret."""
        pem = self.unseal(stored)
        if pem is None:
            return None
        # Its numbers were right when it was sealed, and the seal is whole: testing them again would take 36 ms of CPU.
        key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("a stored signing key is not an RSA key")
        return OpenKey(stored.kid, stored.created_at, RSAKey.import_key(key))

    def seal(self, pem: bytes) -> bytes:
        """A key's PEM text, sealed."""
        return bytes(self._box.encrypt(pem))

    def unseal(self, stored: SigningKey) -> bytes | None:
        """A key's PEM text; None when it was sealed with another secret."""
        return self.decrypt(stored.sealed)

    def decrypt(self, sealed: bytes) -> bytes | None:
        """What was sealed; None when it was with another secret."""
        try:
            return self._box.decrypt(sealed)
        except (CryptoError, ValueError):  # the latter for less than a nonce
            return None


class TokenKeys:
    """One process's view of the signing keys; issuer and verifier of a process share one."""

    def __init__(self, storage: Storage, clock: Clock, seal: KeyEncryption) -> None:
        self._storage, self._clock, self._encryption = storage, clock, seal
        self._keys: Sequence[OpenKey] = ()
        self._unreadable: frozenset[bytes] = frozenset()
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def prepare(self) -> None:
        """Reads the keys, and makes the first one if there is none: call it once before serving.

        Raises SigningKeyUnreadable.
        """
        await self._read()

    async def rotate(self) -> str:
        """Adds a newer key, whose id is the answer; it signs from a few seconds later on."""
        new_key = await self._new_key()
        async with self._storage.transaction() as work:
            await work.signing_keys.add(new_key)
            await work.transparency.add(Leaf.network_key(new_key.kid, new_key.created_at, alone=False))
        await self._read()
        return new_key.kid

    async def replace(self) -> str:
        """Adds a newer key, whose id is the answer, and removes all others: their tokens end at once."""
        new_key = await self._new_key()
        async with self._storage.transaction() as work:
            await work.signing_keys.add(new_key)
            await work.signing_keys.remove_all_but(new_key.kid)
            await work.transparency.add(Leaf.network_key(new_key.kid, new_key.created_at, alone=True))
        await self._read()
        return new_key.kid

    async def signing(self) -> OpenKey:
        """The key to sign with now. Raises SigningKeyUnreadable."""
        keys = await self._current(None)
        propagated = [each for each in keys if each.created_at <= self._clock.now() - SETTLING]
        return propagated[0] if propagated else keys[-1]

    async def verifying(self, kid: str) -> OpenKey | None:
        """The key of an id, while tokens signed with it may be good. Raises SigningKeyUnreadable."""
        return next((each for each in await self._current(kid) if each.kid == kid), None)

    async def published(self) -> list[dict[str, str]]:
        """The public halves of the keys that tokens are verified with, newest first. Raises SigningKeyUnreadable."""
        return [each.published() for each in await self._current(None)]

    async def _current(self, kid: str | None) -> list[OpenKey]:
        if self._is_stale(kid):
            async with self._reading:
                if self._is_stale(kid):  # nobody read them while this call waited
                    await self._read()
        return _unretired(self._keys, self._clock.now())

    def _is_stale(self, kid: str | None) -> bool:
        if self._read_at is None:
            return True
        age = self._clock.now() - self._read_at
        missing = kid is not None and all(each.kid != kid for each in self._keys)
        # A clock that was set back must not keep old keys for ever.
        return not timedelta() <= age < (REREAD_FLOOR if missing else REREAD_AFTER)

    async def _read(self) -> None:
        read_at = self._clock.now()
        stored = await self._stored()
        known = {each.kid: each for each in self._keys}
        fresh = [each for each in stored if each.kid not in known and each.sealed not in self._unreadable]
        opened = [self._encryption.open(each) for each in fresh]
        known |= {each.kid: each for each in opened if each is not None}
        if stored[0].kid not in known:
            raise SigningKeyUnreadable
        self._log_unreadable([each for each in stored if each.kid not in known])
        self._keys = [known[each.kid] for each in stored if each.kid in known]
        self._read_at = read_at

    async def _stored(self) -> list[SigningKey]:
        while True:
            async with self._storage.autocommit() as work:
                stored = await work.signing_keys.all()
            if stored:
                return stored
            first = await self._new_key()
            async with self._storage.transaction() as work:
                if await work.signing_keys.add_first(first):  # else another process was first, and its key is read
                    await work.transparency.add(Leaf.network_key(first.kid, first.created_at, alone=False))

    async def _new_key(self) -> SigningKey:
        # In a thread of its own: the loop's own executor may be gone.
        executor = ThreadPoolExecutor(1, thread_name_prefix="moltnet-keys")
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(executor, self._encryption.new_key, self._clock.now())
        finally:
            executor.shutdown(wait=False)

    def _log_unreadable(self, keys: Sequence[SigningKey]) -> None:
        sealed = frozenset(each.sealed for each in keys)
        if sealed - self._unreadable:
            _LOGGER.warning("token signing keys were sealed with another secret; their tokens are refused")
        self._unreadable = sealed


async def reseal(storage: Storage, before: KeyEncryption, after: KeyEncryption) -> int:
    """Seals all keys again, all or none, and answers how many there are; what is sealed so already counts too.

    Raises SigningKeyUnreadable when neither seal opens the newest one.
    """
    async with storage.transaction() as work:
        stored = await work.signing_keys.all()
        opened = {each.kid: after.unseal(each) or before.unseal(each) for each in stored}
        if stored and opened[stored[0].kid] is None:
            raise SigningKeyUnreadable
        for kid, pem in opened.items():
            if pem is not None:
                await work.signing_keys.replace_sealed(kid, after.seal(pem))
        log_key = await work.transparency.key()
        seed = log_key and (after.decrypt(log_key.sealed) or before.decrypt(log_key.sealed))
        if seed:
            await work.transparency.replace_sealed(after.seal(seed))
    return len(stored)


def _unretired(newest_first: Sequence[OpenKey], now: datetime) -> list[OpenKey]:
    """The newest key, and each older one until OVERLAP after its successor was made."""
    successors = [None, *newest_first]
    return [
        key
        for key, successor in zip(newest_first, successors, strict=False)
        if successor is None or now < successor.created_at + OVERLAP
    ]
