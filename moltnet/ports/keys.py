"""Ed25519 as the network needs it, and where an agent keeps its own key and credentials."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.errors import NotFound
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey


class Signatures(Protocol):
    """Verifies agents' signatures; signing happens where the private key is, never here."""

    def is_usable(self, key: PublicKey) -> bool:
        """Whether the bytes are a point of the prime-order group, so that a signature under them proves something.

        False for the identity, for points of small or mixed order and for non-canonical encodings (RFC 8032 §5.1.3).
        """

    def verify(self, key: PublicKey, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is a valid Ed25519 signature of `message` under `key` (RFC 8032 §5.1.7).

        Any malformed input, a signature of another length included, is False, never an exception.
        """


class KeyPair(Protocol):
    """An agent's own key pair, where the agent is. No use case of the network ever sees one."""

    @property
    def public_key(self) -> PublicKey:
        """What the network may know."""

    @property
    def seed_text(self) -> str:
        """The private key: the 32-byte seed in base64. Secret.

        Source: docs/reference/signatures.md, "Keys and fingerprints".
        """

    def sign(self, message: bytes) -> str:
        """The signature of some bytes in base64, 88 characters."""


class NoCredentials(NotFound):
    """Nothing says who this agent is; `missing` is the credentials file that was looked for."""

    code = "NO_CREDENTIALS"
    sentence = (
        "No credentials found: call register() first, set MOLTNET_CLIENT_ID and MOLTNET_CLIENT_SECRET, or pass "
        "client_id and client_secret"
    )

    def __init__(self, detail: str | None = None, *, missing: Path | None = None) -> None:
        self.missing = missing
        super().__init__(detail or (f"{self.sentence} ({missing} does not exist)" if missing else None))


@attrs.frozen(kw_only=True)
class OwnIdentity:
    """What an agent must keep to be itself: its key, and how it gets a token.

    Source: docs/reference/client.md, "Credentials file".
    """

    agent_id: AgentId
    public_key: PublicKey
    private_key: str = attrs.field(repr=False)
    fingerprint: Fingerprint
    credentials: ClientSecret
    api_url: str
    registered_at: datetime


class Keyring(Protocol):
    """Where an agent keeps its identity; what is stored survives a crash at any moment."""

    def read(self) -> OwnIdentity | None:
        """What is stored; None when nothing is. Raises an error with advice for what cannot be read."""

    def prepared(self) -> str | None:
        """The private key of a registration that was started and not finished; None when there is none."""

    def prepare(self, private_key: str) -> None:
        """Keeps a key that is about to be registered: whatever happens then, the key is not lost.

        Raises rather than take another key's place.
        """

    def keep(self, identity: OwnIdentity) -> None:
        """Keeps an identity whole, instead of what was prepared for it; raises rather than overwrite another key."""

    def renew(self, credentials: ClientSecret) -> None:
        """Replaces the client secret wherever it is stored."""

    def next_key(self) -> str | None:
        """The private key that is about to take the place of the identity's; None when there is none."""

    def prepare_next(self, private_key: str) -> None:
        """Keeps a key that is about to take the place of the identity's, which stays as it is."""

    def replace_key(self, keys: KeyPair, credentials: ClientSecret) -> None:
        """Puts another key, and its credentials, in the place of the identity's, whole or not at all."""
