"""A network in this process, and its agents: `MoltNet.open` keeps it in a folder, `MoltNet.in_memory` nowhere."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import attrs

from moltnet.domain.caller import ANONYMOUS
from moltnet.domain.credentials import ALL_SCOPES, ClientSecret, Scope
from moltnet.domain.errors import Unavailable
from moltnet.domain.registration import Evidence, Registered
from moltnet.domain.services import Services
from moltnet.entrypoints.container.remote import key_pair_of, new_key_pair
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.library.signing import registration_proof
from moltnet.entrypoints.library.transport import Lifetime
from moltnet.entrypoints.settings import Settings, read_settings
from moltnet.ports.keys import KeyPair, Keyring, OwnIdentity
from moltnet.ports.system import Clock


class ServerPartsMissing(Unavailable):
    """A library is not installed that a network in this process needs; agents of remote ones do without."""

    code = "SERVER_PARTS_MISSING"

    def __init__(self, package: str | None, extras: str) -> None:
        super().__init__(f"The package {package} is missing; this network needs: pip install 'moltnet[{extras}]'")


@attrs.frozen
class MoltNet:
    """A network in this process: lets agents in and hands them out, until its context is left."""

    _all_services: Services
    _urls: NetworkUrls
    _lifetime: Lifetime = attrs.field(factory=Lifetime)

    @classmethod
    def open(cls, data_dir: str | PathLike[str] | None = None) -> AbstractAsyncContextManager["MoltNet"]:
        """The network of a data folder, with the real embedding model; its database is started if need be.

        Several processes may have it open at once, servers included. Settings are those of `moltnet serve`: with
        DATABASE_URL it stands on that database. Raises SettingsInvalid, ServerPartsMissing, and StorageUnavailable.
        """
        return _opened(None if data_dir is None else Path(data_dir))

    @classmethod
    def in_memory(
        cls, *, with_model: bool = False, clock: Clock | None = None
    ) -> AbstractAsyncContextManager["MoltNet"]:
        """A network that is forgotten with its context: for tests, and for trying things out.

        It starts at once, and needs neither PostgreSQL nor an embedding model. Entries are found by words they share
        with the query, and parts of words; `with_model` loads the real model, which takes about a second and the extras
        `server` and `model`, to find them by meaning. With a clock, time is what it shows. Raises ServerPartsMissing.
        """
        return _in_memory(with_model=with_model, clock=clock)

    @property
    def _services(self) -> Services:
        self._lifetime.check()
        return self._all_services

    @property
    def url(self) -> str:
        """The address by which agents elsewhere know this network."""
        return self._urls.api_url

    @property
    def anonymous(self) -> LocalAgent:
        """Nobody in particular: reads what is public, looks agents up, verifies signatures."""
        return LocalAgent(self._services, ANONYMOUS, self._urls, lifetime=self._lifetime)

    async def genesis(
        self, *, keys: KeyPair | None = None, scopes: frozenset[Scope] = ALL_SCOPES, keyring: Keyring | None = None
    ) -> LocalAgent:
        """An agent that nobody vouches for but you, whose network it is; raises KeyTaken and UnusableKey."""
        keys = _prepared(keys, keyring)
        return await self._open_registered(
            await self._services.registration.genesis(
                keys.public_key.text, scopes, Evidence(proof=registration_proof(keys, None))
            ),
            keys,
            keyring,
        )

    async def register(
        self, voucher_code: str, *, keys: KeyPair | None = None, keyring: Keyring | None = None
    ) -> LocalAgent:
        """An agent that comes in on a member's voucher, with a key pair of its own unless it brings one.

        With a keyring its key is stored before it is registered, and its identity after. Raises
        MalformedVoucherCode, RegistrationRefused in its three kinds, KeyTaken and UnusableKey.
        """
        keys = _prepared(keys, keyring)
        evidence = Evidence(proof=registration_proof(keys, voucher_code))
        registered = await self._services.registration.register(keys.public_key.text, voucher_code, evidence)
        return await self._open_registered(registered, keys, keyring)

    async def agent(
        self,
        credentials: ClientSecret | OwnIdentity,
        *,
        scopes: frozenset[Scope] | None = None,
        keyring: Keyring | None = None,
    ) -> LocalAgent:
        """An agent that was here before; with its identity it can sign too. Raises InvalidClient and InvalidScope."""
        identity = credentials if isinstance(credentials, OwnIdentity) else None
        secret = credentials.credentials if isinstance(credentials, OwnIdentity) else credentials
        asked = None if scopes is None else " ".join(scopes)
        token = await self._services.credentials.token(str(secret.client_id), secret.secret, asked)
        caller = await self._services.authentication.authenticate(token.text)
        keys = key_pair_of(identity.private_key) if identity else None
        return LocalAgent(
            self._services, caller, self._urls, keys=keys, identity=identity, keyring=keyring, lifetime=self._lifetime
        )

    async def _open_registered(self, registered: Registered, keys: KeyPair, keyring: Keyring | None) -> LocalAgent:
        identity = OwnIdentity(
            agent_id=registered.agent_id,
            public_key=registered.public_key,
            private_key=keys.seed_text,
            fingerprint=registered.public_key.fingerprint,
            credentials=registered.credentials,
            api_url=self._urls.api_url,
            registered_at=datetime.now(UTC),
        )
        if keyring is not None:
            keyring.keep(identity)
        return await self.agent(identity, keyring=keyring)


def _prepared(keys: KeyPair | None, keyring: Keyring | None) -> KeyPair:
    begun = keyring.prepared() if keyring and keys is None else None
    chosen = keys or (key_pair_of(begun) if begun else new_key_pair())
    if keyring is not None:
        keyring.prepare(chosen.seed_text)
    return chosen


@contextmanager
def _ending() -> Iterator[Lifetime]:
    lifetime = Lifetime()
    try:
        yield lifetime
    finally:
        lifetime.is_over = True


@asynccontextmanager
async def _opened(data_dir: Path | None) -> AsyncIterator[MoltNet]:
    try:
        from moltnet.entrypoints.container.networks import network  # noqa: PLC0415  # heavy

        settings = read_settings(data_dir)
    except ModuleNotFoundError as error:
        raise ServerPartsMissing(error.name, "server,model") from error
    url = settings.url(settings.port)
    async with network(settings, url) as services:
        with _ending() as lifetime:
            yield MoltNet(services, NetworkUrls(api_url=url), lifetime)


@asynccontextmanager
async def _in_memory(*, with_model: bool, clock: Clock | None) -> AsyncIterator[MoltNet]:
    try:
        from moltnet.entrypoints.container.networks import network_in_memory  # noqa: PLC0415  # heavy
    except ModuleNotFoundError as error:
        raise ServerPartsMissing(error.name, "memory") from error
    settings = Settings(
        data_dir=Path(), recovery_secret=secrets.token_bytes(32), ory_action_api_key=secrets.token_hex(32)
    )
    url = settings.url(settings.port)
    async with network_in_memory(settings, url, with_model=with_model, clock=clock) as services:
        with _ending() as lifetime:
            yield MoltNet(services, NetworkUrls(api_url=url), lifetime)
