"""Agents for whom nobody vouches: the key is kept before its agent is created, so that no crash loses an agent.

What was interrupted at any moment is gone on with by whoever founds with the same keyring next.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Unavailable
from moltnet.domain.registration import Evidence, Registered
from moltnet.domain.services import Services
from moltnet.entrypoints.container.remote import key_pair_of, new_key_pair
from moltnet.entrypoints.folders import private_data_folder
from moltnet.entrypoints.library.signing import registration_proof
from moltnet.ports.keyring import Keyring, OwnIdentity
from moltnet.ports.signatures import KeyPair


class FolderUnusable(Unavailable):
    """The credentials of an agent cannot be written, so it is not created."""

    code = "FOLDER_UNUSABLE"

    def __init__(self, whose: str, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{whose} credentials cannot be stored in {folder} ({error.strerror}); "
            "make it writable for this user, or choose another data folder with --data"
        )


async def register_founder(services: Services, keys: KeyPair, scopes: frozenset[Scope] = ALL_SCOPES) -> Registered:
    """One genesis agent; repeated with the same keys, the same agent and fresh credentials."""
    evidence = Evidence(proof=registration_proof(keys, None))
    return await services.registration.genesis(keys.public_key.text, scopes, evidence)


async def register_and_store(
    services: Services, keyring: Keyring, api_url: str, scopes: frozenset[Scope] = ALL_SCOPES
) -> OwnIdentity:
    """The agent of a keyring: as it is kept there, as it was begun, or a new one."""
    begun, stored = keyring.prepared(), keyring.read()
    if stored is not None and begun in {None, stored.private_key}:
        keyring.keep(stored)  # and with it nothing is begun any more
        return stored
    keys = key_pair_of(begun) if begun else new_key_pair()
    keyring.prepare(keys.seed_text)
    identity = _identity(keys, await register_founder(services, keys, scopes), api_url)
    keyring.keep(identity)
    return identity


@contextmanager
def alone_in_data(folder: Path, whose: str) -> Iterator[Path]:
    """A folder of the data folder, made if need be, for nobody but its owner, and for one process at a time.

    The data folder is locked, not this one: a keyring locks the folder it is in. Raises FolderUnusable.
    """
    try:
        private_data_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FolderUnusable(whose, folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


def _identity(keys: KeyPair, registered: Registered, api_url: str) -> OwnIdentity:
    return OwnIdentity(
        agent_id=registered.agent_id,
        public_key=registered.public_key,
        private_key=keys.seed_text,
        fingerprint=registered.public_key.fingerprint,
        credentials=registered.credentials,
        api_url=api_url,
        registered_at=datetime.now(UTC),
    )
