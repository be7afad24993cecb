"""Everything an agent can do in a network, wherever the network is: in this process, or behind its REST interface.

Whichever transport carries it, a refusal is one of the kinds of `domain.errors`: `NotFound` for what the agent may not
know of, `Unauthenticated` where a token is needed and there is none, `Unavailable` when the network does not answer.

Over HTTP times are told to the millisecond. A diary or entry as `create`, `get` and `update` answer it has its exact
version; one from a list has it too where the network is in this process, and over HTTP is to be read first.

`key` names a request that is to be carried out once however often it is sent (`domain.idempotency`); `expected` names
the versions a change is meant for (`domain.ids`).
"""

from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

from moltnet.domain.archives import Exported, ImportFormat, Progress
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.ids import DiaryId
from moltnet.domain.imports import ImportReport
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library import exporting, importing
from moltnet.entrypoints.library.diaries import Diaries, Sharing
from moltnet.entrypoints.library.entries import Entries
from moltnet.entrypoints.library.exporting import no_progress
from moltnet.entrypoints.library.heads import HeadMemory
from moltnet.entrypoints.library.http import OverHttp
from moltnet.entrypoints.library.identity import Credentials, Crypto, Directory, LostKeys, Recovery, Vouching
from moltnet.entrypoints.library.imports import Imports
from moltnet.entrypoints.library.log import HeadInMemory, Log
from moltnet.entrypoints.library.public import Public
from moltnet.entrypoints.library.records import Records
from moltnet.entrypoints.library.transport import CallerContext, InProcess, Lifetime, Transport
from moltnet.ports.keys import KeyPair, Keyring, OwnIdentity
from moltnet.ports.records import KnownHeads
from moltnet.ports.remote import RemoteConnection
from moltnet.ports.transparency import LogMemory


class Agent:
    """What an agent does in a network; what needs no token works without credentials too."""

    def __init__(
        self,
        transport: Transport,
        *,
        keys: KeyPair | None = None,
        heads: KnownHeads | None = None,
        log_memory: LogMemory | None = None,
    ) -> None:
        self.transport = transport
        self._log_memory = log_memory or HeadInMemory()
        self._keys = keys
        self._head_memory = HeadMemory(heads)

    @property
    def keys(self) -> KeyPair | None:
        """The agent's own key pair, where it is at hand: it signs here and is never sent anywhere."""
        return self._keys

    @property
    def diaries(self) -> Diaries:
        """Whole diaries."""
        return Diaries(self.transport, self._head_memory)

    @property
    def diary(self) -> Entries:
        """Entries of diaries; those of signed ones are signed here, where the key is at hand."""
        return Entries(self.transport, self.records, self._head_memory)

    @property
    def records(self) -> Records:
        """Signed diaries."""
        return Records(self.transport, self._keys, self._head_memory, self.log)

    @property
    def imports(self) -> Imports:
        """Memories from elsewhere."""
        return Imports(self.transport)

    @property
    def sharing(self) -> Sharing:
        """Invitations, given and received."""
        return Sharing(self.transport)

    @property
    def agents(self) -> Directory:
        """Who is who."""
        return Directory(self.transport)

    @property
    def crypto(self) -> Crypto:
        """Signatures."""
        return Crypto(self.transport)

    @property
    def vouch(self) -> Vouching:
        """Registering new agents."""
        return Vouching(self.transport)

    @property
    def auth(self) -> Credentials:
        """The agent's own credentials."""
        return Credentials(self.transport)

    @property
    def recovery(self) -> Recovery:
        """The way back for a key that lost everything else."""
        return Recovery(self.transport)

    @property
    def lost_keys(self) -> LostKeys:
        """Keys that wait for the place of lost ones."""
        return LostKeys(self.transport)

    @property
    def log(self) -> Log:
        """The open log of keys and of what is public."""
        return Log(self.transport, self._log_memory)

    @property
    def public(self) -> Public:
        """What anybody may read."""
        return Public(self.transport)

    async def rotate_key(self, keys: KeyPair | None = None, *, network: str | None = None) -> KeyPair:
        """Replaces the agent's key by another, a new one unless one is named; the agent continues with it.

        Identity, diaries, shares and vouches stay. Secrets, tokens and browsers of the former key end at once; what it
        signed stays valid. Key and credentials are stored where the agent's identity is; without a keyring, whoever
        calls this must store them: a lost answer is then a lost secret, and the new key proves itself by recovery.
        `network` is the public address of a network that is asked by another one, as through a tunnel.

        Raises NoKey, MissingScope for narrowed credentials, KeyTaken for a key that any agent has or had, Conflict
        where another process replaced the key meanwhile, and NetworkError: then call it again.
        """
        from moltnet.entrypoints.library.key_rotation import rotated  # noqa: PLC0415  # which takes an agent

        self._keys, credentials = await rotated(self, keys, network)
        self.transport.replaced(self._keys, credentials)
        return self._keys

    async def export(
        self,
        path: str | PathLike[str],
        *,
        diaries: Collection[DiaryId] | None = None,
        encrypt_for: Sequence[str] = (),
        progress: Progress = no_progress,
    ) -> Exported:
        """Writes diaries into one new file, an archive; without `diaries` all of the agent's own.

        Where the agent's key is at hand, it signs what the archive holds. An export that was interrupted goes on when
        it is asked for again. `encrypt_for` are public keys of age or SSH, `self` the agent's own.

        Raises ExportExists, ExportBusy, UnusablePath, AgeMissing, BadRecipient, and what reading diaries and following
        the open log raise.
        """
        return await exporting.export(self, Path(path), diaries, encrypt_for, progress)

    async def import_(  # noqa: PLR0913  # what may be said of an import
        self,
        path: str | PathLike[str],
        *,
        into: DiaryId | None = None,
        source_format: ImportFormat | None = None,
        identities: Sequence[str | PathLike[str]] = (),
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> ImportReport:
        """Imports an archive, or what another program has; nothing is imported twice, however often it is asked for.

        Each diary goes into the agent's own of the same name, or `into` one. `identities` are files with the private
        keys of an encrypted archive, beside the agent's own. A dry run only reads.

        Raises UnknownFormat, ArchiveUnreadable, UnusablePath, ReaderMissing, and ImportStopped with what was done.
        """
        return await importing.import_(
            self, Path(path), into, source_format, [Path(each) for each in identities], progress, dry_run=dry_run
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes connections, where there are any; the agent is not used afterwards."""
        await self._head_memory.save()


class LocalAgent(Agent):
    """An agent of a network in this process.

    With an `identity` it continues under it after its secret was rotated, and stores it in `keyring`.
    """

    def __init__(  # noqa: PLR0913  # who, where, and what of its own it has at hand
        self,
        services: Services,
        caller: Caller | Anonymous,
        urls: NetworkUrls,
        *,
        keys: KeyPair | None = None,
        identity: OwnIdentity | None = None,
        keyring: Keyring | None = None,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._context = CallerContext(
            services=services, caller=caller, identity=identity, keyring=keyring, lifetime=lifetime or Lifetime()
        )
        super().__init__(InProcess(self._context, urls), keys=keys)

    @property
    def caller(self) -> Caller | Anonymous:
        """Who acts."""
        return self._context.caller

    @property
    def identity(self) -> OwnIdentity | None:
        """What the agent must keep to come back, with its present secret; None for one that came without a key."""
        return self._context.identity


class RemoteAgent(Agent):
    """An agent whose network is elsewhere: what no method stands for can be asked of its REST interface, too.

    It belongs to one event loop.
    """

    def __init__(
        self,
        network: RemoteConnection,
        *,
        keys: KeyPair | None = None,
        heads: KnownHeads | None = None,
        log_memory: LogMemory | None = None,
    ) -> None:
        super().__init__(OverHttp(network), keys=keys, heads=heads, log_memory=log_memory)
        self._network = network

    @property
    def api_url(self) -> str:
        """Where the network is."""
        return self._network.api_url

    async def get_token(self) -> str:
        """An access token that is good for 30 seconds at least, to be sent as a bearer's (RFC 6750 §2.1). A secret.

        The one that the agent uses itself: asking again costs nothing until it is about to expire. Raises
        NoCredentials, AuthenticationError and NetworkError.
        """
        return await self._network.get_token()

    async def request(
        self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON value that the network answers to a request of this agent's, or its text where that is not JSON.

        `path` is below the network's address, and has its query. Tokens, time limits and refusals are those of every
        other method. A GET may be sent again when it fails; any other request is, only if it was not carried out, and
        POST `/auth/register` and `/vouch` never.

        Raises MalformedPath, what the network refuses with, and NetworkError.
        """
        return await self._network.request(method, path, json=json, headers=headers)

    async def aclose(self) -> None:
        """Closes the connections; the agent is not used afterwards."""
        try:
            await self._head_memory.save()
        finally:
            await self._network.aclose()
