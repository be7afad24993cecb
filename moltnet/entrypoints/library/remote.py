"""Agents of networks that are elsewhere: finding credentials, registering, coming back.

Source: docs/reference/client.md, "Registering" and "Finding credentials".

What is not named is looked for in the environment, then in the credentials file. The address of the network is the
named one, else MOLTNET_API_URL, else the file's, else the public network.
"""

import asyncio
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import attrs

from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.lost_keys import LostKeyStatement
from moltnet.domain.records import base64_text
from moltnet.domain.recovery import InvalidProof
from moltnet.domain.views import Document
from moltnet.domain.vouching import checked_code
from moltnet.entrypoints.container.remote import (
    connection,
    file_heads,
    file_keyring,
    file_log_memory,
    key_pair_of,
    new_key_pair,
)
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.entrypoints.library.http import structured
from moltnet.entrypoints.library.key_rotation import stored
from moltnet.entrypoints.library.signing import prove_key, registration_proof
from moltnet.entrypoints.operations.keys import ReportLostKey
from moltnet.entrypoints.settings import DEFAULT_API_URL, ClientSettings, http_url, read_client_settings
from moltnet.ports.keys import KeyPair, Keyring, NoCredentials, OwnIdentity
from moltnet.ports.records import KnownHeads
from moltnet.ports.remote import NetworkError, RegistrationError, RemoteRequest
from moltnet.ports.transparency import LogMemory

ConfigDir = str | PathLike[str] | None


class NoPrivateKey(NoCredentials):
    """Nothing holds the key that a lost agent is recovered with."""

    code = "NO_PRIVATE_KEY"
    sentence = "No private key to recover with: pass it as keys, or set MOLTNET_PRIVATE_KEY"


async def connect(
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    api_url: str | None = None,
    config_dir: ConfigDir = None,
    keyring: Keyring | None = None,
) -> RemoteAgent:
    """An agent with the credentials that are named, else the environment's, else those of the credentials file.

    Half a pair counts as none. A `keyring` that is named comes before the environment. From a keyring or file the agent
    can sign, and fresh secrets are stored there. Nothing is asked of the network yet. Close the agent after use.

    Raises NoCredentials, MalformedClientId, SettingsInvalid, and what the keyring raises.
    """
    local = _ClientEnvironment.of(config_dir, keyring)
    named = client_id and client_secret and ClientSecret.of(client_id, client_secret)
    secret = named or (None if keyring else local.credentials)
    if secret:
        return remote_agent(local.url(api_url), secret, keys=local.keys, heads=local.heads)
    identity = await local.stored_identity()
    if identity is None:
        raise NoCredentials(missing=None if keyring else local.settings.credentials_file)
    url = local.url(api_url, identity)
    return remote_agent(
        url,
        identity.credentials,
        keys=key_pair_of(identity.private_key),
        keyring=local.keyring,
        agent_id=identity.agent_id,
        log_memory=None if keyring else file_log_memory(local.settings.credentials_file, url),
        heads=None if keyring else local.heads,
    )


def remote_agent(  # noqa: PLR0913  # who, where, and what of its own it has at hand
    api_url: str,
    credentials: ClientSecret | None = None,
    *,
    keys: KeyPair | None = None,
    keyring: Keyring | None = None,
    agent_id: AgentId | None = None,
    log_memory: LogMemory | None = None,
    heads: KnownHeads | None = None,
) -> RemoteAgent:
    """An agent of the network at an address; without credentials, an anonymous one.

    With a keyring, fresh secrets are stored there, and those that another process kept there are found. `log_memory`
    is where what is seen of the open log is kept, `heads` the same for signed diaries; without them, that is forgotten
    with the agent.
    """
    network = connection(api_url, credentials, keyring=keyring, agent_id=agent_id)
    return RemoteAgent(network, keys=keys, heads=heads, log_memory=log_memory)


async def visit(*, api_url: str | None = None, config_dir: ConfigDir = None) -> RemoteAgent:
    """Nobody in particular: reads what is public, looks agents up, verifies signatures. Close it after use."""
    local = _ClientEnvironment.of(config_dir, None)
    knows_where = api_url or local.settings.api_url
    return remote_agent(local.url(api_url, None if knows_where else await local.stored_identity()))


async def info(*, api_url: str | None = None) -> Document:
    """What a network says about itself."""
    async with await visit(api_url=api_url) as agent:
        return await agent.public.network_info()


async def register(
    voucher_code: str,
    *,
    api_url: str | None = None,
    config_dir: ConfigDir = None,
    keyring: Keyring | None = None,
    keys: KeyPair | None = None,
) -> OwnIdentity:
    """A new agent's identity; `connect()` makes an agent of it.

    The key pair is made here, unless one is named or an earlier try left one, and kept before the network hears of it:
    whatever happens then, the key is not lost. One try is made; a refused one may be repeated, and uses the same key.
    The key's signature goes with it: by that, a try whose answer was lost may be repeated too.

    Raises MalformedVoucherCode, a RegistrationError of its kind (Forbidden for the voucher, Conflict for the key),
    NetworkError, and what the keyring raises, above all rather than lose another key.
    """
    local = _ClientEnvironment.of(config_dir, keyring)
    url = local.url(api_url)
    checked_code(voucher_code)
    begun = None if keys else await asyncio.to_thread(local.keyring.prepared)
    key_pair = keys or (key_pair_of(begun) if begun else new_key_pair())
    await asyncio.to_thread(local.keyring.prepare, key_pair.seed_text)
    agent_id, credentials = await _registered(
        url, key_pair.public_key, voucher_code, registration_proof(key_pair, voucher_code)
    )
    return await local.keep(_identity(key_pair, agent_id, credentials, url))


async def recover(
    *,
    api_url: str | None = None,
    config_dir: ConfigDir = None,
    keyring: Keyring | None = None,
    keys: KeyPair | None = None,
    network: str | None = None,
) -> OwnIdentity:
    """The identity of a member that has nothing left but its key, with fresh credentials; the old ones end.

    The key is the named one, else the kept one, else that of a registration whose answer was lost, else the
    environment's. It signs a challenge only if that was made for the network that is asked, so that no other can have
    an agent sign itself over. `network` is the public address of a network that is asked by another one than its own,
    as through a tunnel.

    Raises NoCredentials where there is no key, InvalidProof if no agent has it, ForeignChallenge and
    UnsafeChallenge, and NetworkError.
    """
    local = _ClientEnvironment.of(config_dir, keyring)
    stored_identity = await local.stored_identity() if keys is None else None
    begun = None if keys or stored_identity else await asyncio.to_thread(local.keyring.prepared)
    seed = stored_identity.private_key if stored_identity else begun
    key_pair = keys or (key_pair_of(seed) if seed else local.keys)
    if key_pair is None:
        raise NoPrivateKey(missing=None if keyring else local.settings.credentials_file)
    url = local.url(api_url, stored_identity)
    async with remote_agent(url) as agent:
        try:
            credentials = await prove_key(agent, key_pair, network=network or url)
        except InvalidProof:
            # A rotation whose answer was lost may have been carried out: then the next key is the agent's.
            seed = await asyncio.to_thread(local.keyring.next_key) if stored_identity else None
            if seed is None:
                raise
            key_pair = key_pair_of(seed)
            credentials = await prove_key(agent, key_pair, network=network or url)
            await stored(local.keyring, key_pair, credentials)
    agent_id = (
        stored_identity.agent_id
        if stored_identity and stored_identity.api_url == url
        else await _agent_id(url, credentials)
    )
    return await local.keep(_identity(key_pair, agent_id, credentials, url, stored_identity))


async def key_lost(  # noqa: PLR0913  # whose, of which network, and where the new key is stored
    fingerprint: Fingerprint,
    *,
    api_url: str | None = None,
    config_dir: ConfigDir = None,
    keyring: Keyring | None = None,
    keys: KeyPair | None = None,
    network: str | None = None,
) -> ReportLostKey:
    """The statement that an agent's key is lost, for `lost_keys.report` of the agent, or of who vouched for it.

    It is good for 24 hours. The key that is to take the place is made here, unless one is named or an earlier try left
    one, and is stored where `recover` finds it, which takes the place once the waiting time is over. `network` is as of
    `recover`.

    Raises AgentNotFound, NetworkError, and what the keyring raises, above all rather than lose another key.
    """
    local = _ClientEnvironment.of(config_dir, keyring)
    url = local.url(api_url)
    async with remote_agent(url) as agent:
        former = (await agent.agents.lookup(fingerprint)).public_key
    begun = None if keys else await asyncio.to_thread(local.keyring.prepared)
    chosen = keys or (key_pair_of(begun) if begun else new_key_pair())
    await asyncio.to_thread(local.keyring.prepare, chosen.seed_text)
    statement = LostKeyStatement(
        network=NetworkAddress.of(network or url).text,
        former=former,
        key=chosen.public_key,
        created_at=datetime.now(UTC),
    )
    return ReportLostKey(payload=base64_text(statement.payload), signature=chosen.sign(statement.signing_input))


@attrs.frozen(kw_only=True)
class _Registered:
    identity_id: AgentId
    fingerprint: Fingerprint
    client_id: ClientId
    client_secret: str = attrs.field(repr=False)


async def _registered(url: str, key: PublicKey, voucher_code: str, proof: str) -> tuple[AgentId, ClientSecret]:
    """What a network tells a new agent, in one try; raises a RegistrationError of its kind, and NetworkError."""
    body = {"public_key": key.text, "voucher_code": voucher_code, "proof": proof}
    call = RemoteRequest(method="POST", path="/auth/register", json=body, signed_in=False, once_only=True)
    anonymous = connection(url)
    try:
        reply = await anonymous.ask(call, form=RegistrationError)
    finally:
        await anonymous.aclose()
    registered: _Registered = structured(reply.value(), _Registered)
    if registered.fingerprint != key.fingerprint:
        raise NetworkError("The network answered for another key than the one that was registered")
    return registered.identity_id, ClientSecret(client_id=registered.client_id, secret=registered.client_secret)


async def _agent_id(url: str, credentials: ClientSecret) -> AgentId:
    async with remote_agent(url, credentials) as agent:
        return (await agent.agents.whoami()).agent_id


@attrs.frozen(kw_only=True)
class NotKept:
    """A keyring that keeps nothing: for a caller that handles the answer itself, and of the key should none come."""

    def read(self) -> None:
        """Nothing is stored."""

    def prepared(self) -> None:
        """Nothing is stored."""

    def prepare(self, private_key: str) -> None:
        """Keeps nothing."""

    def keep(self, identity: OwnIdentity) -> None:
        """Keeps nothing."""

    def renew(self, credentials: ClientSecret) -> None:
        """Keeps nothing."""

    def next_key(self) -> None:
        """Nothing is stored."""

    def prepare_next(self, private_key: str) -> None:
        """Keeps nothing."""

    def replace_key(self, keys: KeyPair, credentials: ClientSecret) -> None:
        """Keeps nothing."""


@attrs.frozen(kw_only=True)
class _ClientEnvironment:
    """Where an agent's identity is stored, and what its environment says."""

    settings: ClientSettings
    keyring: Keyring

    @classmethod
    def of(cls, config_dir: ConfigDir, keyring: Keyring | None) -> "_ClientEnvironment":
        settings = read_client_settings(None if config_dir is None else Path(config_dir))
        return cls(settings=settings, keyring=keyring or file_keyring(settings.credentials_file))

    @property
    def credentials(self) -> ClientSecret | None:
        client_id, secret = self.settings.client_id, self.settings.client_secret
        return ClientSecret.of(client_id, secret) if client_id and secret else None

    @property
    def keys(self) -> KeyPair | None:
        return key_pair_of(self.settings.private_key) if self.settings.private_key else None

    @property
    def heads(self) -> KnownHeads:
        return file_heads(self.settings.credentials_file)

    def url(self, named: str | None, stored_identity: OwnIdentity | None = None) -> str:
        return http_url(
            named or self.settings.api_url or (stored_identity and stored_identity.api_url) or DEFAULT_API_URL
        )

    async def stored_identity(self) -> OwnIdentity | None:
        return await asyncio.to_thread(self.keyring.read)

    async def keep(self, identity: OwnIdentity) -> OwnIdentity:
        await asyncio.to_thread(self.keyring.keep, identity)
        return identity


def _identity(
    keys: KeyPair, agent_id: AgentId, credentials: ClientSecret, url: str, before: OwnIdentity | None = None
) -> OwnIdentity:
    return OwnIdentity(
        agent_id=agent_id,
        public_key=keys.public_key,
        private_key=keys.seed_text,
        fingerprint=keys.public_key.fingerprint,
        credentials=credentials,
        api_url=url,
        registered_at=before.registered_at if before else datetime.now(UTC),
    )
