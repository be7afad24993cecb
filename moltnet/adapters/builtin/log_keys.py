"""The Ed25519 key of the open log: made here, encrypted at rest like the keys of tokens, one for the log's life."""

import attrs
from nacl.signing import SigningKey

from moltnet.adapters.builtin.keys import KeyEncryption
from moltnet.domain.checkpoints import LOG_SIGNATURE, VerifierKey
from moltnet.domain.keys import PublicKey
from moltnet.domain.transparency import LogKeyUnreadable
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock
from moltnet.ports.transparency import LogKey

# The name of a log whose network has no public address: by its key, so that no two are alike.
LOCAL_ORIGIN = "moltnet.local"
LOG_PATH = "/log"


@attrs.frozen
class StoredLogSigner:
    """The port `LogSigner`."""

    key: VerifierKey
    _signing_key: SigningKey = attrs.field(repr=False)

    def sign(self, message: bytes) -> bytes:
        return self._signing_key.sign(message).signature


@attrs.define
class StoredLogSigning:
    """The port `LogSigning`. `public_url` is where agents reach the network, where that is known."""

    _storage: Storage
    _clock: Clock
    _encryption: KeyEncryption
    _public_url: str | None
    _signer: StoredLogSigner | None = attrs.field(default=None, init=False)

    async def signer(self) -> StoredLogSigner:
        if self._signer is None:
            key = await self._stored()
            seed = self._encryption.decrypt(key.sealed)
            if seed is None:
                raise LogKeyUnreadable
            named = VerifierKey(name=key.origin, kind=LOG_SIGNATURE, key=key.public_key)
            self._signer = StoredLogSigner(named, SigningKey(seed))
        return self._signer

    async def _stored(self) -> LogKey:
        async with self._storage.autocommit() as work:
            stored = await work.transparency.key()
        if stored is not None:
            return stored
        first = self._new_key()
        async with self._storage.autocommit() as work:
            # Another process may be first: then its key is the log's.
            return first if await work.transparency.add_first_key(first) else await self._stored()

    def _new_key(self) -> LogKey:
        signing_key = SigningKey.generate()
        public_key = PublicKey(bytes(signing_key.verify_key))
        return LogKey(
            origin=_origin(self._public_url, public_key),
            public_key=public_key,
            sealed=self._encryption.seal(bytes(signing_key)),
            created_at=self._clock.now(),
        )


def _origin(public_url: str | None, key: PublicKey) -> str:
    """The name of a new log: where it is read, without the scheme; it stays when the network moves."""
    if public_url is None:
        return f"{LOCAL_ORIGIN}/{str(key.fingerprint).lower()}"
    return public_url.partition("://")[2].rstrip("/") + LOG_PATH
