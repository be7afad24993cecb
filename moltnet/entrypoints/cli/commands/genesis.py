"""`moltnet genesis`: agents without vouchers (docs/reference/client.md, "First agents").

A key is stored before its agent is created, so that no crash loses an agent; the next call with the same files
completes an interrupted one.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import attrs

from moltnet.domain.credentials import ALL_SCOPES, InvalidScope, Scope
from moltnet.domain.errors import Invalid, MoltNetError, Unavailable
from moltnet.domain.registration import Evidence, Registered
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.ending import run_command
from moltnet.entrypoints.cli.output import FAILED, one_sentence, result, say
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.container.remote import file_keyring, key_pair_of, new_key_pair
from moltnet.entrypoints.environment import private_data_folder
from moltnet.entrypoints.library.signing import registration_proof
from moltnet.entrypoints.settings import Settings, read_settings
from moltnet.ports.keys import KeyPair, Keyring, OwnIdentity

# In the data folder: agents that were created and not printed yet.
NOT_PRINTED = "genesis"


class NamesMiscounted(Invalid):
    """The number of names is not the number of agents."""

    code = "NAMES_MISCOUNTED"

    def __init__(self, count: int, names: int) -> None:
        super().__init__(f"--count {count} needs {count} names, --names holds {names}")


class FolderUnusable(Unavailable):
    """The credentials of an agent cannot be written, so it is not created."""

    code = "FOLDER_UNUSABLE"

    def __init__(self, whose: str, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{whose} credentials cannot be stored in {folder} ({error.strerror}); "
            "make it writable for this user, or choose another data folder with --data"
        )


@attrs.frozen(kw_only=True)
class Founder:
    """A genesis agent with its credentials, which are printed once."""

    name: str
    identity: OwnIdentity
    access_token: str = attrs.field(default="", repr=False)

    def as_json(self) -> dict[str, str]:
        """The members (docs/reference/client.md, "First agents")."""
        return {
            "name": self.name,
            "identityId": str(self.identity.agent_id),
            "fingerprint": str(self.identity.fingerprint),
            "publicKey": self.identity.public_key.text,
            "privateKey": self.identity.private_key,
            "clientId": str(self.identity.credentials.client_id),
            "clientSecret": self.identity.credentials.secret,
            "accessToken": self.access_token,
        }


def genesis(data_dir: Path | None, count: int, names: str | None, scopes: str | None) -> None:
    """Creates agents and prints them as a JSON array; exit 1 if one failed.

    Until they are printed, they are stored in the data folder: the next call with the same names completes an
    interrupted one.
    """
    with one_sentence():
        called = _names(count, names)
        granted = _scopes(scopes)
        settings = read_settings(data_dir)
        with alone_in_data(settings.data_dir / NOT_PRINTED, "The agents'") as folder:
            founders, failures = run_command(_register_founders(settings, folder, called, granted))
            result([founder.as_json() for founder in founders])
            for path in _credentials_files(folder, called):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # agents of another call are in it
                folder.rmdir()
    for failure in failures:
        say(f"error: {failure}")
    sys.exit(FAILED if failures else 0)


async def register_founders(
    services: Services, folder: Path, api_url: str, names: list[str], scopes: frozenset[Scope]
) -> tuple[list[Founder], list[str]]:
    """An agent of each name, new or stored in the folder before; and a sentence for each failure."""
    founders: list[Founder] = []
    failures: list[str] = []
    for name, path in zip(names, _credentials_files(folder, names), strict=True):
        try:
            keyring = file_keyring(path)
            founders.append(Founder(name=name, identity=await register_and_store(services, keyring, api_url, scopes)))
            founders[-1] = await _with_token(services, founders[-1])
        except MoltNetError as error:
            # A registered agent is returned all the same: its key is nowhere else.
            failures.append(f"{name}: {error.detail}")
    return founders, failures


async def register_founder(services: Services, keys: KeyPair, scopes: frozenset[Scope] = ALL_SCOPES) -> Registered:
    """One genesis agent; with the same keys again, the same agent and new credentials."""
    evidence = Evidence(proof=registration_proof(keys, None))
    return await services.registration.genesis(keys.public_key.text, scopes, evidence)


async def register_and_store(
    services: Services, keyring: Keyring, api_url: str, scopes: frozenset[Scope] = ALL_SCOPES
) -> OwnIdentity:
    """The agent of a keyring: the stored one, the one whose registration was interrupted, or a new one."""
    begun, stored = keyring.prepared(), keyring.read()
    if stored is not None and begun in {None, stored.private_key}:
        keyring.keep(stored)  # which removes the prepared key
        return stored
    keys = key_pair_of(begun) if begun else new_key_pair()
    keyring.prepare(keys.seed_text)
    identity = _identity(keys, await register_founder(services, keys, scopes), api_url)
    keyring.keep(identity)
    return identity


@contextmanager
def alone_in_data(folder: Path, whose: str) -> Iterator[Path]:
    """A folder in the data folder, created if it is missing, private to its owner, for one process at a time.

    The data folder is locked, not this one: a keyring locks the folder it is in.

    Raises:
        FolderUnusable: it cannot be created or read.
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


async def _register_founders(
    settings: Settings, folder: Path, names: list[str], scopes: frozenset[Scope]
) -> tuple[list[Founder], list[str]]:
    api_url = settings.url(settings.port)
    async with network(settings, api_url, with_model=False) as services:
        return await register_founders(services, folder, api_url, names, scopes)


def _credentials_files(folder: Path, names: list[str]) -> list[Path]:
    """The files of the agents of these names; a name may be any text, and occur twice."""
    keys = [f"{names[:at].count(name)} {name}".encode(errors="surrogatepass") for at, name in enumerate(names)]
    return [folder / f"{hashlib.sha256(key).hexdigest()[:32]}.json" for key in keys]


async def _with_token(services: Services, founder: Founder) -> Founder:
    credentials = founder.identity.credentials
    token = await services.credentials.token(str(credentials.client_id), credentials.secret, None)
    return attrs.evolve(founder, access_token=token.text)


def _names(count: int, names: str | None) -> list[str]:
    if names is None:
        return [f"agent-{number}" for number in range(1, count + 1)]
    called = [name.strip() for name in names.split(",") if name.strip()]
    if len(called) != count:
        raise NamesMiscounted(count, len(called))
    return called


def _scopes(scopes: str | None) -> frozenset[Scope]:
    if scopes is None:
        return ALL_SCOPES
    scopes_by_name = {scope.value: scope for scope in Scope}
    named = scopes.split()
    unknown = [name for name in named if name not in scopes_by_name]
    if unknown or not named:
        wrong = f"no scope is called {', '.join(unknown)}" if unknown else "--scopes names none"
        raise InvalidScope(f"{wrong}; the scopes are: {' '.join(scopes_by_name)}")
    return frozenset(scopes_by_name[name] for name in named)
