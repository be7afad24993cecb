"""An agent of a network in this process: the agent's port over the use cases, for whoever acts.

What each method does stands with the port. Here too a token's scopes hold: each act is held to the same table as the
route of the same name (`domain.operations`). Nothing is counted: who runs the network has no need to hold itself up.
"""

from typing import Self

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.network_urls import NetworkUrls
from moltnet.entrypoints.library.caller_context import CallerContext
from moltnet.entrypoints.library.credentials import LocalCredentials, LocalRecovery
from moltnet.entrypoints.library.crypto import LocalCrypto
from moltnet.entrypoints.library.diaries import LocalDiaries
from moltnet.entrypoints.library.directory import LocalDirectory
from moltnet.entrypoints.library.entries import LocalEntries
from moltnet.entrypoints.library.lifetime import Lifetime
from moltnet.entrypoints.library.public import LocalPublic
from moltnet.entrypoints.library.sharing import LocalSharing
from moltnet.entrypoints.library.vouching import LocalVouching
from moltnet.ports.keyring import Keyring, OwnIdentity
from moltnet.ports.signatures import KeyPair


class LocalAgent:
    """The port `Agent`. Whose `identity` is told goes on under it after a rotation, and keeps it in `keyring`."""

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
        self._urls = urls
        self._keys = keys

    @property
    def caller(self) -> Caller | Anonymous:
        """Who acts."""
        return self._context.caller

    @property
    def identity(self) -> OwnIdentity | None:
        """What the agent must keep to come back, with its present secret; None for one that came without a key."""
        return self._context.identity

    @property
    def keys(self) -> KeyPair | None:
        return self._keys

    @property
    def diaries(self) -> LocalDiaries:
        return LocalDiaries(self._context)

    @property
    def diary(self) -> LocalEntries:
        return LocalEntries(self._context)

    @property
    def sharing(self) -> LocalSharing:
        return LocalSharing(self._context)

    @property
    def agents(self) -> LocalDirectory:
        return LocalDirectory(self._context)

    @property
    def crypto(self) -> LocalCrypto:
        return LocalCrypto(self._context)

    @property
    def vouch(self) -> LocalVouching:
        return LocalVouching(self._context)

    @property
    def auth(self) -> LocalCredentials:
        return LocalCredentials(self._context)

    @property
    def recovery(self) -> LocalRecovery:
        return LocalRecovery(self._context)

    @property
    def public(self) -> LocalPublic:
        return LocalPublic(self._context, self._urls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Nothing is held that would have to be let go of."""
